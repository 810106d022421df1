"""The golden vectors of each kind: JSON, canonical CBOR, leaf."""

import json
from pathlib import Path

import pytest

from ledger.schema.kinds import KINDS
from ledger.schema.reading import read_cbor, read_json
from verifier.entry import Entry
from verifier.hashing import leaf_hash

FILE = Path(__file__).resolve().parents[1] / "vectors" / "kinds.json"
VECTORS = json.loads(FILE.read_text())
WRAPPER = VECTORS["wrapper"]


def test_there_is_one_of_each_kind():
    assert [each["kind"] for each in VECTORS["records"]] == list(KINDS)


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda each: each["kind"])
def test_json_becomes_this_cbor_and_this_leaf(vector):
    record, body = read_json(vector["json"].encode())
    assert record["kind"] == vector["kind"]
    assert body.hex() == vector["cbor"]
    assert read_cbor(body) == record
    assert leaf_hash(Entry(**WRAPPER, body=body).encode()).hex() == vector["leaf"]
