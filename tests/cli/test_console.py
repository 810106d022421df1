"""The commands are processes: they read pipes, outlive closed ones, end in 0, 1, 2.

`provlog` and `python -m verifier` are the same command line; only the former has
a name for itself and for what the other packages bring.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import pytest

from cli import main as script
from tests.cli.desk import lay_out
from tests.loopback import Server, folder, running
from tests.testlog import TestLog, policy_text, signer
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


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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


@pytest.mark.parametrize(("file", "status"), [("record", 0), ("forged", 1)])
def test_who_has_stopped_reading_changes_no_verdict(desk, monkeypatch, file, status):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as unread, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", unread)
        given = command.main(["verify", "--policy", "policy", f"{file}.bundle"])
    assert given == status


@pytest.mark.parametrize("output", [">&-", "> /dev/full"])
def test_an_answer_that_cannot_be_written_is_no_verdict(desk, output):
    if "full" in output and not os.path.exists("/dev/full"):
        pytest.skip("this machine has no /dev/full")
    assert shell(f"{VERIFY} record.bundle {output}").returncode == 2


@pytest.mark.exhaustive
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("verify --policy policy record.bundle", 0),
        ("verify --policy policy forged.bundle", 1),
        ("verify --policy policy missing.bundle", 2),
        ("verify --policy - -", 2),
        ("verify --bogus", 2),
        ("audit --policy policy log", 0),
        ("audit --policy policy damaged", 1),
        ("monitor --policy policy --state state void", 2),
    ],
)
def test_talk_that_cannot_be_written_does_not_change_the_status(desk, line, status):
    assert shell(f"{VERIFIER} {line} 2>/dev/full").returncode == status


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


def test_no_control_character_of_a_name_reaches_the_terminal_in_a_usage(desk):
    done = shell(f"{VERIFY} record.bundle $'\\e[2K\\e[1A.bundle'")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\\x1b[2K" in done.stderr


# Names that a stranger chose


@pytest.mark.parametrize(
    "name", ["--policy=evil.bundle", "--policy", "--entries=opaque", "--json="]
)
def test_the_name_of_a_file_cannot_become_an_option(desk, name):
    folder = desk / "download"
    folder.mkdir()
    evil = policy_text(logs=[signer("log.example/evil")], witnesses=(), quorum=0)
    (folder / "evil.bundle").write_bytes(evil)
    (folder / name).touch()
    done = shell(
        f"cd download; {VERIFIER} verify --entries record --policy ../policy *"
    )
    assert done.returncode == 2
    assert "holds" not in done.stdout


def test_after_two_dashes_every_name_is_a_name(desk):
    (desk / "--policy=evil").write_bytes((desk / "record.bundle").read_bytes())
    assert shell(f"{VERIFY} -- --policy=evil").returncode == 0


def test_standard_input_is_read_once(desk, capsys):
    line = ["verify", "--policy", "policy", "--entry", "-", "-"]
    assert command.main(line) == 2
    assert "can be read once only" in capsys.readouterr().err


# What version it is


def test_it_says_which_version_it_is():
    done = shell(f"{VERIFIER} --version", cwd=ROOT)
    assert done.returncode == 0
    assert done.stdout.strip() in {version("provlog"), "not installed"}


def test_what_is_not_installed_has_no_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    with pytest.raises(SystemExit) as ended:
        command.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "not installed\n"


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


AUDIT = "audit --policy policy --entries opaque --processes 2"


@contextmanager
def stalled(where, line, word):
    """A command at a server that is silent about paths with `word` until stopped."""
    serve = folder(where)

    def stall(handler):
        if word in handler.path:
            handler.server.arrived.set()
            handler.server.stopped.wait(20)
        serve(handler)

    with running(Server()) as server:
        server.behaviours = [stall]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [*VERIFIER.split(), *line.split(), server.prefix],
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )
        try:
            assert server.arrived.wait(20)
            yield server, process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)


@pytest.fixture
def long_log(desk):
    """A log that more than one process has to hash."""
    log = TestLog(desk / "long")
    log.append(*(b"%d" % number for number in range(65_536 + 300)))
    return log.folder


@pytest.mark.exhaustive
def test_an_interrupted_audit_ends_without_a_traceback(long_log):
    with stalled(long_log, AUDIT, "tile") as (server, audit):
        os.killpg(audit.pid, signal.SIGINT)
        server.stopped.set()
        _, said = audit.communicate(timeout=60)
    assert audit.returncode == 2
    assert "Traceback" not in said
    assert "interrupted" in said


@pytest.mark.exhaustive
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this is not Linux")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=str)
def test_who_worked_for_a_killed_audit_leaves_after_it(long_log, how):
    with ExitStack() as stack:
        _, audit = stack.enter_context(stalled(long_log, AUDIT, "tile"))
        children = Path(f"/proc/{audit.pid}/task/{audit.pid}/children").read_text()
        workers = [os.pidfd_open(int(each)) for each in children.split()]
        for each in workers:
            stack.callback(os.close, each)
        # Two that hash, once both have started, and one that tidies up behind them.
        assert len(workers) >= 2
        audit.send_signal(how)
        assert audit.wait(20) == -how
        # A descriptor of a process is readable once the process has ended.
        for each in workers:
            assert select.select([each], [], [], 20)[0]


# One round at a time


def test_rounds_of_a_monitor_do_not_overlap(desk):
    line = "monitor --policy policy --state state --now 1790000600"
    with stalled(desk / "log", line, "checkpoint") as (server, first):
        second = shell(f"{VERIFIER} {line} grown")
        assert second.returncode == 2
        assert "another process is at work on state" in second.stderr
        assert not (desk / "state").exists()
        server.stopped.set()
        first.communicate(timeout=60)
        assert first.returncode == 0
    assert shell(f"{VERIFIER} {line} grown").returncode == 0


def test_a_killed_round_stands_in_nobodys_way(desk):
    line = "monitor --policy policy --state state --now 1790000600"
    with stalled(desk / "log", line, "checkpoint") as (_, first):
        first.kill()
        first.wait(20)
        assert shell(f"{VERIFIER} {line} log").returncode == 0


# A terminal


def test_an_audit_at_a_terminal_shows_how_far_it_is(desk, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert command.main(["audit", "--policy", "policy", "log"]) == 0
    shown = capsys.readouterr().err
    assert "11 of 11 entries" in shown
    assert shown.endswith("\r\x1b[K")


@pytest.mark.parametrize(
    "line",
    [
        "--bogus 2>/dev/full",
        "--help >/dev/full",
        "verify --bogus 2>/dev/full",
    ],
)
def test_what_cannot_be_said_is_what_cannot_be_done(line):
    script = f"{sys.executable} -c 'from cli.main import run; run()'"
    assert shell(f"{script} {line}").returncode == 2


def test_the_script_ends_as_its_command_does(monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(script, "main", full)
    with pytest.raises(SystemExit) as ended:
        script.run()
    assert ended.value.code == 2


@pytest.mark.parametrize("state", ["''", "/", "."])
def test_a_state_without_a_name_cannot_be_kept(desk, state):
    line = f"monitor --policy policy --state {state} log"
    ended = shell(f"{VERIFIER} {line}")
    assert (ended.returncode, "fault of this program" in ended.stderr) == (2, False)


@pytest.mark.parametrize(
    "line",
    [
        "monitor --policy policy --state - log",
        "audit --policy policy --resume - log",
    ],
)
def test_what_is_kept_is_not_standard_input(desk, line):
    ended = shell(f"{VERIFIER} {line}")
    assert ended.returncode == 2
    assert "a file of its own" in ended.stderr
