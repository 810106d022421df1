"""What a log asks a witness, and what it is answered, have one spelling each."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign import folder
from tests.testlog import LOG, WITNESSES, b64, checkpoint_text, note
from verifier.errors import MalformedError
from verifier.note import Note
from verifier.witnessing import (
    MAX_ANSWER_BYTES,
    MAX_BYTES,
    MAX_HASHES,
    SIZE_TYPE,
    Addition,
    answer_text,
    conflict_size,
    parse_answer,
    parse_size,
    size_text,
)

TEXT = checkpoint_text(7, bytes(32))
NOTE = note(TEXT, LOG.line(TEXT))
HASH = b64(bytes(32))
TRUE = f"old 3\n{HASH}\n\n".encode() + NOTE
LINE = WITNESSES[0].line(TEXT).encode()


def test_a_request_is_a_size_a_proof_and_a_checkpoint():
    addition = Addition.parse(TRUE)
    assert addition == Addition(old=3, proof=(bytes(32),), checkpoint=NOTE)
    assert addition.encode() == TRUE


def test_a_request_without_a_proof_has_the_empty_line_at_once():
    assert Addition(old=0, proof=(), checkpoint=NOTE).encode() == b"old 0\n\n" + NOTE
    assert Addition.parse(b"old 0\n\n" + NOTE).proof == ()


def test_the_checkpoint_is_taken_byte_for_byte():
    # What it says is not looked at here: a second empty line is part of it.
    assert Addition.parse(b"old 0\n\n\n\xff\n\n").checkpoint == b"\n\xff\n\n"


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=MAX_HASHES),
    st.binary(min_size=1, max_size=40),
)
def test_what_is_written_is_read(old, proof, checkpoint):
    addition = Addition(old=old, proof=tuple(proof), checkpoint=checkpoint)
    assert Addition.parse(addition.encode()) == addition


@pytest.mark.parametrize(
    ("spoiled", "word"),
    [
        (b"", "no empty line"),
        (b"old 3\n" + NOTE.replace(b"\n\n", b"\n"), "no empty line"),
        (b"old 3\n\n", "behind it a checkpoint"),
        (TRUE.replace(b"old", b"Old"), "first line"),
        (TRUE.replace(b"old ", b"old"), "first line"),
        (b"\n" + TRUE, "first line"),
        (TRUE.replace(b"old 3", b"old -3"), "decimal"),
        (TRUE.replace(b"old 3", b"old 03"), "decimal"),
        (TRUE.replace(b"old 3", b"old  3"), "decimal"),
        (TRUE.replace(b"old 3", b"old 3\r"), "decimal"),
        (TRUE.replace(b"old 3", b"old \xb3"), "decimal"),
        (TRUE.replace(b"old 3", b"old 9223372036854775808"), "decimal"),
        (TRUE.replace(b"A=\n", b"A\n"), "base64"),
        (TRUE.replace(b"A=\n", b"B=\n"), "canonical"),
        (TRUE.replace(HASH.encode(), b"AAAA"), "3 bytes"),
        (TRUE.replace(HASH.encode(), b"\xff"), "base64"),
    ],
)
def test_a_request_that_is_none_is_refused(spoiled, word):
    with pytest.raises(MalformedError, match=word):
        Addition.parse(spoiled)


def test_a_proof_has_63_hashes_at_most():
    def of(count):
        return b"old 3\n" + f"{HASH}\n".encode() * count + b"\n" + NOTE

    assert len(Addition.parse(of(MAX_HASHES)).proof) == MAX_HASHES
    with pytest.raises(MalformedError, match="more than 63 hashes"):
        Addition.parse(of(MAX_HASHES + 1))


def test_a_request_has_a_longest():
    head = b"old 0\n\n"
    longest = head + b"a" * (MAX_BYTES - len(head))
    assert Addition.parse(longest).old == 0
    with pytest.raises(MalformedError, match=str(MAX_BYTES)):
        Addition.parse(longest + b"a")


@given(st.integers(0, 2**63 - 1))
def test_a_size_alone_is_a_line(size):
    assert size_text(size) == f"{size}\n".encode()
    assert parse_size(size_text(size)[:-1]) == size


@pytest.mark.parametrize("data", [b"", b"7\n", b" 7", b"+7", b"7_0", b"\xb2"])
def test_a_size_is_a_number_and_nothing_else(data):
    with pytest.raises(MalformedError, match="the size"):
        parse_size(data)


@pytest.mark.parametrize(
    "kind", [SIZE_TYPE, SIZE_TYPE.upper(), f"{SIZE_TYPE}; charset=utf-8"]
)
def test_a_conflict_says_the_size_that_was_cosigned_last(kind):
    assert conflict_size(kind, size_text(7)) == 7


@pytest.mark.parametrize(
    ("kind", "body", "word"),
    [
        ("", b"7\n", "without a size"),
        ("text/plain", b"7\n", "without a size"),
        (f"{SIZE_TYPE}s", b"7\n", "without a size"),
        (SIZE_TYPE, b"", "without a size"),
        (SIZE_TYPE, b"7", "without a size"),
        (SIZE_TYPE, b"\n", "the size"),
        (SIZE_TYPE, b"07\n", "the size"),
        (SIZE_TYPE, b"7\n\n", "the size"),
        (SIZE_TYPE, b"7\r\n", "the size"),
        (SIZE_TYPE, b"%d\n" % 2**63, "the size"),
    ],
)
def test_a_conflict_that_says_no_size_is_not_taken_for_one(kind, body, word):
    with pytest.raises(MalformedError, match=word):
        conflict_size(kind, body)


def test_an_answer_is_lines_of_signatures():
    other = WITNESSES[1].line(TEXT).encode()
    lines = parse_answer(LINE + other)
    assert [each.name for each in lines] == [each.name for each in WITNESSES[:2]]
    assert answer_text(lines) == LINE + other


@pytest.mark.parametrize(
    ("spoiled", "word"),
    [
        (b"", "whole lines"),
        (LINE[:-1], "whole lines"),
        (LINE + b"\n", "signature line"),
        (b"\n" + LINE, "signature line"),
        (b"\n", "signature line"),
        (LINE.replace(b"\n", b"\r\n"), "base64"),
        (LINE.replace(b"\n", b"\x0b") + b"\n", "base64"),
        (b"\xff\n", "UTF-8"),
        (NOTE, "signature line"),
        (b"a" * MAX_ANSWER_BYTES + b"\n", str(MAX_ANSWER_BYTES)),
    ],
)
def test_an_answer_that_is_anything_else_is_refused(spoiled, word):
    with pytest.raises(MalformedError, match=word):
        parse_answer(spoiled)


def test_the_lines_of_the_specification_are_read_as_an_answer():
    file = folder("c2sp-spec-examples") / "examples.json"
    example = json.loads(file.read_text())["cosigned_checkpoint_no_key_published"]
    lines = example.partition("\n\n")[2].encode()
    assert parse_answer(lines) == Note.parse(example.encode()).signatures
    assert answer_text(parse_answer(lines)) == lines


def test_the_requests_of_another_implementation_are_read_and_written_again():
    file = folder("witness-protocol") / "add_checkpoint_sequence.json"
    read = 0
    for case in json.loads(file.read_text())["cases"]:
        data = case["body"].encode()
        if case["status"] == 200:
            assert Addition.parse(data).encode() == data
            read += 1
    assert read
