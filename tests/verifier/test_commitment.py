"""A commitment opens to one value, at one path, in one record, with one salt."""

import json
from dataclasses import replace
from hashlib import sha256

import cbor2
import pytest

from tests.recordlog import CLOSED, OPENED, committed, record, record_id
from verifier import MalformedError
from verifier.commitment import Opening, commitment, verify_openings
from verifier.errors import OpeningError
from verifier.record import (
    MAX_PATH,
    commitments_of,
    encode_record,
    parse_record,
    parse_record_json,
)

TRUE = record(6)
DOCUMENT = {"path": ["prompt", "text"], "salt": "A" * 42 + "A=", "value": "x"}


def refuse(spoiled, named):
    """What no opening could be held against is no record, wherever it is read."""
    for read, given in (
        (commitments_of, spoiled),
        (encode_record, spoiled),
        (parse_record, cbor2.dumps(spoiled, canonical=True)),
        (parse_record_json, json.dumps(spoiled).encode()),
    ):
        with pytest.raises(MalformedError, match=named):
            read(given)


# The hash


def test_a_commitment_is_the_hash_of_five_things_as_cbor():
    body = cbor2.dumps(
        ["provlog/commitment/1", bytes(range(32)), record_id(6), ["user", 0], [True, 7]]
    )
    assert (
        commitment(
            salt=bytes(range(32)),
            record_id=record_id(6),
            path=("user", 0),
            value=[True, 7],
        )
        == sha256(body).digest()
    )


@pytest.mark.parametrize(
    "other",
    [
        {"salt": bytes(31) + b"\x01"},
        {"record_id": record_id(7)},
        {"path": ("user", 1)},
        {"path": ("user", "0")},
        {"path": ("user",)},
        {"path": ("user", 0, 0)},
        {"value": "x"},
        {"value": True},
        {"value": "1"},
        {"value": [1]},
    ],
)
def test_each_of_the_five_makes_another_commitment(other):
    true = {
        "salt": bytes(32),
        "record_id": record_id(6),
        "path": ("user", 0),
        "value": 1,
    }
    assert commitment(**true) != commitment(**true | other)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_salt_has_32_bytes(size):
    with pytest.raises(MalformedError, match="a salt has 32 bytes"):
        commitment(salt=bytes(size), record_id=record_id(6), path=("a",), value=1)


@pytest.mark.parametrize("value", [None, 1.5, 2**53, b"bytes", ["deep", {"er": None}]])
def test_a_committed_value_is_one_that_records_have(value):
    with pytest.raises(MalformedError, match="committed value"):
        commitment(salt=bytes(32), record_id=record_id(6), path=("a",), value=value)


# What a record carries


def test_a_record_may_carry_none():
    assert commitments_of({"id": record_id(6)}) == {}


def test_the_commitments_are_found_by_path():
    assert list(commitments_of(TRUE)) == [OPENED.path, CLOSED.path]


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        ({}, "not a list"),
        ("none", "not a list"),
        (["prompt"], "not an object"),
        ([{"digest": "sha256:" + "00" * 32}], "path"),
        ([{"path": ["a"]}], "digest"),
        ([{"path": "a", "digest": "sha256:" + "00" * 32}], "path"),
        ([{"path": [], "digest": "sha256:" + "00" * 32}], "1 to 16 steps"),
        ([{"path": ["a"], "digest": "00" * 32}], "digest"),
        ([{"path": ["a"], "digest": "sha256:" + "00" * 32, "salt": ""}], "nobody"),
        (committed(6, OPENED, OPENED), "two commitments for the same path"),
    ],
)
def test_commitments_of_another_form_are_refused(listed, named):
    refuse(TRUE | {"commitments": listed}, named)


# Opening them


def test_a_true_opening_opens_and_the_others_stay_closed():
    assert verify_openings(TRUE, [OPENED]) == [CLOSED.path]
    assert verify_openings(TRUE, [OPENED, CLOSED]) == []


def test_a_record_whose_values_were_erased_holds_all_the_same():
    assert verify_openings(TRUE, []) == [OPENED.path, CLOSED.path]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"value": "What is owed"},
        {"value": ["What is owed?"]},
        {"value": True},
        {"salt": bytes(32)},
        {"path": CLOSED.path},
    ],
)
def test_another_value_salt_or_path_does_not_open_it(spoiled):
    with pytest.raises(OpeningError, match="does not lead to the commitment"):
        verify_openings(TRUE, [replace(OPENED, **spoiled)])


def test_the_opening_of_another_record_does_not_open_it():
    moved = TRUE | {"id": record_id(7)}
    with pytest.raises(OpeningError, match="does not lead to the commitment"):
        verify_openings(moved, [OPENED])


