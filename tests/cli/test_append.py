"""provlog append logs files and lines, and says at which index each stands.

What is refused is named, and stops nothing else. Every log here is audited when its
test is over.
"""

import json
import os
import tracemalloc
from io import FileIO

import pytest

from cli.inputs import Input, read_lines
from cli.sending import Sender
from tests.cli.operating import (
    done,
    entries_of,
    provlog,
    record_text,
)
from tests.livelog import FIRST
from tests.statements import added, sign1
from verifier.entry import Entry
from verifier.record import encode_record, parse_record_json

RECORD = record_text(1)


# Files


def test_each_file_is_one_entry_and_its_index_is_said(new_log, files):
    log = new_log()
    assert done("append", log.folder, "one", "two") == "0  one\n1  two\n"
    assert entries_of(log.folder) == [b"first", b"second"]


def test_what_was_there_before_keeps_its_index(new_log, files):
    log = new_log(dedupe=True)
    done("append", log.folder, "one")
    again = done("append", log.folder, "two", "one", "two")
    assert again == "1  two\n0  one  already logged\n1  two  already logged\n"


@pytest.mark.parametrize(
    ("file", "check"), [("missing", "file"), (".", "file"), ("large", "size")]
)
def test_one_that_is_refused_does_not_stop_the_others(new_log, files, file, check):
    log = new_log()
    given = provlog("append", log.folder, "one", file, "two")
    assert given.exit_code == 1
    assert given.stdout == "0  one\n1  two\n"
    assert f"{file}: refused: {check}: " in given.stderr


def test_no_control_character_of_a_name_reaches_the_terminal(new_log, files):
    given = provlog("append", new_log().folder, "ev\x1b[2Kil", "no\x1b[2Kne")
    assert "\x1b" not in given.output
    assert "0  ev\\x1b[2Kil" in given.stdout


def test_a_record_is_given_as_json_or_as_canonical_cbor(new_log, files):
    log = new_log(kind="record")
    assert done("append", log.folder, "run.json", "run.cbor").startswith("2  run.json")
    first, second = (Entry.parse(each) for each in entries_of(log.folder)[FIRST:])
    assert first.body == encode_record(parse_record_json(RECORD))
    assert second.body == (files / "run.cbor").read_bytes()
    assert first.by == second.by == log.charter.operator


def test_the_same_record_has_the_same_index_however_its_json_is_laid_out(
    new_log, files
):
    log = new_log(kind="record")
    said = done("append", log.folder, "run.json", "same.json")
    assert said == "2  run.json\n2  same.json  already logged\n"


def test_rules_larger_than_a_batch_may_be_are_told_and_the_rest_is_logged(
    new_log, tmp_path
):
    log = new_log(kind="record", older=True, settings="batch_bytes = 20000\n")
    (tmp_path / "run.json").write_bytes(record_text(1))
    given = provlog("append", log.folder, tmp_path / "run.json")
    assert given.stdout == f"1  {tmp_path / 'run.json'}\n"
    assert "warning: the rules for records are not in the log" in given.stderr


@pytest.mark.parametrize(
    ("file", "check"),
    [("other.json", "conflict"), ("bad.json", "schema"), ("one", "form")],
)
def test_a_record_that_cannot_be_logged_is_refused_by_name(new_log, files, file, check):
    log = new_log(kind="record")
    given = provlog("append", log.folder, "run.json", file, "run.cbor")
    assert given.exit_code == 1
    assert given.stdout == "2  run.json\n3  run.cbor\n"
    assert f"{file}: refused: {check}: " in given.stderr


def kinds_of(folder):
    """What each entry of the log in `folder` is."""
    return [line.split("  ")[3] for line in done("list", folder).splitlines()]


def test_in_an_older_log_the_schema_is_entered_before_the_first_record(new_log, files):
    log = new_log(kind="record", older=True)
    assert done("append", log.folder, "run.json") == "2  run.json\n"
    assert done("append", log.folder, "run.cbor") == "3  run.cbor\n"
    own, record = ["genesis", "schema.publish"], "capture.heartbeat"
    assert kinds_of(log.folder) == [*own, record, record]


def test_a_statement_is_a_file_and_never_a_line(new_log, files):
    log = new_log(kind="statement")
    with log.open() as opened:
        opened.register(added())
    (files / "statement").write_bytes(sign1())
    assert done("append", log.folder, "statement") == "1  statement\n"
    assert provlog("append", log.folder, "--lines", "one").exit_code == 2


# Lines


def test_lines_end_at_lf_and_at_nothing_else(new_log, files):
    log = new_log()
    lines = [
        b"a\r",
        "b\u2028c\u0085d".encode(),
        b"",
        b"e\x0bf\x0c",
        b"no LF at the end",
    ]
    (files / "lines").write_bytes(b"\n".join(lines))
    assert done("append", log.folder, "--lines", "lines") == "0 to 4\n"
    assert entries_of(log.folder) == lines


