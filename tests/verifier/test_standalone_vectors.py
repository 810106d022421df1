"""On every vector, ours and strangers', the reading copy says what the verifier says.

Where a vector speaks of less than evidence (a key, a note, a proof), both are asked
by their own functions for that. What is right, the verifier's own tests hold against
the vectors; here it counts that one who reads one of the two has read both.
"""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from tests.foreign import folder
from tests.testlog import (
    LOG,
    b64,
    note,
    receipt_text,
)
from tests.twin import ALONE, HOLDS, UNDECIDED, agree, copied, ours, single
from verifier import (
    MalformedError,
    Policy,
    VerificationError,
    VerifierKey,
    cbor,
    standalone,
    verify_consistency,
    verify_inclusion,
    verify_note,
)
from verifier.keys import Algorithm, PublicKey, verify_signature
from verifier.note import Note

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "tests" / "vectors"
SAMPLE = ROOT / "docs" / "sample"


def foreign(name: str, file: str):
    return json.loads((folder(name) / file).read_text())


def own(name: str):
    return json.loads((OWN / f"{name}.json").read_text())


def refusal(check, *arguments) -> str:
    """The word with which `check` refuses, of whichever of the two it is."""
    try:
        check(*arguments)
    except VerificationError as error:
        return error.check
    except standalone.Broken as error:
        return str(error.args[0])
    return HOLDS


# Ed25519


def verified(key: str, message: bytes, signature: str) -> tuple[bool, bool]:
    """Whether the verifier, and whether the copy, takes the key and the signature."""

    def in_the_verifier():
        public = PublicKey(Algorithm.ED25519, bytes.fromhex(key))
        verify_signature(public, message, bytes.fromhex(signature))

    def in_the_copy():
        # A key in a policy is refused as it is read, by its id at the latest.
        raw = bytes.fromhex(key)
        vkey = f"k+{standalone.key_id('k', 1, raw).hex()}+{b64(bytes([1]) + raw)}"
        standalone.parse_key(vkey.encode())
        signed = standalone.signed_by(raw, message, bytes.fromhex(signature))
        standalone.require(signed, "no", "signature")

    return refusal(in_the_verifier) == HOLDS, refusal(in_the_copy) == HOLDS


@pytest.mark.exhaustive
def test_of_the_914_edge_cases_of_ed25519_the_same_43_verify():
    cases = foreign("c2sp-cctv", "ed25519vectors.json")
    held = 0
    for case in cases:
        first, second = verified(case["key"], case["msg"].encode(), case["sig"])
        assert first is second, case["number"]
        held += second
    assert (len(cases), held) == (914, 43)


@pytest.mark.exhaustive
def test_the_same_signatures_of_wycheproof_verify():
    answers = []
    for group in foreign("wycheproof", "ed25519_test.json")["testGroups"]:
        key = group["publicKey"]["pk"]
        for case in group["tests"]:
            found = verified(key, bytes.fromhex(case["msg"]), case["sig"])
            assert found == (case["result"] == "valid",) * 2, case["tcId"]
            answers.append(found)
    assert len(answers) == 151


# Proofs


def in_the_copy(leaf, index, size, proof, root) -> None:
    """Inclusion, with what the copy asks before it: the hashes, and the index."""
    standalone.require(all(len(each) == 32 for each in (leaf, root, *proof)), "hash")
    standalone.require(index < size, "index")
    inner, outer = range(index, index + 1), range(size)
    _, computed = standalone.roots_of(inner, outer, proof, [leaf])
    standalone.require(computed == root, "root", "inclusion")


def in_the_verifier(leaf, index, size, proof, root) -> None:
    verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)


def test_the_published_inclusion_proofs_lead_both_to_the_same():
    paths = sorted((folder("transparency-dev-merkle") / "inclusion").rglob("*.json"))
    assert len(paths) > 20
    for path in paths:
        vector = json.loads(path.read_text())
        proof = [b64decode(each) for each in vector["proof"] or []]
        leaf, root = b64decode(vector["leafHash"]), b64decode(vector["root"])
        case = leaf, vector["leafIdx"], vector["treeSize"], proof, root
        said = refusal(in_the_copy, *case)
        assert said == refusal(in_the_verifier, *case), path
        assert (said != HOLDS) is vector["wantErr"], path


def grown_in_the_copy(first, first_root, second, second_root, proof) -> None:
    """Consistency, with what the copy asks before it: the hashes, and the sizes."""
    hashes = (first_root, second_root, *proof)
    standalone.require(all(len(each) == 32 for each in hashes), "hash")
    standalone.require(0 < first <= second, "sizes")
    outer = range(second)
    roots = standalone.roots_of(range(first), outer, proof, [first_root])
    standalone.require(roots == (first_root, second_root), "root", "consistency")


