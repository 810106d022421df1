"""There is one spelling for each number and for each string of bytes."""

import json
import sys
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from verifier import Checkpoint, MalformedError
from verifier.spelling import (
    MAX_SIZE,
    base64_text,
    parse_base64,
    parse_decimal,
    parse_hash,
)


@given(st.integers(0, MAX_SIZE))
def test_a_number_is_read_as_it_is_written(number):
    assert parse_decimal(str(number), "it") == number


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("+7", id="plus"),
        pytest.param("-0", id="minus"),
        pytest.param(" 7", id="space before"),
        pytest.param("7 ", id="space after"),
        pytest.param("7\n", id="newline after, which a dollar sign lets pass"),
        pytest.param("\u00a07", id="non-breaking space"),
        pytest.param("1_0", id="underscore"),
        pytest.param("07", id="leading zero"),
        pytest.param("00", id="two zeros"),
        pytest.param("0x7", id="hexadecimal"),
        pytest.param("7.0", id="a point"),
        pytest.param("7e0", id="an exponent"),
        pytest.param("\u0663", id="Arabic digit"),
        pytest.param("1\u0663", id="Arabic digit after an ASCII one"),
        pytest.param("\uff17", id="full-width digit"),
        pytest.param("\u00b2", id="superscript"),
        pytest.param(str(MAX_SIZE + 1), id="2^63"),
        pytest.param("9" * 20, id="twenty digits"),
        pytest.param("7\x00", id="NUL"),
    ],
)
def test_no_number_has_a_second_spelling(text):
    with pytest.raises(MalformedError, match="the size is not a decimal number"):
        parse_decimal(text, "the size")


def test_a_bound_belongs_to_what_it_bounds():
    assert parse_decimal("12", "it", most=12) == 12
    with pytest.raises(MalformedError, match="from 0 to 12"):
        parse_decimal("13", "it", most=12)


def test_a_number_of_many_digits_is_refused_in_our_words_and_not_in_pythons():
    digits = "9" * (10 * sys.get_int_max_str_digits())
    with pytest.raises(MalformedError, match="not a decimal number"):
        parse_decimal(digits, "it")


@given(st.binary(max_size=100))
def test_bytes_are_read_as_they_are_written(data):
    assert parse_base64(base64_text(data), "it") == data
    assert base64_text(data) == b64encode(data).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("QQ", id="no padding"),
        pytest.param("QQ=", id="half the padding"),
        pytest.param("QQ===", id="too much padding"),
        pytest.param("=", id="padding alone"),
        pytest.param("QR==", id="bits that are thrown away, one character"),
        pytest.param("QUJ=", id="bits that are thrown away, two characters"),
        pytest.param("QQ==QQ==", id="two in a row"),
        pytest.param("Q Q==", id="space"),
        pytest.param("QQ==\n", id="newline after"),
        pytest.param("QU\nJD", id="newline within"),
        pytest.param("-_-_", id="the URL alphabet"),
        pytest.param("QQ==\x00", id="NUL"),
        pytest.param("\uff31Q==", id="full-width letter"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param("Q", id="six bits"),
    ],
)
def test_no_bytes_have_a_second_spelling(text):
    with pytest.raises(MalformedError, match=r"the key is (not )?base64"):
        parse_base64(text, "the key")


@given(st.text(alphabet="ABQRg+/-_= \n", max_size=12))
def test_base64_that_is_read_is_what_would_be_written(text):
    try:
        data = parse_base64(text, "it")
    except MalformedError:
        return
    assert base64_text(data) == text


def test_bits_that_are_thrown_away_are_named():
    with pytest.raises(MalformedError, match="not in its one canonical form"):
        parse_base64("QR==", "it")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_hash_has_32_bytes(length):
    assert parse_hash(base64_text(bytes(32)), "it") == bytes(32)
    with pytest.raises(MalformedError, match=f"it is {length} bytes long, not 32"):
        parse_hash(base64_text(bytes(length)), "it")


def test_what_go_does_not_read_as_a_tree_is_no_checkpoint():
    path = foreign.folder("golang-xmod") / "tlog_vectors.json"
    hexadecimal, too_long = json.loads(path.read_text())["parse_tree_reject"]
    with pytest.raises(MalformedError, match="size is not a decimal number"):
        Checkpoint.parse(hexadecimal)
    # A byte too long, and with bits that are thrown away: we see those first.
    with pytest.raises(MalformedError, match="root is base64, but not in its one"):
        Checkpoint.parse(too_long)
