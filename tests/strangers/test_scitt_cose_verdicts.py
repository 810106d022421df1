"""Of whatever is spoiled, scitt-cose and we think the same; where not, it is said here.

Both verify what scitt-cose has built, and the same bytes with something wrong in them.
Where the verdicts differ each case says why: we have the newer algorithms and compare
an attached root, it has P-384 and trees of CCF, and each is stricter than the other
about some spellings.
"""

import json
from hashlib import sha256

import cbor2
import pytest
import scitt_cose
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign import folder
from tests.reference.rfc6962 import Tree
from tests.statements import CI, Maker, sign1, signed
from tests.strangers.foreignkeys import (
    ForeignKey,
    ed25519_key,
    keys_in,
    p256_key,
    p384_key,
)
from verifier.errors import MalformedError, VerificationError
from verifier.evidence import parse_evidence, verify_evidence
from verifier.keys import KeyType, VerifierKey
from verifier.pem import key_text
from verifier.policy import Policy
from verifier.receipt.cose import CoseReceipt, verify_receipt
from verifier.report import Report
from verifier.trust import Limits

ENTRIES = [b"entry %d" % number for number in range(9)]
TREE = Tree(ENTRIES)
KEYS = {"EdDSA": ed25519_key(7), "ES256": p256_key(7), "ES384": p384_key(7)}
OURS = ["EdDSA", "ES256"]
ROOT = TREE.mth(0, 7)


def built(index=3, size=7, alg="EdDSA", entries=ENTRIES, **said):
    """A receipt that scitt-cose makes."""
    return scitt_cose.build_receipt(
        leaf_entry_hex=entries[index].hex(),
        leaf_index=index,
        tree_entries_hex=[each.hex() for each in entries[:size]],
        alg=alg,
        log_private_key_pem=KEYS[alg].pem,
        **said,
    )


def theirs(data: bytes, entry: bytes = ENTRIES[3], pem=KEYS["EdDSA"].public_pem):
    found = scitt_cose.verify_receipt(
        data, leaf_entry_hex=entry.hex(), log_public_key_pem=pem
    )
    return found.root if found.ok else None


def ours(data: bytes, entry: bytes = ENTRIES[3], pem=KEYS["EdDSA"].public_pem):
    try:
        root, _ = verify_receipt(CoseReceipt.parse(data), entry, keys_in(pem))
    except VerificationError:
        return None
    return root.hex()


def flipped(data: bytes, bits) -> list[bytes]:
    return [
        data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        for at in range(len(data))
        for bit in bits(at)
    ]


# Receipts that it builds


@pytest.mark.parametrize("alg", OURS)
@pytest.mark.parametrize("size", range(1, 10))
def test_we_verify_the_receipts_that_it_builds(alg, size):
    pem = KEYS[alg].public_pem
    for index in range(size):
        data = built(index, size, alg, iss="log.example", sub="it", kid=b"k")
        assert ours(data, ENTRIES[index], pem) == TREE.mth(0, size).hex()
        assert CoseReceipt.parse(data).issuer == "log.example"


@pytest.mark.parametrize("alg", OURS)
@pytest.mark.parametrize("leaf", ["entry", "digest"])
def test_its_transparent_statements_are_whole_evidence_here(alg, leaf):
    statement = sign1()
    logged = statement if leaf == "entry" else sha256(statement).digest()
    receipt = built(0, 7, alg, [logged, *ENTRIES], iss="log.example")
    whole = parse_evidence(scitt_cose.attach_receipts(statement, [receipt]))
    policy = policy_of(KEYS[alg])
    verify_evidence(whole, policy, Limits(), Report(), leaf=leaf)
    other = "digest" if leaf == "entry" else "entry"
    with pytest.raises(VerificationError):
        verify_evidence(whole, policy, Limits(), Report(), leaf=other)


def policy_of(key: ForeignKey) -> Policy:
    ed25519 = len(key.public.raw) == 32
    kind = KeyType.ED25519 if ed25519 else KeyType.ECDSA
    vkey = VerifierKey("log.example", kind, key.public).text()
    return Policy.parse(f"log {vkey}\nquorum none\n".encode())


# Receipts that are spoiled


def one_bit(at: int) -> tuple[int, ...]:
    return (at % 8,)


