"""What a log enters itself is read strictly, and shown to whoever asks."""

from typing import Any

import pytest

from verifier.entry import Entry
from verifier.errors import MalformedError
from verifier.explain import explain
from verifier.own import MEDIA_TYPE, check_own, encode_own, parse_own
from verifier.report import Report

GENESIS = {
    "kind": "genesis",
    "format": "provlog/1",
    "origin": "log.example/own",
    "genesis": bytes(16),
    "entries": "record",
    "keys": [],
}


def own_entry(**changes: Any) -> Entry:
    """A genesis of the log itself, with something changed."""
    members: dict[str, Any] = {
        "at": 1_790_000_000_000,
        "by": "log",
        "type": MEDIA_TYPE,
        "body": encode_own(GENESIS),
    }
    return Entry(**members | changes)


def test_what_was_written_is_read():
    assert parse_own(own_entry()) == GENESIS


def test_nobody_else_speaks_for_the_log():
    with pytest.raises(MalformedError, match="own entries"):
        parse_own(own_entry(by="o-1"))


def test_another_media_type_is_something_else():
    with pytest.raises(MalformedError, match="own entries"):
        parse_own(own_entry(type="application/cbor"))


@pytest.mark.parametrize("own", [[], {}, {"kind": 1}])
def test_there_is_always_a_kind(own):
    with pytest.raises(MalformedError, match="a map with a kind"):
        check_own(own)


@pytest.mark.parametrize("name", sorted(GENESIS.keys() - {"kind"}))
def test_a_known_kind_has_all_its_members(name):
    with pytest.raises(MalformedError, match=name):
        check_own({each: GENESIS[each] for each in GENESIS if each != name})


def test_a_kind_of_a_newer_log_is_no_error():
    assert check_own({"kind": "index.root"}) == {"kind": "index.root"}


def test_it_is_explained():
    report = Report()
    explain(own_entry().encode(), report)
    assert "origin: 'log.example/own'" in report.text()
