"""Out of a checkpoint's line anybody makes the COSE receipt; no key is needed."""

from itertools import product

import pytest

from tests.reference.rfc6962 import Tree
from tests.statements import sign1
from tests.testlog import LOG, ORIGIN, b64, checkpoint_text, note, receipt_text, signer
from verifier.cose import Sign1
from verifier.entry import Entry
from verifier.errors import SignatureError
from verifier.keys import VerifierKey
from verifier.note import Note, NoteSignature
from verifier.policy import Policy
from verifier.receipt import Receipt
from verifier.receipt.cose import KINDS, CoseReceipt, verify_receipt
from verifier.receipt.line import (
    ALGORITHMS,
    NoLineError,
    cose_receipt,
    find_line,
    line_id,
    line_message,
    protected_of,
    signed_kind,
)
from verifier.receipt.transparent import TransparentStatement, with_receipts
from verifier.trust import verify_checkpoint

ENTRIES = [b"entry %d" % number for number in range(5)]
TREE = Tree(ENTRIES)
ROOT = TREE.mth(0, 5)
TEXT = checkpoint_text(5, ROOT)
KEY = VerifierKey.parse(LOG.vkey)
LATER = VerifierKey.parse(signer(ORIGIN, 0x06).vkey)


def line(
    algorithm: int = -19,
    *,
    root: bytes = ROOT,
    name: str = ORIGIN,
    kind: str = "record",
    shown: str | None = None,
) -> str:
    message = line_message(protected_of(name, KEY.public_key, algorithm, kind), root)
    key_id = line_id(name, KEY.public_key, algorithm, shown or kind)
    return NoteSignature(name, key_id, LOG.sign(message)).text()


def receipt(*lines: str, index: int = 2) -> Receipt:
    checkpoint = note(TEXT, LOG.line(TEXT), *lines)
    return Receipt.parse(receipt_text(index, TREE.path(index, 5), checkpoint))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("index", range(5))
def test_with_the_line_the_receipt_is_made_without_a_key(algorithm, index):
    made = CoseReceipt.parse(cose_receipt(receipt(line(algorithm), index=index), [KEY]))
    assert made.message.headers[1] == algorithm
    assert made.issuer == ORIGIN
    root, _ = verify_receipt(made, ENTRIES[index], [KEY.public_key])
    assert root == ROOT


def test_of_a_record_log_it_says_what_the_log_wrote():
    entry = Entry(at=2**41, by="s-1", type="text/plain", body=b"x")
    made = CoseReceipt.parse(cose_receipt(receipt(line()), [KEY], entry))
    assert made.entry_of(b"x") == entry.encode()


def test_without_the_line_there_is_none():
    with pytest.raises(NoLineError):
        cose_receipt(receipt(), [KEY])
    with pytest.raises(NoLineError):
        cose_receipt(receipt(line()), [])
    with pytest.raises(NoLineError):
        cose_receipt(receipt(line()), [LATER])


def test_a_line_under_another_name_is_another_logs():
    assert find_line(Note.parse(receipt(line(name="x")).checkpoint), [KEY]) is None


def test_the_line_of_another_tree_makes_a_receipt_that_does_not_hold():
    made = CoseReceipt.parse(cose_receipt(receipt(line(root=TREE.mth(0, 4))), [KEY]))
    with pytest.raises(SignatureError):
        verify_receipt(made, ENTRIES[2], [KEY.public_key])


def test_who_reads_notes_passes_over_it():
    policy = Policy.parse(f"log {LOG.vkey}\nquorum none\n".encode())
    plain, more = note(TEXT, LOG.line(TEXT)), note(TEXT, line(), LOG.line(TEXT))
    assert verify_checkpoint(more, policy) == verify_checkpoint(plain, policy)
    forged = note(TEXT, f"\u2014 {ORIGIN} {b64(b'abcd' + bytes(64))}\n", LOG.line(TEXT))
    assert verify_checkpoint(forged, policy) == verify_checkpoint(plain, policy)


def test_its_key_id_is_that_of_no_signature_of_notes():
    ids = {
        line_id(ORIGIN, KEY.public_key, *each) for each in product(ALGORITHMS, KINDS)
    }
    assert len(ids) == len(ALGORITHMS) * len(KINDS)
    assert KEY.id not in ids


def kind_said(*lines: str, keys=(KEY,)) -> str | None:
    return signed_kind(Note.parse(receipt(*lines).checkpoint), keys)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_says_of_which_kind_the_log_is(kind, algorithm):
    assert kind_said(line(algorithm, kind=kind)) == kind
    made = CoseReceipt.parse(cose_receipt(receipt(line(algorithm, kind=kind)), [KEY]))
    assert made.log_kind == kind


def test_nobody_else_says_of_which_kind_the_log_is():
    assert kind_said() is None
    assert kind_said(line(root=TREE.mth(0, 4))) is None
    assert kind_said(line(kind="opaque", shown="record")) is None
    assert kind_said(line(name="x")) is None
    assert kind_said(line(), keys=[LATER]) is None
    # Nor another log of the same policy, and be it with the same key.
    other = VerifierKey("x", KEY.type, KEY.public_key)
    assert kind_said(line(name="x"), keys=[other, KEY]) is None


def test_what_is_wrong_does_not_hide_what_is_right():
    wrong = line(kind="opaque", shown="record")
    assert kind_said(wrong, line(kind="opaque")) == "opaque"


def test_a_statement_that_carries_receipts_is_read_back():
    made = with_receipts(sign1(unprotected={9: 1}), [b"one", b"two"])
    message = Sign1.parse(made)
    assert TransparentStatement.of(message).receipts == (b"one", b"two")
    assert message.bare() == sign1()
    assert set(message.unprotected) == {394}