def agree(spoiled: list[bytes], alg: str) -> None:
    pem = KEYS[alg].public_pem
    for each in spoiled:
        assert theirs(each, pem=pem) == ours(each, pem=pem), each.hex()


@pytest.mark.parametrize("alg", OURS)
def test_a_flipped_bit_has_the_same_verdict(alg):
    agree(flipped(built(alg=alg, iss="log.example", kid=b"k"), one_bit), alg)


@pytest.mark.exhaustive
@pytest.mark.parametrize("alg", OURS)
@pytest.mark.parametrize(("index", "size"), [(0, 1), (3, 7), (8, 9)])
def test_each_flipped_bit_of_several_receipts_has_the_same_verdict(alg, index, size):
    pem, entry = KEYS[alg].public_pem, ENTRIES[index]
    true = built(index, size, alg, iss="log.example", sub="it", kid=b"k")
    for each in flipped(true, lambda _: range(8)):
        assert theirs(each, entry, pem) == ours(each, entry, pem), each.hex()


@given(st.data())
def test_what_is_cut_put_in_or_repeated_has_the_same_verdict(data):
    true = built(iss="log.example")
    at = data.draw(st.integers(0, len(true)))
    end = data.draw(st.integers(at, len(true)))
    put = data.draw(st.binary(max_size=3) | st.just(true[at:end] * 2))
    agree([true[:at] + put + true[end:]], "EdDSA")


def proof(index=3, size=7, path=None, *, size_at=7) -> bytes:
    hashes = TREE.path(3, size_at) if path is None else path
    return cbor2.dumps([size, index, hashes])


HEADERS = {1: -8, 395: 1, 15: {1: "log.example"}}
TRUE = proof()
PEM = key_text(CI.public).encode()


def made(headers=None, unprotected=None, payload=None, *, maker=CI, **more) -> bytes:
    """A receipt, signed after it was spoiled."""
    protected = {**HEADERS, **(headers or {})}
    kept = {name: each for name, each in protected.items() if each is not None}
    raw = more.pop("raw", cbor2.dumps(kept))
    around = {396: {-1: [TRUE]}} | (unprotected or {})
    given_ = {name: each for name, each in around.items() if each is not None}
    detached = more.pop("root", ROOT)
    return signed(
        raw, payload, maker=maker, unprotected=given_, detached=detached, **more
    )


def proofs(*found: object) -> dict:
    return {396: {-1: [*found]}}


def reordered(data: bytes) -> bytes:
    tag = cbor2.loads(data)
    head, around, payload, signature = tag.value
    backwards = dict(reversed([*around.items()]))
    members = [head, backwards, payload, signature]
    return cbor2.dumps(cbor2.CBORTag(18, members))


