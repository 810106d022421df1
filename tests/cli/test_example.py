"""An example of each kind is a record that the log takes as it is."""

import json

import pytest

from ledger.schema.kinds import KINDS
from tests.cli.operating import done, provlog


def test_each_kind_is_listed_with_what_it_says_happened():
    listed = done("example").splitlines()
    assert [line.split()[0] for line in listed] == list(KINDS)
    assert all(len(line.split()) > 2 for line in listed)


def test_an_example_of_each_kind_is_logged_as_it_is(new_log, tmp_path):
    folder = new_log(kind="record").folder
    for kind in KINDS:
        (tmp_path / kind).write_text(done("example", kind))
    said = done("append", folder, *(tmp_path / kind for kind in KINDS))
    assert len(said.splitlines()) == len(KINDS)


def test_it_is_a_new_record_each_time():
    ids = [json.loads(done("example", "inference"))["id"] for _ in range(2)]
    assert ids[0] < ids[1]


@pytest.mark.parametrize("kind", ["run", "x-vendor.kind", "\x1b[31m"])
def test_of_a_kind_that_is_none_it_is_said_where_they_are_listed(kind):
    given = provlog("example", kind)
    assert given.exit_code == 1
    assert "provlog example lists all there are" in given.stderr
    assert "\x1b" not in given.stderr