def grown_in_the_verifier(first, first_root, second, second_root, proof) -> None:
    verify_consistency(
        first=first,
        first_root=first_root,
        second=second,
        second_root=second_root,
        proof=proof,
    )


def test_the_published_consistency_proofs_lead_both_to_the_same():
    paths = sorted((folder("transparency-dev-merkle") / "consistency").rglob("*.json"))
    assert len(paths) > 20
    for path in paths:
        vector = json.loads(path.read_text())
        proof = [b64decode(each) for each in vector["proof"] or []]
        first_root, second_root = b64decode(vector["root1"]), b64decode(vector["root2"])
        case = vector["size1"], first_root, vector["size2"], second_root, proof
        said = refusal(grown_in_the_copy, *case)
        assert said == refusal(grown_in_the_verifier, *case), path
        assert (said != HOLDS) is (vector["wantErr"] or vector["size1"] == 0), path


# Keys, notes, checkpoints, receipts, policies


def key_is_read(vkey: str) -> bool:
    """Whether both read the key, or neither does."""
    first = refusal(VerifierKey.parse, vkey)
    assert refusal(standalone.parse_key, vkey.encode()) == first, vkey
    return first == HOLDS


def test_the_same_keys_are_read():
    vectors = foreign("transparency-dev-formats", "vkeys.json")
    for case in vectors["accept"]:
        assert key_is_read(case["vkey"]) is (case["type"] != 5)
    notes = foreign("golang-xmod", "note_vectors.json")
    refused = [*vectors["reject"], vectors["mldsa_key_id_mismatch"]["vkey"]]
    for vkey in [*refused, *notes["vkey_reject"]]:
        assert not key_is_read(vkey if isinstance(vkey, str) else vkey["vkey"])


def note_in_the_verifier(data: bytes, keys: list[str]) -> list[str]:
    known = [VerifierKey.parse(key) for key in keys]
    return [each.name for each in verify_note(Note.parse(data), known)]


def note_in_the_copy(data: bytes, keys: list[str]) -> list[str]:
    auditor = standalone.Auditor()
    auditor.trust("".join(f"log {key}\n" for key in keys).encode() + b"quorum none\n")
    text, lines = standalone.parse_note(data)
    found = auditor.signers(text, lines, "")
    standalone.require(found, "nobody", "log")
    return [name for name, _, _ in found]


def test_the_same_notes_are_opened_and_for_the_same_reason_refused():
    cases = foreign("golang-xmod", "note_vectors.json")["open_cases"]
    assert len(cases) == 15
    for case in cases:
        # No policy has a key twice, also where that would not matter.
        data, keys = b64decode(case["note_base64"]), [*dict.fromkeys(case["keys"])]
        said = refusal(note_in_the_copy, data, keys)
        if case["result"] == "config-error":
            twice = "".join(f"log {key}\n" for key in case["keys"]) + "quorum none\n"
            assert copied(twice.encode(), b"").says == UNDECIDED
            continue
        assert said == refusal(note_in_the_verifier, data, keys), case["name"]
        if said == HOLDS:
            assert note_in_the_copy(data, keys) == case["verified"]


def test_the_examples_of_the_specification_are_read_alike():
    cases = foreign("c2sp-spec-examples", "examples.json")
    signed = cases["signed_note"]
    data, keys = signed["note"].encode(), [signed["vkey"]]
    assert note_in_the_copy(data, keys) == note_in_the_verifier(data, keys)
    for name in (
        "note_with_blank_lines",
        "checkpoint_no_key_published",
        "cosigned_checkpoint_no_key_published",
    ):
        parsed = Note.parse(cases[name].encode())
        text, lines = standalone.parse_note(cases[name].encode())
        assert text == parsed.text
        assert lines == [(e.name, e.key_id + e.signature) for e in parsed.signatures]


def test_the_same_checkpoints_are_read():
    cases = foreign("transparency-dev-formats", "checkpoint_body_cases.json")["cases"]
    for case in cases:
        # Also what is accepted there has a root of another length than ours.
        proof = receipt_text(0, [], note(case["body"], LOG.line(case["body"])))
        assert agree(ALONE, proof, b"entry") == "form", case["desc"]


def test_the_same_receipts_are_read():
    cases = foreign("transparency-dev-formats", "tlog_proof_cases.json")
    for case in cases["marshal"]:
        # Well-formed, up to the checkpoint, which is none.
        data = case["want"].encode()
        index, path = standalone.parse_evidence(data)[3:5]
        assert index == case["index"]
        assert path == [b64decode(each) for each in case["hashes"]]
    for case in cases["reject"]:
        assert agree(ALONE, case["in"].encode(), b"entry") == "form", case["name"]
        assert refusal(standalone.parse_evidence, case["in"].encode()) == "form"


