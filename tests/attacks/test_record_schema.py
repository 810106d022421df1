"""A record that was made to cost much, or to mean two things, does neither."""

import json
import re
import time

import pytest

from ledger.schema.examples import example
from ledger.schema.faults import MOST, Faulty
from ledger.schema.jsonschema import schema
from ledger.schema.reading import read_json
from tests.records import SMALLEST
from tests.service.standing import standing
from verifier import cbor

FAST_S = 2.0
ID = "01a0c54a-5ad0-7aa2-bf0c-000000000001"


def patterns():
    """Every pattern that a text of a record is held against."""
    text = json.dumps(schema())
    return sorted(
        {
            json.loads(f'"{each}"')
            for each in re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', text)
        }
    )


ODD = [
    "a" * 65_000,
    "a/" * 30_000,
    "@" * 65_000,
    "git:" + "a@" * 30_000,
    "ticket:" + "/" * 60_000,
    "2" * 65_000,
    "2024-02-29T" * 6_000,
    "x-a." + "a." * 30_000 + "!",
    "x-" + "a-" * 30_000,
    " " * 65_000,
    "sha256:" + "0" * 64 + "\n" * 60_000,
]


@pytest.mark.parametrize("pattern", patterns())
def test_no_text_keeps_a_pattern_busy(pattern):
    compiled, began = re.compile(pattern), time.perf_counter()
    for text in ODD:
        compiled.search(text)
    assert time.perf_counter() - began < FAST_S


def test_there_are_patterns_to_be_kept_busy():
    assert len(patterns()) > 8


def test_who_breaks_ten_thousand_rules_is_told_of_few_and_quickly():
    record = {**SMALLEST, "id": ID, "links": [{}] * 10_000}
    began = time.perf_counter()
    with pytest.raises(Faulty) as caught:
        read_json(json.dumps(record).encode())
    assert time.perf_counter() - began < FAST_S
    assert len(caught.value.faults) == MOST
    assert len(str(caught.value)) < 10_000


def test_what_is_said_of_a_fault_shows_little_of_what_was_sent():
    record = {**SMALLEST, "id": ID, "kind": "\x1b" * 10_000, "x" * 30_000: None}
    with pytest.raises(Faulty) as caught:
        read_json(json.dumps(record).encode())
    said = str(caught.value)
    assert "\x1b" not in said
    assert len(said) < 2_000


def test_maps_of_ever_other_names_do_not_fill_the_memory():
    for number in range(3_000):
        cbor.encode({f"{number}-{each}": each for each in range(20)})
    assert len(cbor._SHAPES) <= cbor._MAX_SHAPES
    names = [name for shape in cbor._SHAPES for name in shape]
    assert max(map(len, names)) <= 32


@pytest.mark.parametrize(
    "twice",
    [
        '"kind":"plan","kind":"inference"',
        '"kind":"plan","k\\u0069nd":"inference"',
        '"kind" : "plan" , "kind":"inference"',
    ],
)
def test_a_record_of_two_kinds_is_of_none(tmp_path, twice):
    text = json.dumps(example("inference")).replace('"kind": "inference"', twice)
    with standing(tmp_path, kind="record") as service:
        got = service.post("/v1/records", text.encode())
        assert (got.status, got.json["check"]) in ((422, "form"), (400, "form"))
