"""The vectors that we publish are kept: others read our formats by them."""

import copy
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from tests.recordlog import check, found
from verifier import (
    Bundle,
    Entry,
    MalformedError,
    Policy,
    VerificationError,
    VerifierKey,
    leaf_hash,
    parse_evidence,
)
from verifier.commitment import Opening, commitment, verify_openings
from verifier.cosignature import verify_subtree_cosignature
from verifier.record import encode_record, parse_record, parse_record_json
from verifier.spelling import parse_digest

FOLDER = Path(__file__).resolve().parents[1] / "vectors"


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="ascii"))


ENTRIES = load("entries")
RECORDS = load("records")
COMMITMENTS = load("commitments")
BUNDLES = load("bundles")
MISBEHAVIOUR = load("misbehaviour")
SUBTREES = load("subtree-cosignatures")


def each(vectors: list[dict]):
    """Run a test for each of `vectors`, called by the reason it is there."""
    return pytest.mark.parametrize(
        "vector", vectors, ids=[v.get("why", str(n)) for n, v in enumerate(vectors)]
    )


# The files


def test_every_file_has_a_line_of_provenance_and_all_are_small():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    files = sorted(FOLDER.glob("*.json"))
    assert len(files) == 7
    assert not [each.name for each in files if f"| `{each.name}` |" not in readme]
    assert sum(each.stat().st_size for each in files) < 200_000


# Entries


@each(ENTRIES["good"])
def test_an_entry_is_these_members(vector):
    entry = Entry.parse(bytes.fromhex(vector["entry"]))
    assert entry.encode().hex() == vector["entry"]
    assert (entry.at, entry.by, entry.type, entry.body.hex()) == (
        vector["at"],
        vector["by"],
        vector["type"],
        vector["body"],
    )


@each(ENTRIES["bad"])
def test_these_bytes_are_no_entry(vector):
    with pytest.raises(MalformedError):
        Entry.parse(bytes.fromhex(vector["entry"]))


# Records


@each(RECORDS["good"])
def test_a_record_as_json_is_this_cbor_and_this_leaf(vector):
    record = parse_record_json(vector["json"].encode())
    body = encode_record(record)
    assert body.hex() == vector["cbor"]
    assert parse_record(body) == record
    entry = Entry(**RECORDS["wrapper"], body=body).encode()
    assert leaf_hash(entry).hex() == vector["leaf"]


@each(RECORDS["bad_json"])
def test_this_json_is_no_record(vector):
    with pytest.raises(MalformedError):
        parse_record_json(vector["json"].encode())


@each(RECORDS["bad_cbor"])
def test_this_cbor_is_no_record(vector):
    with pytest.raises(MalformedError):
        parse_record(bytes.fromhex(vector["cbor"]))


# Commitments


def opens(vector: dict) -> None:
    """Return if `vector` opens the commitment in it."""
    number = vector.get("record_id", COMMITMENTS["record_id"])
    listed = [{"path": vector["listed"], "digest": vector["digest"]}]
    opening = Opening(
        path=tuple(vector["path"]),
        salt=bytes.fromhex(vector["salt"]),
        value=vector["value"],
    )
    verify_openings({"id": number, "commitments": listed}, [opening])


@each(COMMITMENTS["good"])
def test_a_commitment_is_this_digest(vector):
    opens(vector)
    computed = commitment(
        salt=bytes.fromhex(vector["salt"]),
        record_id=COMMITMENTS["record_id"],
        path=tuple(vector["path"]),
        value=vector["value"],
    )
    assert computed == parse_digest(vector["digest"])


@each(COMMITMENTS["bad"])
def test_a_commitment_is_not_opened_by_this(vector):
    with pytest.raises(VerificationError) as caught:
        opens(vector)
    assert caught.value.check == vector["check"]


# Bundles


def test_the_bundle_holds_and_shows_what_it_has_to():
    evidence = Bundle.parse(json.dumps(BUNDLES["bundle"]).encode())
    policy = Policy.parse(BUNDLES["policy"].encode())
    artifact = bytes.fromhex(BUNDLES["artifact"])
    time = found(check(evidence, policy, artifact=artifact), "time")
    assert time["not_before"] == BUNDLES["not_before"]
    assert time["not_after"] == BUNDLES["not_after"]


@each(BUNDLES["spoiled"])
def test_a_bundle_that_is_spoiled_here_breaks_there(vector):
    document = place = copy.deepcopy(BUNDLES["bundle"])
    *path, last = vector["at"]
    for step in path:
        place = place[step]
    if "to" in vector:
        place[last] = vector["to"]
    else:
        del place[last]
    with pytest.raises(VerificationError) as caught:
        check(
            parse_evidence(json.dumps(document).encode()),
            Policy.parse(BUNDLES["policy"].encode()),
        )
    assert caught.value.check == vector["check"]


# Misbehaviour


@each(MISBEHAVIOUR["good"])
def test_this_convicts_the_log(vector):
    evidence = parse_evidence(json.dumps(vector["claim"]).encode())
    policy = Policy.parse(MISBEHAVIOUR["policy"].encode())
    assert found(check(evidence, policy, misbehaviour=True), "misbehaviour")["holds"]


@each(MISBEHAVIOUR["bad"])
def test_this_convicts_nobody(vector):
    with pytest.raises(VerificationError) as caught:
        check(
            parse_evidence(json.dumps(vector["claim"]).encode()),
            Policy.parse(MISBEHAVIOUR["policy"].encode()),
            misbehaviour=True,
        )
    assert caught.value.check == vector["check"]


# Subtrees


def cosigned(vector: dict, time: int | None = None) -> int:
    """The time that the cosignature in `vector` states."""
    blob = b64decode(vector["blob"])
    if time is not None:
        blob = time.to_bytes(8, "big") + blob[8:]
    return verify_subtree_cosignature(
        VerifierKey.parse(vector["vkey"]),
        origin=vector["origin"],
        start=vector["start"],
        end=vector["end"],
        node=bytes.fromhex(vector["node"]),
        blob=blob,
    )


def test_the_subtree_is_cosigned():
    assert cosigned(SUBTREES["good"]) == SUBTREES["good"]["time"]


@each(SUBTREES["bad"])
def test_the_cosignature_serves_nothing_else(vector):
    with pytest.raises(VerificationError) as caught:
        cosigned(SUBTREES["good"] | vector.get("change", {}), vector.get("time"))
    assert caught.value.check == vector["check"]