TAIL = cbor2.dumps(bytes(64))
SAME = {
    "a_true_one": (made(), True),
    "no_issuer": (made({15: None}), True),
    "claims_that_are_no_map": (made({15: [1]}), True),
    "another_issuer_type": (made({15: {1: 5}}), True),
    "headers_in_another_order": (made(raw=cbor2.dumps({395: 1, 1: -8})), True),
    "the_other_header_too": (reordered(made(unprotected={99: 1, 7: "x"})), True),
    "another_size_with_the_same_path": (made(None, proofs(proof(size=8))), True),
    "a_second_proof_of_another_root": (
        made(None, proofs(proof(size=5, size_at=5), TRUE)),
        True,
    ),
    "two_proofs_of_other_roots": (
        made(None, proofs(*[proof(size=n, size_at=n) for n in (5, 6)])),
        False,
    ),
    "sixteen_proofs": (made(None, proofs(*[TRUE] * 16)), True),
    "the_structure_marked_as_critical": (made({2: [395]}), True),
    "the_claims_marked_as_critical": (made({2: [15, 1]}), True),
    "something_else_marked_as_critical": (made({2: [99], 99: 1}), False),
    "nothing_marked_as_critical": (made({2: []}), False),
    "critical_that_is_no_list": (made({2: 395}), False),
    "critical_and_not_there": (made({2: [15], 15: None}), False),
    "another_key": (made(maker=Maker(number=2)), False),
    "the_algorithm_of_another_key": (made({1: -7}), False),
    "an_algorithm_that_is_text": (made({1: "EdDSA"}), False),
    "no_algorithm": (made({1: None}), False),
    "the_algorithm_where_nobody_signs": (made({1: None}, {1: -8}), False),
    "no_structure": (made({395: None}), False),
    "the_structure_where_nobody_signs": (made({395: None}, {395: 1}), False),
    "another_structure": (made({395: 3}), False),
    "a_structure_that_is_text": (made({395: "1"}), False),
    "a_structure_that_is_a_list": (made({395: [1]}), False),
    "no_proofs": (made(None, {396: None}), False),
    "the_proofs_in_the_wrong_header": (
        made({396: {-1: [TRUE]}}, {396: None}),
        False,
    ),
    "an_empty_list_of_proofs": (made(None, proofs()), False),
    "proofs_of_growth_alone": (made(None, {396: {-2: [TRUE]}}), False),
    "proofs_that_are_no_map": (made(None, {396: [TRUE]}), False),
    "proofs_that_are_no_list": (made(None, {396: {-1: TRUE}}), False),
    "seventeen_proofs": (made(None, proofs(*[TRUE] * 17)), False),
    "a_proof_that_is_a_number": (made(None, proofs(1 << 40)), False),
    "a_second_proof_that_is_a_number": (made(None, proofs(TRUE, 1 << 40)), False),
    "a_proof_that_is_no_cbor": (made(None, proofs(b"\xff")), False),
    "a_second_proof_that_is_none": (made(None, proofs(TRUE, b"\x80")), False),
    "a_proof_and_a_byte": (made(None, proofs(TRUE + b"\0")), False),
    "a_proof_that_is_a_map": (made(None, proofs(cbor2.dumps({1: 2}))), False),
    "a_size_that_is_true": (
        made(None, proofs(proof(0, True, [])), root=b"\0" * 32),
        False,
    ),
    "a_negative_index": (made(None, proofs(proof(-1))), False),
    "an_index_beyond_the_size": (made(None, proofs(proof(7))), False),
    "a_size_beyond_64_bits": (made(None, proofs(proof(size=1 << 63))), False),
    "a_path_that_is_too_short": (
        made(None, proofs(proof(path=TREE.path(3, 7)[:-1]))),
        False,
    ),
    "a_path_that_is_too_long": (
        made(None, proofs(proof(path=[*TREE.path(3, 7), ROOT]))),
        False,
    ),
    "a_path_of_65": (made(None, proofs(proof(path=[ROOT] * 65))), False),
    "a_path_backwards": (
        made(None, proofs(proof(path=TREE.path(3, 7)[::-1]))),
        False,
    ),
    "a_path_of_text": (made(None, proofs(proof(path=["x" * 32] * 3))), False),
    "a_path_of_numbers": (made(None, proofs(proof(path=[1 << 40] * 3))), False),
    "a_root_that_is_attached_and_wrong": (
        made(payload=TREE.mth(0, 6), root=TREE.mth(0, 6)),
        False,
    ),
    "an_empty_root_attached": (made(payload=b"", root=b""), False),
    "a_proof_of_no_tree_beside_a_true_one": (
        made(None, proofs(proof(path=[]), TRUE)),
        False,
    ),
    "a_date_where_nobody_signs": (made(None, {99: cbor2.CBORTag(1, 0)}), False),
    "no_signature": (made(signature=b""), False),
    "a_signature_that_is_longer": (
        made()[: -len(TAIL)] + cbor2.dumps(cbor2.loads(made()).value[3] + b"\0"),
        False,
    ),
    "a_byte_behind_it": (made() + b"\0", False),
    "no_tag": (made()[1:], False),
    "another_tag": (b"\xd8\x62" + made()[1:], False),
    "three_members": (b"\xd2\x83" + cbor2.dumps(b"") * 3, False),
    "no_definite_length": (b"\xd2\x9f" + made()[2:] + b"\xff", False),
    "a_header_twice": (
        made(raw=b"\xa4" + cbor2.dumps(HEADERS)[1:] + b"\x01\x27"),
        False,
    ),
    "a_protected_header_that_is_a_list": (made(raw=b"\x80"), False),
    "an_empty_protected_header": (made(raw=b""), False),
    "a_protected_header_and_a_byte": (made(raw=cbor2.dumps(HEADERS) + b"\0"), False),
    "nothing": (b"", False),
}