def test_an_lf_at_the_end_begins_no_line(new_log, files):
    log = new_log()
    (files / "lines").write_bytes(b"a\n\n")
    assert done("append", log.folder, "--lines", "lines") == "0 to 1\n"
    assert entries_of(log.folder) == [b"a", b""]


def test_nothing_is_logged_of_an_empty_file(new_log, files):
    (files / "lines").touch()
    assert done("append", new_log().folder, "--lines", "lines") == ""


def test_refused_lines_are_named_by_their_numbers(new_log, files):
    log = new_log(kind="record")
    lines = [record_text(1), b"{}", record_text(2), b"x" * 200_000, record_text(1)]
    (files / "lines").write_bytes(b"\n".join(lines))
    given = provlog("append", log.folder, "--lines", "lines")
    assert given.exit_code == 1
    assert given.stdout == "2  line 5  already logged\n2 to 3\n"
    assert "line 2: refused: schema: " in given.stderr
    assert "line 4: refused: size: more than 130000 bytes" in given.stderr


def test_a_batch_has_at_most_4096_lines(new_log, files):
    log = new_log()
    (files / "lines").write_bytes(b"line\n" * 10_000)
    said = done("append", log.folder, "--lines", "lines")
    assert said == "0 to 4095\n4096 to 8191\n8192 to 9999\n"


def test_a_batch_has_at_most_4_mib(new_log, files):
    log = new_log()
    (files / "lines").write_bytes((b"x" * 60_000 + b"\n") * 70)
    said = done("append", log.folder, "--lines", "lines")
    assert said == "0 to 68\n69\n"


@pytest.mark.parametrize("settings", ["pool_entries = 3", "pool_bytes = 20"])
def test_a_pool_that_is_smaller_than_a_batch_is_enough(new_log, files, settings):
    log = new_log(settings=settings)
    (files / "lines").write_bytes(b"line\n" * 50)
    assert done("append", log.folder, "--lines", "lines").endswith(" to 49\n")


def test_what_is_larger_than_the_pool_is_refused(new_log, files):
    log = new_log(settings="pool_bytes = 5")
    given = provlog("append", log.folder, "one", "two")
    assert (given.exit_code, given.stdout) == (1, "0  one\n")
    assert "two: refused: size: " in given.stderr


def test_a_line_without_an_end_is_not_kept_in_memory(files):
    with open(files / "lines", "wb") as file:
        file.truncate(64 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b"\nshort")
    tracemalloc.start()
    try:
        with FileIO(files / "lines") as file:
            large, short = read_lines(file, records=False)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(large, Input)
    assert (large.where, large.data.check) == (1, "size")
    assert short == Input(2, b"short")
    assert peak < 2 << 20


def test_two_batches_are_under_way_and_no_third(new_log, monkeypatch):
    with new_log().open() as log:
        orders = []
        submit = log.submit

        def counted(admitted):
            orders.append(submit(admitted))
            assert sum(each not in settled for each in orders) <= 2
            return orders[-1]

        settled = []
        monkeypatch.setattr(log, "submit", counted)
        sender = Sender(log, lambda _: settled.append(orders[len(settled)]))
        for number in range(5):
            sender.add(number, log.admission.admit(b"%d" % number, by="p"))
            sender.send()
        assert len(settled) == 3
        sender.settle()
        assert settled == orders


def test_lines_that_cannot_be_opened_are_said_and_nothing_else(new_log, files):
    given = provlog("append", new_log().folder, "--lines", "absent")
    assert given.exit_code == 2
    assert given.stderr == "provlog: error: absent: No such file or directory\n"


def test_a_record_has_one_limit_and_what_is_read_another(new_log, files):
    (files / "long.json").write_bytes(record_text(1, note="x" * 130_000))
    given = provlog("append", new_log(kind="record").folder, "long.json")
    assert "130000 bytes, and a record has at most 65000 in CBOR" in given.stderr


# For programs


def test_of_a_conflict_a_program_is_told_where_the_first_one_stands(new_log, files):
    log = new_log(kind="record")
    done("append", log.folder, "run.json")
    found = provlog("append", log.folder, "--json", "other.json").stdout
    refused = json.loads(found)
    assert (refused["refused"], refused["index"]) == ("conflict", FIRST)


def test_a_program_gets_one_object_a_line(new_log, files):
    log = new_log(kind="record")
    (files / "lines").write_bytes(b"\n".join([RECORD, b"{}", record_text(2), RECORD]))
    given = provlog("append", log.folder, "--json", "--lines", "lines")
    assert given.exit_code == 1
    refused, repeated, new = map(json.loads, given.stdout.splitlines())
    assert (refused["line"], refused["refused"]) == (2, "schema")
    assert repeated == {"line": 4, "index": FIRST, "repeated": True}
    assert new == {"start": FIRST, "stop": FIRST + 2}
    given = provlog("append", log.folder, "--json", "run.json")
    assert json.loads(given.stdout) == {
        "file": "run.json",
        "index": FIRST,
        "repeated": True,
    }
