"""A document is one JSON object of the records' data model, and nothing beside it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import MalformedError
from verifier.document import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_VALUES,
    check_members,
    check_value,
    member,
    parse_document,
)

VALUES = st.recursive(
    st.booleans() | st.text(max_size=8) | st.integers(-MAX_INTEGER, MAX_INTEGER),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


def read(text: bytes | str, most: int = 1 << 20) -> dict:
    data = text if isinstance(text, bytes) else text.encode()
    return parse_document(data, "the file", most=most)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4), st.booleans())
def test_a_document_is_read_as_it_was_written(value, ascii_only):
    assert read(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize(
    ("text", "match"),
    [
        pytest.param('{"a":1,"a":2}', "same member twice", id="a member twice"),
        pytest.param('{"a":1,"\\u0061":1}', "same member twice", id="twice, escaped"),
        pytest.param('{"b":{"a":1,"a":1}}', "same member twice", id="twice, inside"),
        pytest.param('{"a":NaN}', "NaN is no integer", id="NaN"),
        pytest.param('{"a":Infinity}', "Infinity is no integer", id="Infinity"),
        pytest.param('{"a":-Infinity}', "-Infinity is no integer", id="-Infinity"),
        pytest.param('{"a":1.0}', "1.0 is no integer", id="float"),
        pytest.param('{"a":1e2}', "1e2 is no integer", id="exponent"),
        pytest.param('{"a":1e999}', "1e999 is no integer", id="beyond doubles"),
        pytest.param('{"a":-0}', "negative zero", id="negative zero"),
        pytest.param('{"a":null}', "has null", id="null"),
        pytest.param('{"a":9007199254740992}', "beyond", id="2^53"),
        pytest.param('{"a":-9007199254740992}', "beyond", id="-2^53"),
        pytest.param('{"a":99999999999999999}', "beyond", id="seventeen digits"),
        pytest.param('{"a":999999999999999999}', "beyond", id="eighteen digits"),
        pytest.param('{"a":01}', "not strict JSON", id="leading zero"),
        pytest.param('{"a":+1}', "not strict JSON", id="plus"),
        pytest.param('{"a":"\\ud800"}', "not valid Unicode", id="high surrogate"),
        pytest.param('{"a":"\\udc00x"}', "not valid Unicode", id="low surrogate"),
        pytest.param('{"\\ud800":1}', "not valid Unicode", id="surrogate in a name"),
        pytest.param('{"a":["\\udfff"]}', "not valid Unicode", id="inside a list"),
        pytest.param('{"a":"\t"}', "not strict JSON", id="a raw control character"),
        pytest.param('{"a":1}{"b":2}', "not strict JSON", id="a second document"),
        pytest.param('{"a":1}x', "not strict JSON", id="something behind"),
        pytest.param('{"a":1,}', "not strict JSON", id="a trailing comma"),
        pytest.param("{'a':1}", "not strict JSON", id="single quotes"),
        pytest.param('{"a":1 /* */}', "not strict JSON", id="a comment"),
        pytest.param('\ufeff{"a":1}', "not strict JSON", id="a byte order mark"),
        pytest.param('\u00a0{"a":1}', "not strict JSON", id="a space beyond ASCII"),
        pytest.param("", "not strict JSON", id="nothing"),
        pytest.param("[]", "not a JSON object", id="a list"),
        pytest.param('"a"', "not a JSON object", id="a text"),
        pytest.param("1", "not a JSON object", id="a number"),
        pytest.param("null", "not a JSON object", id="null alone"),
    ],
)
def test_what_python_would_read_generously_is_refused(text, match):
    with pytest.raises(MalformedError, match=match):
        read(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_only_utf_8_is_read(encoding):
    with pytest.raises(MalformedError, match="not strict JSON"):
        read('{"a": "é"}'.encode(encoding))


@pytest.mark.parametrize("data", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5"])
def test_broken_utf_8_is_refused(data):
    with pytest.raises(MalformedError, match="not strict JSON"):
        read(b'{"a":"' + data + b'"}')


def test_a_pair_of_surrogates_is_a_character():
    assert read('{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_spellings_that_look_alike_are_different_names():
    assert len(read('{"\u00e9":1,"e\u0301":2}')) == 2


@pytest.mark.parametrize("number", [0, 1, -1, MAX_INTEGER, -MAX_INTEGER])
def test_integers_that_every_language_can_hold_are_read(number):
    assert read(f'{{"a":{number}}}') == {"a": number}


def test_true_is_no_integer_and_one_is_not_true():
    assert read('{"a":true,"b":1}')["a"] is True
    with pytest.raises(MalformedError, match='"a" that is an integer'):
        member({"a": True}, "a", int, "the file")


def test_a_number_of_a_million_digits_is_refused_before_it_is_computed():
    with pytest.raises(MalformedError, match="beyond"):
        read('{"a":' + "9" * 10**6 + "}", most=2 << 20)


def test_the_last_byte_that_may_be_read_is_read():
    assert read('{"a":1}', most=7) == {"a": 1}
    with pytest.raises(MalformedError, match="at most 6 are read"):
        read('{"a":1}', most=6)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def test_sixteen_levels_are_read_and_seventeen_are_not():
    assert read(nested(MAX_DEPTH))
    with pytest.raises(MalformedError, match="nested more than 16 deep"):
        read(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("unit", ["[", '{"a":'])
def test_a_hundred_thousand_levels_are_refused_in_our_words(unit):
    with pytest.raises(MalformedError, match="nested too deep"):
        read('{"a":' + unit * 100_000)


def test_65536_values_are_read_and_one_more_is_not():
    # The object, the name and the list are three of them.
    assert read(json.dumps({"a": [0] * (MAX_VALUES - 3)}))
    with pytest.raises(MalformedError, match="more than 65536 values"):
        read(json.dumps({"a": [0] * (MAX_VALUES - 2)}))


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ({1: "a"}, "name is not text"),
        ({"a": b"bytes"}, "has a bytes"),
        ({"a": 0.5}, "has a float"),
        ({"a": None}, "has null"),
        ({"a": (1, 2)}, "has a tuple"),
        ([2**53], "beyond"),
    ],
)
def test_values_that_did_not_come_from_json_are_held_to_the_same_model(value, match):
    with pytest.raises(MalformedError, match=match):
        check_value(value, "the record")


def test_a_list_inside_itself_is_refused():
    endless: list = []
    endless.append(endless)
    with pytest.raises(MalformedError, match="deep"):
        check_value(endless, "the record")


def test_a_member_has_to_be_there_and_of_its_kind():
    assert member({"a": [1]}, "a", list, "the file") == [1]
    for kind, word in ((str, "text"), (int, "integer"), (dict, "object")):
        with pytest.raises(MalformedError, match=word):
            member({"a": [1]}, "a", kind, "the file")
    with pytest.raises(MalformedError, match='no member "b" that is a list'):
        member({"a": [1]}, "b", list, "the file")


def test_a_member_that_nobody_reads_is_named_but_not_at_length():
    check_members({"a": 1}, frozenset({"a", "b"}), "the file")
    with pytest.raises(MalformedError, match="'xxx") as refusal:
        check_members({"a": 1, "x" * 10**6: 1}, frozenset({"a"}), "the file")
    assert len(str(refusal.value)) < 100
