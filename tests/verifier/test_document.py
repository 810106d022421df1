"""A document is one JSON object of the records' data model, and nothing beside it.

What strangers wrote has a wider model, and in that, too, the same bytes are the same
value to everybody.
"""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import MalformedError
from verifier.document import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_VALUES,
    NumberText,
    check_members,
    check_value,
    member,
    parse_document,
    parse_json,
    parse_object,
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


# What strangers wrote

FOREIGN = st.recursive(
    st.none()
    | st.booleans()
    | st.text(max_size=8)
    | st.integers(-(10**19) + 1, 10**20 - 1),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


def foreign(text: bytes | str, most: int = 1 << 20, **bounds) -> object:
    data = text if isinstance(text, bytes) else text.encode()
    return parse_json(data, "the file", most=most, **bounds)


@given(FOREIGN, st.booleans())
def test_any_value_is_read_as_it_was_written(value, ascii_only):
    assert foreign(json.dumps(value, ensure_ascii=ascii_only)) == value


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_a_document_is_the_same_to_both_readers(value):
    text = json.dumps(value)
    assert read(text) == foreign(text)


@given(st.binary(max_size=60) | st.text('[]{}",:\\u0019eE.-naltrusf ').map(str.encode))
def test_a_stranger_can_only_be_refused_in_our_words(data):
    with suppress(MalformedError):
        foreign(data)


@pytest.mark.parametrize(
    "number",
    [
        *("1.0", "-0.0", "1e2", "1E+2", "1e999999999", "0.1", "-1.5e-7"),
        *("9" * 21, "-" + "9" * 20, "1" * 5_000),
    ],
    ids=lambda each: each[:12],
)
def test_a_number_that_may_be_read_in_two_ways_stays_as_it_was_written(number):
    found = foreign(f'{{"a":{number}}}')
    assert isinstance(found, dict)
    assert type(found["a"]) is NumberText
    assert found["a"] == number


@pytest.mark.parametrize("number", [0, -1, 2**53, 2**64 - 1, -(2**63)])
def test_an_integer_of_64_bits_is_one(number):
    assert foreign(str(number)) == number


def test_a_number_that_is_kept_as_text_is_no_text():
    for kind, word in ((str, "text"), (int, "an integer")):
        with pytest.raises(MalformedError, match=f'"a" that is {word}'):
            member({"a": NumberText("1.5")}, "a", kind, "the file")


@pytest.mark.parametrize("text", ["null", "[]", "1", '"a"', "true", "{}"])
def test_any_value_may_stand_alone_and_an_object_may_be_asked_for(text):
    foreign(text)
    if text == "{}":
        assert parse_object(b"{}", "the file", most=2) == {}
        return
    with pytest.raises(MalformedError, match="the file is not a JSON object"):
        parse_object(text.encode(), "the file", most=9)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        pytest.param('{"a":1,"a":1}', "same member twice", id="a member twice"),
        pytest.param('[{"a":1,"\\u0061":null}]', "same member twice", id="escaped"),
        pytest.param("NaN", "NaN is no integer", id="NaN"),
        pytest.param("[-Infinity]", "-Infinity is no integer", id="-Infinity"),
        pytest.param('"\\ud800"', "not valid Unicode", id="high surrogate"),
        pytest.param('{"\\udc00":1}', "not valid Unicode", id="surrogate in a name"),
        pytest.param(
            '"\ud800"'.encode("utf-8", "surrogatepass"), "strict", id="raw one"
        ),
        pytest.param(b'"\xff"', "not strict JSON", id="no UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", "not strict JSON", id="a byte order mark"),
        pytest.param('{"a":1}'.encode("utf-16"), "not strict JSON", id="UTF-16"),
        pytest.param("{}{}", "not strict JSON", id="a second value"),
        pytest.param("", "not strict JSON", id="nothing"),
        pytest.param('"', "not strict JSON", id="a text that does not end"),
        pytest.param('"\\', "not strict JSON", id="nor does its escape"),
        pytest.param("01", "not strict JSON", id="leading zero"),
        pytest.param("1.", "not strict JSON", id="nothing after the point"),
        pytest.param("]]]]", "not strict JSON", id="more ends than beginnings"),
    ],
)
def test_what_two_readers_could_read_as_two_values_is_refused(text, match):
    with pytest.raises(MalformedError, match=match):
        foreign(text)


def test_what_strangers_wrote_is_bounded_before_it_is_read():
    assert foreign("[1]", most=3) == [1]
    with pytest.raises(MalformedError, match="of 3 bytes; at most 2 are read"):
        foreign("[1]", most=2)


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_64_levels_are_read_or_as_many_as_are_asked_for(begin, end):
    def text(depth):
        return begin * depth + "1" + end * depth

    for depth, bounds in ((64, {}), (3, {"depth": 3})):
        assert foreign(text(depth), **bounds)
        with pytest.raises(MalformedError, match=f"nested more than {depth} deep"):
            foreign(text(depth + 1), **bounds)


def test_brackets_in_texts_are_not_nested():
    text = '["' + "[{" * 500 + '\\"' + "[" * 500 + '\\\\", "]"]'
    assert foreign(text, depth=1)
    with pytest.raises(MalformedError, match="nested more than 1 deep"):
        foreign(text[:-1] + ", []]", depth=1)


@pytest.mark.parametrize("unit", ["[", '{"a":', '["', '"[', '\\"[', '"\\'])
def test_nothing_is_deep_or_long_enough_to_keep_a_reader_busy(unit):
    with pytest.raises(MalformedError, match=r"nested more|strict JSON"):
        foreign(unit * 100_000)


def test_a_stranger_too_has_65536_values_at_most():
    assert foreign(json.dumps([0] * (MAX_VALUES - 1)))
    with pytest.raises(MalformedError, match="more than 65536 values"):
        foreign(json.dumps([None] * MAX_VALUES))
