"""What provlog append has said is durable and all there is, however it ends.

It may be held, interrupted or killed, and nobody may listen. Every log here is
audited when its test is over.
"""

import json
import signal
import sys

import pytest

from cli.main import main
from cli.stopping import stoppable
from tests.cli.operating import done, entries_of, provlog, shell, start

# What keeps it from being carried out


@pytest.mark.parametrize(
    "options", [[], ["one", "--lines", "two"], ["--lines", "none"]]
)
def test_files_or_lines_are_given_and_they_are_there(new_log, files, options):
    assert provlog("append", new_log().folder, *options).exit_code == 2


def test_a_folder_without_a_log_gets_none(files):
    given = provlog("append", "nowhere", "one")
    assert (given.exit_code, given.stdout) == (2, "")
    assert "absent" in given.stderr
    assert not (files / "nowhere").exists()


def test_one_process_writes(new_log, files):
    log = new_log()
    with log.open():
        given = provlog("append", log.folder, "one")
    assert (given.exit_code, given.stdout) == (2, "")
    assert "locked" in given.stderr


def test_a_silent_target_is_done_without_by_its_name_only(new_log, files):
    log = new_log(settings='targets = ["mirror"]')
    given = provlog("append", log.folder, "one")
    assert given.exit_code == 2
    assert "target_silent" in given.stderr
    assert provlog("append", log.folder, "--without", "x", "one").exit_code == 2
    assert done("append", log.folder, "--without", "mirror", "one") == "0  one\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_full_disk_is_said_with_what_is_not_logged(new_log, files, as_json):
    log = new_log()
    (log.folder / "log.toml").write_text("min_free_bytes = 1000000000000000\n")
    (files / "lines").write_bytes(b"line\n" * 9000)
    options = ["--json"] if as_json else []
    given = provlog("append", log.folder, *options, "--lines", "lines")
    assert given.exit_code == 2
    assert "lines 1 to 4096: not logged" in given.stderr
    assert "make room" in given.stderr
    assert given.stderr.index("lines 4097 to") < given.stderr.index("lines 8193 to")
    failed = [json.loads(each) for each in given.stdout.splitlines()]
    assert [each["failed"] for each in failed] == ["full"] * (3 if as_json else 0)
    assert entries_of(log.folder) == []


def test_a_log_that_has_halted_says_that_it_does_not_know(new_log, files, monkeypatch):
    log = new_log()
    log.given_up = True

    def broken(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("ledger.log.anchor._write", broken)
    given = provlog("append", log.folder, "--json", "one", "two")
    assert given.exit_code == 2
    assert "one to two: it is not known whether it is logged" in given.stderr
    failed = json.loads(given.stdout)
    assert (failed["failed"], failed["first"], failed["last"]) == (
        "unknown",
        "one",
        "two",
    )


# Pipes, and people who stop


def test_a_line_does_not_wait_for_the_next_one(new_log):
    log = new_log()
    with start("append", log.folder, "--lines", "-") as writer:
        for number in range(3):
            writer.stdin.write(b"line %d\n" % number)
            writer.stdin.flush()
            assert writer.stdout.readline() == b"%d\n" % number
        writer.stdin.close()
        assert writer.wait(30) == 0


def test_who_is_interrupted_has_said_all_that_is_logged(new_log):
    log = new_log()
    with start("append", log.folder, "--lines", "-") as writer:
        writer.stdin.write(b"line\n" * 5000)
        writer.stdin.flush()
        said = [writer.stdout.readline()]
        writer.send_signal(signal.SIGINT)
        # Not communicate() alone, which leaves what readline() has read ahead.
        rest = writer.stdout.read()
        _, talk = writer.communicate(timeout=30)
    said = b"".join([*said, rest]).splitlines()
    assert writer.returncode == 2
    assert b"interrupted; what was said is logged, and nothing else" in talk
    assert b"Traceback" not in talk
    assert len(entries_of(log.folder)) == int(said[-1].split()[-1]) + 1


def test_ctrl_c_ends_the_reading_after_what_is_in_hand():
    with stoppable() as stopping:
        seen = []
        for each in stopping.until_stopped(iter([1, 2, 3])):
            seen.append(each)
            signal.raise_signal(signal.SIGINT)
            seen.append("finished")
        assert seen == [1, "finished"]
        # Who presses it again does not want to wait.
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_ends_a_wait_for_what_comes_next():
    def waiting():
        signal.raise_signal(signal.SIGINT)
        yield 1

    with stoppable() as stopping:
        assert list(stopping.until_stopped(waiting())) == []
        assert stopping.stopped


def test_ctrl_c_is_not_for_a_command_in_the_background():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable() as stopping:
            signal.raise_signal(signal.SIGINT)
            assert list(stopping.until_stopped(iter([1, 2]))) == [1, 2]
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_was_said_survives_the_end_of_the_process(new_log):
    log = new_log()
    with start("append", log.folder, "--lines", "-") as writer:
        writer.stdin.write(b"line\n" * 10)
        writer.stdin.flush()
        said = writer.stdout.readline()
        writer.kill()
        writer.wait(30)
    assert len(entries_of(log.folder)) == int(said.split()[-1]) + 1
    assert done("append", log.folder, __file__).startswith(
        f"{int(said.split()[-1]) + 1}  "
    )


def test_who_stops_listening_stops_nothing(new_log, files):
    log = new_log()
    given = shell(
        f"seq 20000 | PROVLOG append {log.folder} --lines - | head -n 1", files
    )
    assert (given.returncode, given.stdout) == (0, "0 to 4095\n")
    assert len(entries_of(log.folder)) == 20_000


@pytest.mark.parametrize("output", [">&-", ">/dev/full", ">&- 2>&- <&-"])
def test_an_answer_that_cannot_be_written_is_not_given(new_log, files, output):
    log = new_log()
    assert shell(f"PROVLOG append {log.folder} one {output}", files).returncode == 2
    assert entries_of(log.folder) == [b"first"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("output", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_nobody_has_to_listen_to_the_talk(new_log, files, output):
    log = new_log()
    given = shell(f"PROVLOG append {log.folder} one missing {output}", files)
    assert (given.returncode, given.stdout) == (1, "0  one\n")


def test_closed_standard_input_is_not_an_empty_one(new_log, files):
    given = shell(f"PROVLOG append {new_log().folder} --lines - <&-", files)
    assert given.returncode == 2


# A terminal


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["one", "two"], "2 of 2 entries"),
        (["--lines", "lines"], "45,000 of 45,000 bytes"),
    ],
)
def test_a_terminal_shows_how_far_it_is(
    new_log, files, monkeypatch, capsys, options, word
):
    (files / "lines").write_bytes(b"line\n" * 9000)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["append", str(new_log().folder), *options])
    shown = capsys.readouterr().err
    assert ended.value.code == 0
    assert word in shown
    assert shown.endswith("\r\x1b[K")
