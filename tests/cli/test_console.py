"""The commands are processes: they read pipes, outlive closed ones, end in 0, 1, 2.

`provlog` and `python -m verifier` are the same command line; only the former has
a name for itself and for what the other packages bring.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.desk import lay_out
from tests.loopback import Server, folder, running
from tests.testlog import TestLog
from verifier import __main__ as command

ROOT = Path(__file__).parents[2]
VERIFIER = f"{sys.executable} -m verifier"
VERIFY = f"{VERIFIER} verify --policy policy"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path)
    return tmp_path


def shell(text, **options):
    """Carry out a line of shell; the status is that of the first command that fails."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", text],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **options,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done


def test_the_module_runs_from_any_folder(desk):
    done = shell(f"{VERIFY} record.bundle")
    assert done.returncode == 0
    assert "inclusion   holds" in done.stdout
    assert done.stderr == ""
    refused = shell(f"{VERIFY} forged.bundle")
    assert refused.returncode == 1
    assert refused.stderr.startswith("verifier: error: inclusion: ")


@pytest.mark.skipif(
    not shutil.which("provlog", path=Path(sys.executable).parent),
    reason="provlog is not installed here",
)
def test_the_console_script_answers_as_the_module_does(desk):
    script = Path(sys.executable).parent / "provlog"
    for file, status in {"record": 0, "forged": 1, "missing": 2}.items():
        ours, theirs = (
            shell(f"{each} verify --json --policy policy {file}.bundle")
            for each in (script, VERIFIER)
        )
        assert ours.returncode == theirs.returncode == status
        assert ours.stdout == theirs.stdout
        assert ours.stderr == theirs.stderr.replace("verifier:", "provlog:")


# Pipes


@pytest.mark.parametrize(
    "line",
    [
        "cat record.bundle | {} -",
        "cat record.bundle | {} /dev/stdin",
        "{} <(cat record.bundle)",
        "{} --entry <(cat record.entry) record.receipt",
        "{} --artifact <(cat weights.bin) record.bundle",
        "cat record.entry | {} --entry - record.bundle",
    ],
)
def test_evidence_may_come_through_a_pipe(desk, line):
    assert shell(line.format(VERIFY)).returncode == 0


def test_an_endless_pipe_is_not_read_to_its_end(desk):
    done = shell(f"{VERIFY} - < /dev/zero")
    assert done.returncode == 1
    assert "which is the most that is read" in done.stderr


def test_who_stops_reading_gets_no_traceback(desk):
    for arguments in ("--json", ""):
        assert shell(f"{VERIFY} {arguments} record.bundle | head -c 1").returncode == 0
        refused = shell(f"{VERIFY} {arguments} forged.bundle 2>&1 | head -c 1")
        assert refused.returncode == 1


@pytest.mark.parametrize("output", [">&-", "> /dev/full"])
def test_an_answer_that_cannot_be_written_is_no_verdict(desk, output):
    if "full" in output and not os.path.exists("/dev/full"):
        pytest.skip("this machine has no /dev/full")
    assert shell(f"{VERIFY} record.bundle {output}").returncode == 2


@pytest.mark.parametrize("arguments", ["verify record.bundle", "audit log"])
def test_nobody_has_to_listen_to_the_talk(desk, arguments):
    name, what = arguments.split()
    done = shell(f"{VERIFIER} {name} --json --policy policy {what} 2>&-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["holds"] is True


def test_talk_does_not_get_into_the_answer(desk):
    done = shell(f"{VERIFY} --json forged.bundle 2>&-")
    assert done.returncode == 1
    assert json.loads(done.stdout)["check"] == "inclusion"


def test_a_terminal_without_unicode_gets_escapes(desk):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    (desk / "café.bundle").write_bytes((desk / "forged.bundle").read_bytes())
    done = shell(f"{VERIFY} forged.bundle", env=environment)
    assert done.returncode == 1
    assert "\\u2026" in done.stderr
    assert shell(f"{VERIFY} café.missing", env=environment).returncode == 2


def test_no_control_character_of_the_evidence_reaches_the_terminal(desk):
    (desk / "evil").write_bytes(b"\x1b]0;owned\x07 policy\n")
    done = shell(f"{VERIFY} $'\\e[2J.bundle'; {VERIFIER} inspect evil")
    assert "\x1b" not in done.stdout + done.stderr
    assert "\\x1b[2J.bundle" in done.stderr


# The shape of --json


@pytest.mark.parametrize(
    ("file", "status", "holds", "check"),
    [
        ("record.bundle", 0, True, None),
        ("forged.bundle", 1, False, "inclusion"),
        ("missing.bundle", 2, None, None),
    ],
)
def test_a_program_can_tell_the_three_answers_apart(
    desk, capsys, file, status, holds, check
):
    given = command.main(["verify", "--json", "--policy", "policy", file])
    document = json.loads(capsys.readouterr().out)
    assert given == status
    assert document["holds"] is holds
    assert document["check"] == check
    assert document["command"] == "verify"
    assert ("error" in document) == (status == 2)
    for each in document["findings"]:
        assert {"check", "holds", "says"} <= set(each)


# What goes wrong inside


@pytest.mark.parametrize(
    ("raised", "word"),
    [
        (RuntimeError("oops"), "a fault of this program: RuntimeError: oops"),
        (AssertionError(), "a fault of this program: AssertionError"),
        (MemoryError(), "a fault of this program: MemoryError"),
        (RecursionError("deep"), "a fault of this program: RecursionError"),
        (KeyboardInterrupt(), "interrupted"),
        (OSError("no file named"), "no file named"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["verify", "audit", "inspect"])
def test_a_fault_of_ours_is_never_a_verdict(
    desk, monkeypatch, capsys, raised, word, name
):
    def fail(*_, **__):
        raise raised

    monkeypatch.setattr(command, "_read", fail)
    options = [] if name == "inspect" else ["--policy", "policy"]
    assert command.main([name, *options, "log"]) == 2
    assert word in capsys.readouterr().err


def test_an_interrupted_audit_ends_without_a_traceback(desk):
    log = TestLog(desk / "long")
    log.append(*(b"%d" % number for number in range(65_536 + 300)))
    serve = folder(log.folder)
    with running(Server()) as server:
        arrived = server.arrived

        def stall(handler):
            serve(handler) if "tile" not in handler.path else wait(handler)

        def wait(handler):
            arrived.set()
            handler.server.stopped.wait(20)
            handler.close_connection = True

        server.behaviours = [stall]
        audit = subprocess.Popen(
            [
                *VERIFIER.split(),
                "audit",
                "--policy",
                "policy",
                "--entries",
                "opaque",
                "--processes",
                "2",
                server.prefix,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert arrived.wait(20)
        os.killpg(audit.pid, signal.SIGINT)
        server.stopped.set()
        _, said = audit.communicate(timeout=60)
    assert audit.returncode == 2
    assert "Traceback" not in said
    assert "interrupted" in said


# A terminal


def test_an_audit_at_a_terminal_shows_how_far_it_is(desk, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert command.main(["audit", "--policy", "policy", "log"]) == 0
    shown = capsys.readouterr().err
    assert "11 of 11 entries" in shown
    assert shown.endswith("\r\x1b[K")
