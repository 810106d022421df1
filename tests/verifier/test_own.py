"""What a log enters itself is read strictly, and shown to whoever asks."""

from contextlib import nullcontext
from hashlib import sha256
from typing import Any

import pytest

from verifier.entry import Entry
from verifier.errors import MalformedError
from verifier.explain import explain
from verifier.own import MEDIA_TYPE, RULES_APPLY, check_own, encode_own, parse_own
from verifier.report import Report

GENESIS = {
    "kind": "genesis",
    "format": "provlog/1",
    "origin": "log.example/own",
    "genesis": bytes(16),
    "entries": "record",
    "keys": [],
}
TEXT = '{"title":"a record of \u00e4nything"}'
SCHEMA = {
    "kind": "schema.publish",
    "schema": "provlog/record/1",
    "digest": f"sha256:{sha256(TEXT.encode()).hexdigest()}",
    "json_schema": TEXT,
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


@pytest.mark.parametrize(
    ("own", "name"),
    [
        (own, name)
        for own in (GENESIS, SCHEMA)
        for name in sorted(own.keys() - {"kind"})
    ],
)
def test_a_known_kind_has_all_its_members(own, name):
    with pytest.raises(MalformedError, match=f" has no {name},"):
        check_own({each: own[each] for each in own if each != name})


def test_a_schema_is_known_by_the_digest_of_its_text():
    assert parse_own(own_entry(body=encode_own(SCHEMA))) == SCHEMA


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("json_schema", TEXT + "\n"),
        ("json_schema", ""),
        ("digest", f"sha256:{64 * '0'}"),
        ("digest", SCHEMA["digest"].upper()),
        ("digest", SCHEMA["digest"].removeprefix("sha256:")),
    ],
    ids=["another text", "no text", "another digest", "upper case", "no algorithm"],
)
def test_a_schema_whose_digest_is_not_that_of_its_text_is_none(name, value):
    with pytest.raises(MalformedError, match="the digest is not that of the text"):
        check_own({**SCHEMA, name: value})


def test_a_kind_of_a_newer_log_is_no_error():
    assert check_own({"kind": "index.root"}) == {"kind": "index.root"}


def test_it_is_explained():
    report = Report()
    explain(own_entry().encode(), report)
    assert "origin: 'log.example/own'" in report.text()


def test_what_is_numbered_begins_with_0():
    for number, holds in ((0, True), (-1, False)):
        own = {"kind": RULES_APPLY, "number": number, "profiles": []}
        with nullcontext() if holds else pytest.raises(MalformedError, match="below 0"):
            check_own(own)