def test_the_same_policies_are_read():
    cases = foreign("transparency-dev-formats", "witness_policy_cases.json")
    texts = [case["policy"] for case in (*cases["accept"], *cases["reject"])]
    read = 0
    for text in [*texts, *(f"{text}\n" for text in texts)]:
        first = refusal(Policy.parse, text.encode())
        assert refusal(standalone.Auditor().trust, text.encode()) == first, text
        read += first == HOLDS
    assert read >= 2


# CBOR


def is_in_the_model(value: object) -> bool:
    """Whether the copy reads `value`: no entry has null in it, or such numbers."""
    if isinstance(value, list):
        return all(map(is_in_the_model, value))
    if isinstance(value, dict):
        return all(map(is_in_the_model, value.values()))
    if type(value) is int:
        return -(2**53) < value < 2**53
    return value is not None


def read_cbor(data: bytes) -> str:
    """What both say of the CBOR in `data`."""
    copy = refusal(standalone.decode, data)
    try:
        value = cbor.decode(data, text_keys=True)
    except MalformedError:
        assert copy == "form", data.hex()
        return copy
    assert (copy == HOLDS) is is_in_the_model(value), data.hex()
    if copy == HOLDS:
        assert standalone.decode(data) == value
        assert standalone.encode(value, 16) == data
    return copy


def test_the_examples_of_rfc_8949_are_read_and_written_alike():
    cases = foreign("cbor", "appendix_a.json")
    said = [read_cbor(bytes.fromhex(case["hex"])) for case in cases]
    assert said.count(HOLDS) > 20
    assert said.count("form") > 30


# Our own


@pytest.mark.parametrize("what", ["good", "bad"])
def test_the_same_entries_are_read(what):
    for vector in own("entries")[what]:
        entry = bytes.fromhex(vector["entry"])
        said = agree(ALONE, single(entry), kind="record")
        # Those that are good are of types that nobody reads further.
        assert said == (HOLDS if what == "good" else "entry"), vector
        assert agree(ALONE, single(entry), kind="opaque") == HOLDS


def wrapped(body: bytes) -> bytes:
    wrapper = own("records")["wrapper"]
    return standalone.encode({"v": 1, "body": body, **wrapper}, 16)


def test_the_same_records_are_read():
    vectors = own("records")
    for vector in vectors["good"]:
        assert agree(ALONE, single(wrapped(bytes.fromhex(vector["cbor"])))) == HOLDS
    for vector in vectors["bad_cbor"]:
        body = bytes.fromhex(vector["cbor"])
        assert agree(ALONE, single(wrapped(body))) == "form", vector["why"]


def test_the_same_commitments_are_opened():
    vectors = own("commitments")
    for vector in (*vectors["good"], *vectors["bad"]):
        number = vector.get("record_id", vectors["record_id"])
        listed = [{"path": vector["listed"], "digest": vector["digest"]}]
        record = standalone.encode({"id": number, "commitments": listed}, 16)
        opening = {
            "path": vector["path"],
            "salt": b64(bytes.fromhex(vector["salt"])),
            "value": vector["value"],
        }
        said = agree(ALONE, single(wrapped(record), [opening]))
        assert said == vector.get("check", HOLDS), vector


def test_the_bundle_holds_and_breaks_alike_where_it_is_spoiled():
    vectors = own("bundles")
    policy, true = vectors["policy"].encode(), json.dumps(vectors["bundle"])
    assert agree(policy, true.encode()) == HOLDS
    for vector in vectors["spoiled"]:
        document = place = json.loads(true)
        *path, last = vector["at"]
        for step in path:
            place = place[step]
        if "to" in vector:
            place[last] = vector["to"]
        else:
            del place[last]
        said = agree(policy, json.dumps(document).encode())
        assert said == vector["check"], vector["why"]


def test_a_proof_of_misbehaviour_is_left_to_the_verifier():
    vectors = own("misbehaviour")
    policy = vectors["policy"].encode()
    for vector in (*vectors["good"], *vectors["bad"]):
        claim = json.dumps(vector["claim"]).encode()
        said = copied(policy, claim)
        assert said.says == UNDECIDED or (said.says == "form" == ours(policy, claim))
        agree(policy, claim)


def test_the_sample_holds():
    policy = (SAMPLE / "policy.txt").read_bytes()
    entry = (SAMPLE / "entry.bin").read_bytes()
    for kind in ("auto", "record", "opaque"):
        proof = (SAMPLE / "entry.tlog-proof").read_bytes()
        assert agree(policy, proof, entry, kind) == HOLDS
        assert copied(policy, proof, entry, kind).says == HOLDS
    bundle = (SAMPLE / "record.bundle").read_bytes()
    assert agree(policy, bundle) == copied(policy, bundle).says == HOLDS
