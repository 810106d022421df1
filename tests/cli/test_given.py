"""What is given on the command line is taken as it was meant, or refused."""

import pytest

from tests.cli.operating import done, entries_of, provlog, shell
from tests.livelog import FIRST

ONCE = {
    "append": ["LOG", "--lines", "one", "--lines", "two"],
    "init": ["new", "--origin", "a.example/x", "--origin=b.example/x"],
    "freeze": ["LOG", "--yes", "--reason", "one", "--reason", "two"],
    "restore": ["LOG", "--origin", "a.example/x", "--origin", "b.example/x"],
}


def line(command, folder):
    return [command, *(folder if each == "LOG" else each for each in ONCE[command])]


@pytest.mark.parametrize("command", ONCE)
def test_an_option_that_is_given_twice_is_refused(new_log, files, command):
    log = new_log(kind="record")
    words = line(command, log.folder)
    given = provlog(*words)
    assert given.exit_code == 2
    name = next(
        each for each in words if str(each).startswith("--") and each != "--yes"
    )
    assert f"{name} is given twice" in given.stderr
    assert len(entries_of(log.folder)) == FIRST
    assert not (files / "new").exists()


def test_what_may_be_repeated_and_what_is_a_switch_is_not(new_log, files):
    log = new_log(settings='targets = ["a", "b"]')
    twice = ["--without", "a", "--without", "b", "--json", "--json"]
    assert done("append", log.folder, *twice, "one")


def test_what_comes_after_two_dashes_is_a_file(new_log, files):
    (files / "--lines").write_bytes(b"x")
    assert done("append", new_log().folder, "--", "--lines", "--lines")


@pytest.mark.parametrize("words", [[], ["key"]], ids=["provlog", "provlog key"])
def test_a_command_that_was_not_named_is_asked_for_with_help(words):
    given = provlog(*words)
    assert given.exit_code == 2
    assert given.stdout.startswith(f"Usage: {' '.join(['provlog', *words])} ")
    assert "\n  show " in given.stdout if words else "\n  init " in given.stdout
    assert given.stderr == ""


def test_standard_input_is_given_as_lines(new_log, files):
    given = provlog("append", new_log().folder, "-")
    assert given.exit_code == 2
    assert "--lines -" in given.stderr


def test_what_is_taken_from_the_environment_is_said_where_a_folder_is_misspelt(
    files, monkeypatch
):
    monkeypatch.setenv("PROVLOG_URL", "http://127.0.0.1:1")
    given = provlog("list", "nodir")
    assert given.exit_code == 2
    says = "LOG is http://127.0.0.1:1 (from PROVLOG_URL), for 'nodir' is no address"
    assert says in given.stderr


# Records that are none


MISTAKES = {
    "bom": (b'\xef\xbb\xbf{"id":1}', "byte order mark; save it without one"),
    "utf16": ('{"id":1}'.encode("utf-16"), "it is UTF-16; save it as UTF-8"),
    "array": (b' [{"id":1}]', "a JSON array"),
    "text": (b"hello, world and all", "begins with b'hello, world'"),
    "number": (b"12", "JSON object"),
    "nothing": (b" \r\n", "an empty"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_file_that_is_no_record_is_refused_with_what_is_wrong(new_log, files, name):
    data, says = MISTAKES[name]
    (files / name).write_bytes(data)
    given = provlog("append", new_log(kind="record").folder, name, "run.json")
    assert (given.exit_code, given.stdout) == (1, "2  run.json\n")
    assert f"{name}: refused: form: " in given.stderr
    assert says in given.stderr
    assert ("CBOR" in given.stderr) == (name in ("text", "number"))


@pytest.mark.parametrize("name", MISTAKES)
def test_and_so_is_a_line(new_log, files, name):
    data, says = MISTAKES[name]
    (files / "lines").write_bytes(data.replace(b"\n", b"") + b"\n")
    given = provlog("append", new_log(kind="record").folder, "--lines", "lines")
    assert given.exit_code == 1
    assert "line 1: refused: form: " in given.stderr
    assert says in given.stderr
    assert "CBOR" not in given.stderr


def test_an_answer_that_cannot_be_said_may_be_one_that_is_logged(new_log, files):
    log = new_log()
    (files / "lines").write_bytes(b"line\n" * 30_000)
    given = shell(f"PROVLOG append {log.folder} --lines lines >/dev/full", files)
    assert given.returncode == 2
    assert (
        f"may be logged; how much that is: provlog status {log.folder}" in given.stderr
    )
