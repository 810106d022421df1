"""A bundle is one JSON file that holds all a claim needs, and no word on trust."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.recordlog import CLOSED, OPENED, true_bundle
from tests.spoiling import DROP, replaced
from verifier import Bundle, MalformedError
from verifier.bundle import MAX_BYTES, MAX_OPENINGS, Before, parse_proof
from verifier.receipt import MAX_HASHES

TRUE = true_bundle()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def document() -> Any:
    return json.loads(TRUE.encode())


def spoiled(*path: str | int, to: object) -> bytes:
    """The true bundle as JSON, with the value at `path` replaced or dropped."""
    return json.dumps(replaced(document(), *path, to=to)).encode()


# What it is


def test_a_bundle_is_read_as_it_is_written():
    assert Bundle.parse(TRUE.encode()) == TRUE


def test_what_is_optional_may_be_missing():
    bare = replace(TRUE, openings=(), before=None)
    assert set(json.loads(bare.encode())) == {"schema", "entry", "receipt"}
    assert Bundle.parse(bare.encode()) == bare


def test_an_empty_list_of_openings_is_none():
    assert Bundle.parse(spoiled("openings", to=[])).openings == ()


def test_its_bytes_are_those_that_were_hashed_and_signed():
    found = document()
    assert base64.b64decode(found["entry"]) == TRUE.entry
    assert base64.b64decode(found["receipt"]) == TRUE.receipt.encode()
    assert base64.b64decode(found["before"]["checkpoint"]) == TRUE.before.checkpoint


def test_a_person_can_read_it_and_its_openings():
    assert b'\n      "value": "What is owed?"\n' in TRUE.encode()
    assert "schuldet" in replace(
        TRUE, openings=(replace(OPENED, value="Wer schuldet?"),)
    ).encode().decode("utf-8")


def test_text_beyond_ascii_survives():
    sealed = replace(TRUE, openings=(OPENED, replace(CLOSED, value="Zoë ☂ \u202e")))
    assert Bundle.parse(sealed.encode()) == sealed


# What it is not


@pytest.mark.parametrize(
    ("path", "to", "named"),
    [
        (["schema"], DROP, "does not say"),
        (["schema"], "provlog/bundle/2", "does not say"),
        (["schema"], "provlog/misbehaviour/1", "does not say"),
        (["schema"], 1, "does not say"),
        (["entry"], DROP, '"entry" that is text'),
        (["entry"], [], '"entry" that is text'),
        (["entry"], "AB==", "the entry is base64, but not"),
        (["entry"], "_-8=", "the entry is not base64"),
        (["entry"], b64(bytes(65_536)), "at most 65535 bytes"),
        (["receipt"], DROP, '"receipt" that is text'),
        (["receipt"], "", "the first line is not"),
        (["receipt"], b64(b"c2sp.org/tlog-proof@v2\n"), "the first line is not"),
        (["receipt"], {}, '"receipt" that is text'),
        (["receipt"], "\u00e4", "the receipt is not base64"),
        (["openings"], {}, '"openings" that is a list'),
        (["openings"], ["prompt"], "an opening is not an object"),
        (["openings", 0, "salt"], DROP, '"salt" that is text'),
        (["openings", 0, "value"], None, "null"),
        (["openings", 0, "value"], 1.5, "no integer"),
        (["openings", 0, "digest"], "", "nobody reads"),
        (["before"], None, "null"),
        (["before"], [], '"before" that is an object'),
        (["before"], "", '"before" that is an object'),
        (["before", "checkpoint"], DROP, '"checkpoint" that is text'),
        (["before", "checkpoint"], "!", "the earlier checkpoint is not base64"),
        (["before", "proof"], DROP, '"proof" that is a list'),
        (["before", "proof", 0], 1, "base64 texts"),
        (["before", "proof", 0], b64(bytes(31)), "31 bytes long"),
        (["before", "index"], 0, "nobody reads"),
        (["key"], "log.example+00000000+AQ==", "nobody reads"),
        (["policy"], "quorum none\n", "nobody reads"),
        (["Entry"], "", "nobody reads"),
    ],
    ids=lambda each: "dropped" if each is DROP else str(each)[:40],
)
def test_a_bundle_of_another_form_is_refused(path, to, named):
    with pytest.raises(MalformedError, match=named):
        Bundle.parse(spoiled(*path, to=to))


def test_a_member_stands_once():
    twice = TRUE.encode().replace(b"{", b'{"entry": "",', 1)
    with pytest.raises(MalformedError, match="twice"):
        Bundle.parse(twice)


def test_the_largest_entry_is_read():
    found = Bundle.parse(spoiled("entry", to=b64(bytes(65_535))))
    assert len(found.entry) == 65_535


def test_openings_are_counted_before_they_are_read():
    with pytest.raises(MalformedError, match="more than 1024 openings"):
        Bundle.parse(spoiled("openings", to=[1] * (MAX_OPENINGS + 1)))


def test_a_bundle_is_bounded_before_it_is_read():
    with pytest.raises(MalformedError, match="at most"):
        Bundle.parse(b"{" + b" " * MAX_BYTES)


@pytest.mark.parametrize("stop", [0, 1, 100, len(TRUE.encode()) - 3])
def test_a_bundle_that_was_cut_off_is_refused(stop):
    with pytest.raises(MalformedError, match="strict JSON"):
        Bundle.parse(TRUE.encode()[:stop])


def test_nothing_follows_the_bundle():
    with pytest.raises(MalformedError, match="strict JSON"):
        Bundle.parse(TRUE.encode() + b"{}")


# The earlier checkpoint and its proof


def test_a_proof_has_at_most_one_hash_more_than_the_longest_path():
    hashes = [b64(bytes(32))] * (MAX_HASHES + 2)
    assert len(parse_proof(hashes[:-1])) == MAX_HASHES + 1
    with pytest.raises(MalformedError, match="at most 64"):
        parse_proof(hashes)


def test_an_earlier_checkpoint_without_hashes_is_kept():
    bare = replace(TRUE, before=Before(checkpoint=b"", proof=()))
    assert Bundle.parse(bare.encode()) == bare