@pytest.mark.parametrize("path", [("prompt",), ("prompt", "text", 0), ("outputs", 0)])
def test_nothing_opens_where_no_commitment_is(path):
    with pytest.raises(OpeningError, match="no commitment at"):
        verify_openings(TRUE, [replace(OPENED, path=path)])


def test_a_position_is_not_a_name():
    with pytest.raises(OpeningError, match="no commitment at user/"):
        verify_openings(TRUE, [replace(CLOSED, path=("user", "0"))])


def test_a_commitment_is_opened_once():
    with pytest.raises(OpeningError, match="stands twice"):
        verify_openings(TRUE, [OPENED, OPENED])


def test_a_salt_of_another_length_opens_nothing():
    with pytest.raises(MalformedError, match="a salt has 32 bytes"):
        verify_openings(TRUE, [replace(OPENED, salt=bytes(16))])


# Openings as they are written


@pytest.mark.parametrize("opening", [OPENED, CLOSED, replace(OPENED, value={"a": [1]})])
def test_an_opening_is_read_as_it_is_written(opening):
    assert Opening.parse(opening.document()) == opening


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"path": None}, '"path" that is a list'),
        ({"path": "prompt/text"}, '"path" that is a list'),
        ({"path": []}, "1 to 16 steps"),
        ({"path": ["a"] * (MAX_PATH + 1)}, "1 to 16 steps"),
        ({"path": ["a", -1]}, "neither a name nor a position"),
        ({"path": ["a", True]}, "neither a name nor a position"),
        ({"path": ["a", ["b"]]}, "neither a name nor a position"),
        ({"salt": None}, '"salt" that is text'),
        ({"salt": "not base64!"}, "a salt is not base64"),
        ({"value": None}, "an opening has no value"),
        ({"digest": "sha256:"}, "nobody reads"),
    ],
)
def test_an_opening_of_another_form_is_refused(change, named):
    spoiled = {k: v for k, v in (DOCUMENT | change).items() if v is not None}
    with pytest.raises(MalformedError, match=named):
        Opening.parse(spoiled)


def test_an_opening_is_an_object():
    with pytest.raises(MalformedError, match="not an object"):
        Opening.parse(["prompt", "text"])


def test_the_longest_path_is_read():
    document = DOCUMENT | {"path": ["a", 0] * (MAX_PATH // 2)}
    assert len(Opening.parse(document).path) == MAX_PATH


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        ([["a"], ["a", "b"]], "inside another"),
        ([["a", 0, "c"], ["a"]], "inside another"),
        ([["id"]], "openly"),
        ([["commitments", 0]], "openly"),
        ([["notes", 1]], "openly"),
        ([["notes", 0, "text"]], "openly"),
    ],
    ids=str,
)
def test_what_is_sealed_stands_nowhere_else(paths, named):
    record = {"id": record_id(6), "notes": [{"text": "open"}, "two"]}
    record["commitments"] = [
        {"path": path, "digest": f"sha256:{64 * '0'}"} for path in paths
    ]
    refuse(record, named)


def test_sealed_values_may_stand_side_by_side_and_where_nothing_is():
    paths = [["a", "b"], ["a", "c"], ["notes", 2], ["notes", "text"], ["id", "b"]]
    record = {"id": record_id(6), "notes": ["one", "two"]}
    record["commitments"] = [
        {"path": path, "digest": f"sha256:{64 * '0'}"} for path in paths
    ]
    assert [list(path) for path in commitments_of(record)] == paths
    assert parse_record(encode_record(record)) == record


def test_commitments_whose_paths_would_look_alike_are_told_apart():
    paths = [("a", "b"), ("a/b",), ("c", 0), ("c", "0"), ('"d"',), ("d",)]
    made = [
        Opening(path=path, salt=bytes([at] * 32), value=at)
        for at, path in enumerate(paths)
    ]
    record = {"id": record_id(6), "commitments": committed(6, *made)}
    assert list(commitments_of(record)) == paths
    for opening in made:
        rest = [path for path in paths if path != opening.path]
        assert verify_openings(record, [opening]) == rest
    for one, other in ((0, 1), (2, 3), (4, 5)):
        with pytest.raises(OpeningError, match="does not lead to the commitment"):
            verify_openings(record, [replace(made[one], path=paths[other])])


def test_two_openings_have_two_salts():
    made = [Opening(path=(name,), salt=bytes(32), value=1) for name in "ab"]
    with pytest.raises(OpeningError, match="same salt"):
        verify_openings({"id": record_id(6), "commitments": []}, made)
