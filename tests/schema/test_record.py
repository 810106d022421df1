"""A record keeps all rules, or is refused with all that is wrong, whoever looks."""

import json

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.schema import jsonschema
from ledger.schema.checking import faults_in
from ledger.schema.faults import MOST, Faulty
from ledger.schema.kinds import KINDS
from ledger.schema.plain import read_plain
from ledger.schema.reading import read_cbor, read_json
from tests.schema.cases import (
    BEYOND,
    COUNTER_EXAMPLES,
    EXAMPLES,
    INFERENCE,
    as_json,
    changed,
    records,
)
from verifier import cbor
from verifier.errors import MalformedError
from verifier.record import encode_record

VALIDATOR = jsonschema_rs.Draft202012Validator(jsonschema.schema())
FAULTY = COUNTER_EXAMPLES | BEYOND


def read(data):
    """What became of a record in JSON: its canonical form, or what is wrong."""
    try:
        return read_json(data)[1]
    except Faulty as error:
        return [each.path for each in error.faults]
    except MalformedError:
        return "form"


# Examples, and counter-examples


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_of_every_kind_is_a_record(kind):
    record = EXAMPLES[kind]
    assert record["kind"] == kind
    assert faults_in(record) == []
    assert read(as_json(record)) == encode_record(record)
    assert read_cbor(encode_record(record)) == record


@pytest.mark.parametrize("kind", KINDS)
def test_a_validator_of_another_make_takes_every_example(kind):
    assert VALIDATOR.is_valid(EXAMPLES[kind])


@pytest.mark.parametrize("what", COUNTER_EXAMPLES)
def test_a_validator_of_another_make_refuses_every_counter_example(what):
    assert not VALIDATOR.is_valid(COUNTER_EXAMPLES[what])


@pytest.mark.parametrize("what", FAULTY)
def test_a_counter_example_is_refused_in_json_and_in_cbor(what):
    record = FAULTY[what]
    assert faults_in(record)
    assert isinstance(read(as_json(record)), list)
    try:
        body = cbor.encode(record)
    except MalformedError:
        return  # there are no floats in CBOR of ours
    with pytest.raises(Faulty):
        read_cbor(body)


@pytest.mark.parametrize("kind", KINDS)
def test_each_member_that_a_kind_needs_is_missed(kind):
    for need in KINDS[kind].needs + KINDS[kind].done:
        record = json.loads(as_json(EXAMPLES[kind]))
        inside = record
        *steps, last = need.split(".")
        for step in steps:
            inside = inside[step]
        del inside[last]
        assert need in [each.path for each in faults_in(record)]
        assert not VALIDATOR.is_valid(record)


def test_what_has_not_ended_needs_no_result():
    begun = changed("phase", "start")
    del begun["result"]
    assert faults_in(begun) == []
    assert VALIDATOR.is_valid(begun)


def test_a_kind_of_ones_own_needs_nothing_but_what_all_need():
    record = EXAMPLES["capture.heartbeat"] | {"kind": "x-acme.price.change"}
    assert faults_in(record) == []
    assert VALIDATOR.is_valid(record)


# What is said


def test_all_that_is_wrong_is_said_at_once_with_its_place_and_how_to_mend_it():
    record = changed("time", "yesterday")
    record["params"]["temperature"] = 0.2
    record["inputs"][0]["digest"] = "sha256:1"
    record["extra"] = [None]
    del record["actor"]
    faults = faults_in(record)
    assert [each.path for each in faults] == [
        *("params.temperature", "extra[0]"),
        *("time", "actor", "inputs[0].digest"),
    ]
    assert all(each.rule and each.mend for each in faults)
    with pytest.raises(Faulty) as caught:
        read_json(as_json(record))
    for each in faults:
        assert f"{each.path} {each.rule}: {each.mend}" in str(caught.value)


def test_of_a_version_that_is_not_known_the_known_ones_are_said_and_nothing_else():
    record = changed("schema", "provlog/record/2") | {"kind": "?", "time": 1}
    [fault] = faults_in(record)
    assert fault.path == "schema"
    assert "'provlog/record/2'" in fault.rule
    assert "provlog/record/1" in fault.mend


def test_of_many_faults_so_many_are_said_and_how_many_there_are():
    record = changed("links", [{}] * 200)
    with pytest.raises(Faulty) as caught:
        read_json(as_json(record))
    assert len(caught.value.faults) == MOST
    assert str(caught.value).endswith("and 390 more")


# Quick and thorough


@given(records(), st.booleans(), st.booleans())
def test_who_looks_quickly_takes_nothing_that_is_wrong(record, spaced, ascii_):
    data = as_json(record, spaced=spaced, ascii_=ascii_)
    faults = [each.path for each in faults_in(record)]
    found = read(data)
    if faults:
        assert found in (faults[:MOST], "form")
    else:
        assert found == encode_record(record)


@given(records())
def test_a_validator_of_another_make_says_the_same(record):
    faults = faults_in(record)
    if not faults:
        assert VALIDATOR.is_valid(record)
    if not VALIDATOR.is_valid(record):
        assert faults


@given(records())
def test_json_and_cbor_are_one_to_one(record):
    if faults_in(record):
        return
    body = encode_record(record)
    assert read_json(as_json(record))[1] == body
    assert read_json(as_json(read_cbor(body)))[1] == body


@pytest.mark.parametrize(
    "data",
    [
        as_json(INFERENCE).replace(
            b'"kind":"inference"', b'"kind":"x-a.b","kind":"plan"'
        ),
        as_json(INFERENCE).replace(b'"seed":7', b'"seed":7,"seed" :8'),
        as_json(INFERENCE).replace(b'"seed":7', rb'"seed":7,"s\u0065ed":7'),
        as_json(INFERENCE).replace(b'"seed":7', b'"seed":-0'),
        as_json(INFERENCE).replace(b'"seed":7', b'"seed":-0 '),
        as_json(INFERENCE).replace(b'"seed":7', b'"seed":7.0'),
        as_json(INFERENCE).replace(b'"seed":7', b'"seed":NaN'),
        as_json(INFERENCE).replace(b'"seed":7', b'"seed":1e4'),
        as_json(INFERENCE).replace(b'"seed":7', b'"seed":1E9,"seed":7'),
        as_json(INFERENCE) + b"x",
        as_json(INFERENCE)[:-1],
        b"\xef\xbb\xbf" + as_json(INFERENCE),
        as_json(INFERENCE).replace(b"agent:refunds", b"agent:\xff"),
        as_json(INFERENCE).replace(b"agent:refunds", rb"agent:\ud800"),
        as_json(INFERENCE).replace(b"agent:refunds", b"agent:\x7f"),
        as_json(INFERENCE).replace(b'"seed":7', b'"x":' + b"[" * 20 + b"]" * 20),
    ],
)
def test_what_is_no_record_in_strict_json_is_not_taken_quickly(data):
    assert read_plain(data) is None
    assert read(data) == "form" or isinstance(read(data), list)


@pytest.mark.parametrize("many", [8_100, 8_192, 9_000, 20_000])
def test_what_is_taken_can_be_read_again_however_much_is_in_it(many):
    record = EXAMPLES["model.retire"] | {"subjects": ["a"] * many}
    body = read(as_json(record))
    assert body == "form" if many > 8_100 else read_cbor(body) == record


def test_most_examples_are_taken_quickly():
    quick = [kind for kind in KINDS if read_plain(as_json(EXAMPLES[kind])) is not None]
    assert quick == list(KINDS)