@pytest.mark.parametrize("case", SAME)
def test_the_verdict_is_the_same(case):
    data, good = SAME[case]
    wanted = ROOT.hex() if good else None
    assert (theirs(data, pem=PEM), ours(data, pem=PEM)) == (wanted, wanted)


# Where the verdicts differ, whether it takes it and we do, and why.


def wide() -> bytes:
    """The protected header with one byte more than its algorithm needs."""
    return b"\xa3" + bytes.fromhex("013807") + cbor2.dumps(HEADERS)[3:]


def tall(size: int) -> tuple[bytes, bytes]:
    """A proof in a tree that is larger than any, and the root where it leads."""
    path = [bytes([n]) * 32 for n in range((size - 1).bit_length())]
    root = sha256(b"\0" + ENTRIES[3]).digest()
    for number, each in enumerate(path):
        pair = each + root if 3 >> number & 1 else root + each
        root = sha256(b"\1" + pair).digest()
    return cbor2.dumps([size, 3, path]), root


TALL, ABOVE = tall((1 << 62) + (1 << 61))
IT, WE = (True, False), (False, True)
DIFFERENT = {
    # RFC 9942 has it detached; an attached one is compared here, and not refused.
    "the_right_root_attached": (WE, made(payload=ROOT), PEM),
    # The numbers of RFC 9864, which it does not know.
    "ed25519_by_its_new_number": (WE, made({1: -19}), PEM),
    # RFC 9052 lets whoever understands the header understand its being critical.
    "the_key_id_marked_as_critical": (WE, made({2: [4], 4: b"k"}), PEM),
    # What was signed is never written again by us, so it may be spelled as it was.
    "a_number_wider_than_it_needs": (WE, made(raw=wide()), PEM),
    # It stops at 2^62 entries, the specification of logs of C2SP one bit later.
    "a_tree_of_more_than_2_to_62": (WE, made(None, proofs(TALL), root=ABOVE), PEM),
    # RFC 9052, section 3: a label is in one of the two headers.
    "a_label_in_both_headers": (IT, made({4: b"k"}, {4: b"l"}), PEM),
    "the_structure_in_both_headers": (IT, made(None, {395: 1}), PEM),
    # RFC 9942 has proofs of one kind in one receipt.
    "both_kinds_of_proofs": (IT, made(None, {396: {-1: [TRUE], -2: []}}), PEM),
    # What nobody signs is in deterministic CBOR here, and of our data model.
    "a_proof_in_more_bytes_than_it_needs": (
        IT,
        made(None, proofs(b"\x83\x18\x07" + TRUE[2:])),
        PEM,
    ),
    "a_proof_of_no_definite_length": (
        IT,
        made(None, proofs(b"\x9f" + TRUE[1:] + b"\xff")),
        PEM,
    ),
    "a_fraction_where_nobody_signs": (IT, made(None, {99: 1.1}), PEM),
    "a_label_that_is_bytes": (IT, made(None, {b"x": 1}), PEM),
    "a_header_of_20_levels": (
        IT,
        made(None, {99: cbor2.loads(b"\x81" * 20 + b"\0")}),
        PEM,
    ),
    "a_receipt_of_more_than_1_MiB": (IT, made(None, {99: bytes(1 << 20)}), PEM),
    # Our statements and receipts have Ed25519, P-256 and ML-DSA-44.
    "p_384": (IT, built(alg="ES384"), KEYS["ES384"].public_pem),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_the_verdict_differs_as_it_is_said(case):
    verdicts, data, pem = DIFFERENT[case]
    taken = theirs(data, pem=pem), ours(data, pem=pem)
    assert tuple(each is not None for each in taken) == verdicts


def test_it_has_trees_of_another_kind():
    case = folder("scitt-cose") / "v1" / "valid-ccf-vds2"
    entry = json.loads((case / "expected.json").read_text())["leaf_entry"]
    data, pem = ((case / each).read_bytes() for each in ("receipt.cose", "log-key.pub"))
    assert theirs(data, bytes.fromhex(entry), pem)
    with pytest.raises(MalformedError, match="395: 1"):
        CoseReceipt.parse(data)
