"""A COSE receipt shows that an entry is under a root that the log has signed."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from tests.foreign import folder
from tests.reference.rfc6962 import Tree
from tests.statements import CI, Maker, signed
from verifier import cbor
from verifier.entry import Entry
from verifier.errors import (
    ConsistencyError,
    EntryError,
    InclusionError,
    MalformedError,
    SignatureError,
    UntrustedError,
    VerificationError,
)
from verifier.keys import Algorithm, PublicKey
from verifier.pem import parse_spki
from verifier.receipt.cose import (
    CoseReceipt,
    encode_consistency,
    encode_receipt,
    verify_consistency_receipt,
    verify_receipt,
)

ENTRIES = [b"entry %d" % number for number in range(11)]
TREE = Tree(ENTRIES)
HEADERS = {1: -19, 15: {1: "log.example/x", 2: "log.example/x"}, 395: 1}
PROTECTED = cbor2.dumps(HEADERS)
KEYS = [CI.public]


def proof(index: int, size: int) -> bytes:
    return cbor2.dumps([size, index, TREE.path(index, size)])


def receipt(index: int = 3, size: int = 7, **spoil) -> bytes:
    """A true receipt of an entry, or one that is spoiled in one place."""
    parts = {
        "protected": PROTECTED,
        "unprotected": {396: {-1: [proof(index, size)]}},
        "payload": None,
        "maker": CI,
    } | spoil
    root = TREE.mth(0, size)
    return signed(
        parts["protected"],
        parts["payload"],
        maker=parts["maker"],
        unprotected=parts["unprotected"],
        detached=root,
    )


def root_of(data: bytes, entry: bytes = ENTRIES[3], keys=KEYS) -> bytes:
    root, _ = verify_receipt(CoseReceipt.parse(data), entry, keys)
    return root


# The receipts of strangers


@pytest.mark.parametrize(
    "case", sorted((folder("scitt-cose") / "v1").iterdir()), ids=lambda path: path.name
)
def test_the_receipts_of_scitt_cose_hold_where_it_says_so(case: Path):
    expected = json.loads((case / "expected.json").read_text())
    statement = (case / "statement.cose").read_bytes()
    data = (case / "receipt.cose").read_bytes()
    if expected["protected_header"]["receipt"]["vds"] != 1:
        # Other structures than RFC 9162's are refused here, good ones as well.
        with pytest.raises(MalformedError, match="395: 1"):
            CoseReceipt.parse(data)
        return
    # Its leaves are the hash of the statement, which is an entry like any other.
    entry = sha256(statement).digest()
    assert entry.hex() == expected["leaf_entry"]
    keys = [_key(case / "log-key.pub")]
    try:
        root = root_of(data, entry, keys).hex()
    except VerificationError:
        root = None
    assert root == expected["reconstructed_root"]
    assert (root is not None) == expected["receipt_valid"]


def _key(path: Path) -> PublicKey:
    key = load_pem_public_key(path.read_bytes())
    return parse_spki(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


# What holds


@pytest.mark.parametrize("size", range(1, 12))
def test_every_entry_of_every_small_tree_is_shown(size):
    for index in range(size):
        data = receipt(index, size)
        assert root_of(data, ENTRIES[index]) == TREE.mth(0, size)


def test_what_we_write_is_what_is_read():
    message = CoseReceipt.parse(receipt()).message
    ours = encode_receipt(
        protected=PROTECTED,
        signature=message.signature,
        index=3,
        size=7,
        hashes=TREE.path(3, 7),
    )
    assert root_of(ours) == TREE.mth(0, 7)
    assert CoseReceipt.parse(ours).issuer == "log.example/x"


def test_the_only_entry_of_a_tree_has_an_empty_path():
    data = receipt(0, 1)
    assert CoseReceipt.parse(data).proofs[0].hashes == ()
    assert root_of(data, ENTRIES[0]) == TREE.mth(0, 1)


def test_an_attached_root_is_compared():
    data = receipt(payload=TREE.mth(0, 7))
    assert root_of(data) == TREE.mth(0, 7)


@pytest.mark.parametrize("root", [TREE.mth(0, 6), b"", b"text"])
def test_an_attached_root_that_is_wrong_is_never_believed(root):
    # The log has signed that root as well: nothing ties it to this entry.
    other = signed(
        PROTECTED, root, unprotected={396: {-1: [proof(3, 7)]}}, detached=root
    )
    with pytest.raises(InclusionError, match="another root"):
        root_of(other)


def test_of_several_proofs_one_has_to_lead_to_what_is_signed():
    both = {396: {-1: [proof(3, 5), proof(3, 7)]}}
    assert root_of(receipt(unprotected=both)) == TREE.mth(0, 7)
    none = {396: {-1: [proof(3, 5), proof(3, 6)]}}
    with pytest.raises(SignatureError):
        root_of(receipt(unprotected=none))


# What does not


def test_it_serves_one_entry_only():
    for each in ENTRIES[:3] + ENTRIES[4:]:
        with pytest.raises(SignatureError):
            root_of(receipt(), each)


def test_another_logs_key_has_not_signed_it():
    with pytest.raises(SignatureError):
        root_of(receipt(), keys=[Maker(number=2).public])
    assert root_of(receipt(), keys=[Maker(number=2).public, CI.public])


def test_without_a_key_nothing_is_believed():
    with pytest.raises(UntrustedError):
        root_of(receipt(), keys=[])


def test_an_algorithm_that_is_not_the_keys_is_refused():
    es256 = cbor2.dumps(HEADERS | {1: -7})
    with pytest.raises(SignatureError, match="algorithm -7"):
        root_of(receipt(protected=es256))


def test_the_structure_is_read_where_it_is_signed_and_nowhere_else():
    bare = cbor2.dumps({1: -19})
    with pytest.raises(MalformedError, match="395: 1"):
        CoseReceipt.parse(
            receipt(protected=bare, unprotected={395: 1, 396: {-1: [proof(3, 7)]}})
        )


@pytest.mark.parametrize("vds", [0, 2, True, "1", [1]])
def test_another_structure_is_not_taken_for_this_one(vds):
    with pytest.raises(MalformedError, match="395: 1"):
        CoseReceipt.parse(receipt(protected=cbor2.dumps({1: -19, 395: vds})))


@pytest.mark.parametrize(
    "vdp",
    [
        None,
        [],
        {},
        {-3: []},
        {-1: []},
        {-1: [b""]},
        {-1: b"\x80"},
        {-1: [5]},
        {-1: [proof(3, 7)], -2: [proof(3, 7)]},
        {-1: [proof(3, 7)] * 17},
        {-1: [proof(3, 7) + b"\0"]},
        {-1: [cbor2.dumps([7, 3])]},
        {-1: [cbor2.dumps([7, 3, [b"short"]])]},
        {-1: [cbor2.dumps([7, 3, ["x" * 32]])]},
        {-1: [cbor2.dumps([7, True, []])]},
        {-1: [cbor2.dumps(["7", 3, []])]},
        {-1: [cbor2.dumps([7, 3, [bytes(32)] * 65])]},
        {-1: [bytes.fromhex("83180703") + b"\x80"]},
    ],
)
def test_proofs_that_are_none_are_refused(vdp):
    with pytest.raises(MalformedError):
        CoseReceipt.parse(receipt(unprotected={396: vdp} if vdp is not None else {}))


@pytest.mark.parametrize(
    ("index", "size"), [(7, 7), (-1, 7), (3, 0), (3, 2**63), (3, 4), (2, 7)]
)
def test_a_proof_of_another_shape_leads_nowhere(index, size):
    spoiled = cbor2.dumps([size, index, TREE.path(3, 7)])
    with pytest.raises(VerificationError):
        root_of(receipt(unprotected={396: {-1: [spoiled]}}))


def test_a_size_is_no_more_than_what_the_receipt_says():
    # The same hashes lead from the same side in a larger tree: nobody has signed 7.
    said = cbor2.dumps([8, 3, TREE.path(3, 7)])
    assert root_of(receipt(unprotected={396: {-1: [said]}})) == TREE.mth(0, 7)


def test_a_dropped_repeated_or_swapped_hash_is_noticed():
    path = TREE.path(3, 7)
    for spoiled in (path[1:], path[:-1], path + path[-1:], path[::-1]):
        data = cbor2.dumps([7, 3, spoiled])
        with pytest.raises(VerificationError):
            root_of(receipt(unprotected={396: {-1: [data]}}))


def test_who_issued_it_is_the_signed_name_or_nobody():
    for claims in ({}, [], {1: 5}, None):
        protected = cbor2.dumps({1: -19, 15: claims, 395: 1})
        assert CoseReceipt.parse(receipt(protected=protected)).issuer is None


# Of a record log


ENTRY = Entry(at=2**41, by="s-1", type="text/plain", body=b"a body")


def wrapped(**spoil) -> CoseReceipt:
    around = {"v": 1, "at": ENTRY.at, "by": ENTRY.by, "type": ENTRY.type} | spoil
    kept = {name: value for name, value in around.items() if value is not None}
    data = receipt(unprotected={396: {-1: [proof(3, 7)]}, **kept})
    return CoseReceipt.parse(data)


def test_a_record_logs_receipt_makes_the_entry_of_the_body():
    assert wrapped().wrapped
    assert wrapped().entry_of(b"a body") == ENTRY.encode()
    assert not CoseReceipt.parse(receipt()).wrapped


def test_such_a_receipt_as_we_write_it_says_what_the_log_wrote():
    ours = encode_receipt(
        protected=PROTECTED, signature=b"", index=0, size=1, hashes=[], entry=ENTRY
    )
    assert CoseReceipt.parse(ours).entry_of(ENTRY.body) == ENTRY.encode()


@pytest.mark.parametrize(
    "spoil",
    [
        {"v": 2},
        {"v": True},
        {"v": None},
        {"at": None},
        {"at": "x"},
        {"at": 5},
        {"by": None},
        {"by": ""},
        {"by": b"s-1"},
        {"type": None},
        {"type": "x"},
    ],
)
def test_a_wrapper_that_no_log_writes_makes_no_entry(spoil):
    with pytest.raises(EntryError):
        wrapped(**spoil).entry_of(b"a body")


# Consistency


def grown(first: int = 3, second: int = 7, **spoil) -> CoseReceipt:
    proof = cbor2.dumps([first, second, TREE.consistency(first, second)])
    parts = {"unprotected": {396: {-2: [proof]}}, "payload": None} | spoil
    return CoseReceipt.parse(
        signed(
            PROTECTED,
            parts["payload"],
            unprotected=parts["unprotected"],
            detached=TREE.mth(0, second),
        )
    )


def grows_from(data: CoseReceipt, first: int = 3) -> bytes:
    root = TREE.mth(0, first)
    found, _ = verify_consistency_receipt(data, first, root, KEYS)
    return found


@pytest.mark.parametrize("second", range(1, 12))
def test_every_small_tree_is_the_beginning_of_every_later_one(second):
    for first in range(1, second + 1):
        assert grows_from(grown(first, second), first) == TREE.mth(0, second)


def test_a_receipt_of_growth_as_we_write_it_is_read():
    ours = encode_consistency(
        protected=PROTECTED,
        signature=grown().message.signature,
        first=3,
        second=7,
        hashes=TREE.consistency(3, 7),
    )
    assert grows_from(CoseReceipt.parse(ours)) == TREE.mth(0, 7)


def test_an_older_root_that_is_another_is_no_beginning():
    with pytest.raises(ConsistencyError):
        verify_consistency_receipt(grown(), 3, TREE.mth(0, 4), KEYS)
    with pytest.raises(ConsistencyError, match="from size 4"):
        grows_from(grown(), 4)
    with pytest.raises(ConsistencyError, match="another root"):
        grows_from(grown(payload=TREE.mth(0, 6)))
    assert grows_from(grown(payload=TREE.mth(0, 7)))


def test_the_one_kind_is_never_taken_for_the_other():
    with pytest.raises(InclusionError, match="consistency"):
        verify_receipt(grown(), ENTRIES[3], KEYS)
    with pytest.raises(ConsistencyError, match="inclusion"):
        grows_from(CoseReceipt.parse(receipt()))


# Cross-protocol


def test_what_signs_a_statement_signs_no_receipt():
    # A producer's statement whose payload is a root: it has no 395, and never gets one.
    statement = signed(cbor2.dumps({1: -19, 3: "x"}), TREE.mth(0, 7))
    with pytest.raises(MalformedError, match="395"):
        CoseReceipt.parse(statement)


def test_a_p256_log_signs_receipts_as_well():
    maker = Maker("p-256")
    es256 = cbor2.dumps(HEADERS | {1: -7})
    data = receipt(protected=es256, maker=maker)
    assert root_of(data, keys=[maker.public])
    raw = PublicKey(Algorithm.ECDSA_P256_RAW, maker.public.raw)
    assert root_of(data, keys=[raw])
    assert cbor.decode(data, tags={18}, sorted_keys=False)
    assert replace(CoseReceipt.parse(data), kind=-2).kind == -2
