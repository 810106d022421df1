"""A record is one JSON object and one CBOR map, and each gives the other."""

import json

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import MalformedError, cbor
from verifier.entry import MAX_BODY_BYTES
from verifier.record import (
    check_record,
    encode_record,
    parse_record,
    parse_record_json,
    texts,
)
from verifier.spelling import digest_text, parse_digest

ID = "01a0c54a-5ad0-7aa2-bf0c-d051085a3e8f"
TRUE = {"id": ID, "kind": "inference", "usage": {"input": 12}, "tags": ["a", True]}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.one_of(TEXT, st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)
    ),
    max_leaves=12,
)
RECORDS = st.dictionaries(TEXT, VALUES, max_size=5).map(lambda each: each | {"id": ID})


# One to one


@given(RECORDS)
def test_a_record_is_the_same_as_json_and_as_cbor(record):
    body = encode_record(parse_record_json(json.dumps(record).encode()))
    assert parse_record(body) == record
    assert encode_record(parse_record(body)) == body
    again = json.dumps(parse_record(body), ensure_ascii=False).encode()
    assert encode_record(parse_record_json(again)) == body


@given(RECORDS)
def test_strangers_read_the_same_from_its_cbor(record):
    assert cbor2.loads(encode_record(record)) == record


def test_the_order_and_the_spaces_of_the_json_do_not_matter():
    one = b'{"id":"%b","a":1,"bb":2}' % ID.encode()
    other = b'{ "bb" : 2,\n"a" : 1, "id" : "%b" }' % ID.encode()
    assert encode_record(parse_record_json(one)) == encode_record(
        parse_record_json(other)
    )


def test_true_is_not_1_and_1_is_not_text():
    forms = {encode_record(TRUE | {"n": value}) for value in (True, 1, "1", [1])}
    assert len(forms) == 4


def test_text_is_not_normalised():
    composed, decomposed = ({"id": ID, "n": text} for text in ("é", "e\u0301"))
    assert encode_record(composed) != encode_record(decomposed)


# What is no record


@pytest.mark.parametrize(
    ("member", "named"),
    [
        (b"null", "null"),
        (b"1.5", "no integer"),
        (b"1e3", "no integer"),
        (b"1.0", "no integer"),
        (b"-0", "negative zero"),
        (b"NaN", "no integer"),
        (b"Infinity", "no integer"),
        (b"9007199254740992", "2.53"),
        (b"-9007199254740992", "2.53"),
        (b"1" * 5000, "2.53"),
        (rb'"\ud800"', "Unicode"),
        (rb'{"\udfff": 1}', "Unicode"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b"[" * 17 + b"]" * 17, "deep"),
        (b"[" * 60_000 + b"]" * 60_000, "deep"),
        (b"'single'", "strict JSON"),
        (b"\xff", "strict JSON"),
    ],
)
def test_json_that_has_no_place_in_records_is_refused(member, named):
    text = b'{"id": "%b", "n": %b}' % (ID.encode(), member)
    with pytest.raises(MalformedError, match=named):
        parse_record_json(text)


@pytest.mark.parametrize(
    "value",
    [
        None,
        2**53,
        -(2**53),
        b"bytes",
        {1: "a name that is a number"},
        {"deep": [{"er": None}]},
    ],
)
def test_cbor_that_has_no_place_in_records_is_refused(value):
    with pytest.raises(MalformedError):
        parse_record(cbor.encode(TRUE | {"n": value}))


@pytest.mark.parametrize(
    "member", [1.5, float("nan"), cbor2.CBORTag(0, "2026-11-20T00:00:00Z"), 2**64]
)
def test_cbor_that_json_cannot_say_is_refused(member):
    with pytest.raises(MalformedError):
        parse_record(cbor2.dumps({"n": member, "id": ID}))


@pytest.mark.parametrize("value", [[], [TRUE], "record", 1, True])
def test_a_record_is_an_object(value):
    with pytest.raises(MalformedError, match="object"):
        parse_record(cbor.encode(value))
    with pytest.raises(MalformedError, match="object"):
        parse_record_json(json.dumps(value).encode())


def test_a_record_as_json_is_bounded_before_it_is_read():
    with pytest.raises(MalformedError, match="at most"):
        parse_record_json(b" " * (2 * MAX_BODY_BYTES + 1))


def test_who_gives_a_float_is_told_what_to_write_instead():
    with pytest.raises(MalformedError, match=r"a float, .*; write decimals as text"):
        encode_record(TRUE | {"n": 1.5})


def test_a_record_that_no_entry_can_hold_is_not_encoded():
    with pytest.raises(MalformedError):
        encode_record(TRUE | {"n": "x" * MAX_BODY_BYTES})


# Its id


def test_the_id_is_any_uuid_of_version_7():
    for variant in "89ab":
        check_record({"id": f"01a0c54a-5ad0-7aa2-{variant}f0c-d051085a3e8f"})


@pytest.mark.parametrize(
    "wrong",
    [
        ID.upper(),
        ID.replace("-7", "-4"),
        ID.replace("-b", "-c"),
        ID.replace("-", ""),
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        f"{ID}\n",
        f" {ID}",
        ID.replace("0", "\u0660"),
        "",
        7,
        True,
        [ID],
        {"id": ID},
    ],
)
def test_any_other_id_is_refused(wrong):
    with pytest.raises(MalformedError, match="UUIDv7"):
        check_record(TRUE | {"id": wrong})


def test_a_record_without_an_id_is_none_and_it_is_said_where_ids_are_made():
    with pytest.raises(MalformedError, match=r"has no id.*a new UUIDv7, as provlog id"):
        check_record({"kind": "inference"})


# Digests and texts


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_is_read_as_it_is_written(digest):
    assert parse_digest(digest_text(digest)) == digest


@pytest.mark.parametrize(
    "wrong",
    [
        "ab" * 32,
        "sha256:" + "AB" * 32,
        "sha256:" + "ab" * 31,
        "sha256:" + "ab" * 33,
        "SHA256:" + "ab" * 32,
        "sha256:" + "ab" * 32 + "\n",
        "sha512:" + "ab" * 64,
        "sha256:" + "\u0660" * 64,
        b"sha256:" + b"ab" * 32,
        None,
    ],
)
def test_a_digest_has_one_spelling(wrong):
    with pytest.raises(MalformedError, match="digest"):
        parse_digest(wrong)


def test_every_text_is_found_with_the_path_to_it():
    value = {"a": "x", "b": [{"c": "y"}, "z", 1, True], "d": {}}
    assert dict(texts(value)) == {("a",): "x", ("b", 0, "c"): "y", ("b", 1): "z"}
    assert dict(texts("alone")) == {(): "alone"}


def test_the_texts_come_in_the_order_in_which_they_stand():
    value = {"b": ["1", {"z": "2", "a": ["3"]}, "4"], "a": "5"}
    assert [text for _, text in texts(value)] == ["1", "2", "3", "4", "5"]
