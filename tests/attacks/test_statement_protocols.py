"""Attack: offer what was signed for one thing as the signature of another.

Here one Ed25519 key is everything at once, as it never should be: it signs the log's
checkpoints, its receipts and what it says itself, a witness's cosignatures, and as a
producer COSE statements and envelopes. Nothing that it has signed as one of them is
taken for another, also where whoever has it signed chooses every byte. (Threats:
cross-protocol attacks, replay of the log's own words.)
"""

import json
from base64 import b64encode

import cbor2
import pytest

from ledger.errors import Refused
from ledger.keys.keyfile import KeyFile, SigningKey
from ledger.keys.signer import Signer as LogSigner
from tests.livelog import LiveLog
from tests.statements import Maker, added, pae, sign1, signed
from tests.testlog import TIME, Signer, b64, checkpoint_text
from verifier.checkpoint import Checkpoint
from verifier.cose import Sign1, verify_sign1
from verifier.cosekey import thumbprint
from verifier.errors import MalformedError, VerificationError
from verifier.hashing import leaf_hash
from verifier.keys import KeyType, VerifierKey
from verifier.note import Note
from verifier.own import MEDIA_TYPE, encode_own
from verifier.policy import Policy
from verifier.producers import Producers
from verifier.producers.attribution import verify_statement
from verifier.receipt.cose import CoseReceipt, verify_receipt
from verifier.receipt.line import line_id, line_message, protected_of
from verifier.statement import Statement
from verifier.statement.own import check_not_own
from verifier.trust import verify_checkpoint

ORIGIN = "log.example/one-key"
ENTRY = b"the one entry"
ROOT = leaf_hash(ENTRY)
ONE = Maker(seed=b"\x2a" * 32)
LOG = Signer(ORIGIN, 0x01, b"\x2a" * 32)
WITNESS = Signer("witness.example/one-key", 0x04, b"\x2a" * 32)
TEXT = checkpoint_text(1, ROOT, ORIGIN)
RECEIPT = protected_of(ORIGIN, ONE.public, -19, "record")
STATED = cbor2.dumps({1: -19, 3: "text/plain", 15: {1: "one", 2: "x"}})
OWN = cbor2.dumps({1: -19, 3: MEDIA_TYPE, 15: {1: ORIGIN, 2: "freeze"}})
SAID = encode_own({"kind": "freeze", "reason": "the end"})
PAYLOAD = b"a payload"
PRODUCERS = Producers()
PRODUCERS.take({**added(ONE, name="one", issuers=()), "number": 0}, 0)


def sig_structure(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload])


MESSAGES = {
    "checkpoint": TEXT.encode(),
    "cosignature": f"cosignature/v1\ntime {TIME}\n{TEXT}".encode(),
    "receipt": sig_structure(RECEIPT, ROOT),
    "own": sig_structure(OWN, SAID),
    "statement": sig_structure(STATED, PAYLOAD),
    "envelope": pae("text/plain", PAYLOAD),
}
"""What the key signs as each."""


# What believes each of them: it raises where the signature is of something else.


def believe_checkpoint(signature: bytes, text: str = TEXT) -> None:
    line = f"\u2014 {ORIGIN} {b64(LOG.key_id + signature)}\n"
    policy = Policy.parse(f"log {LOG.vkey}\nquorum none\n".encode())
    verify_checkpoint(f"{text}\n{line}".encode(), policy)


def believe_cosignature(signature: bytes) -> None:
    lines = f"log {LOG.vkey}\nwitness w {WITNESS.vkey}\nquorum w\n"
    blob = WITNESS.key_id + TIME.to_bytes(8, "big") + signature
    cosigned = f"\u2014 {WITNESS.name} {b64(blob)}\n"
    verify_checkpoint(
        f"{TEXT}\n{LOG.line(TEXT)}{cosigned}".encode(), Policy.parse(lines.encode())
    )


def believe_receipt(signature: bytes) -> None:
    proof = cbor2.dumps([1, 0, []])
    data = signed(RECEIPT, None, unprotected={396: {-1: [proof]}}, signature=signature)
    verify_receipt(CoseReceipt.parse(data), ENTRY, [ONE.public])


def believe_own(signature: bytes) -> None:
    data = signed(OWN, SAID, signature=signature)
    verify_sign1(Sign1.parse(data), ONE.public)


def believe_statement(signature: bytes) -> None:
    data = signed(STATED, PAYLOAD, signature=signature)
    verify_statement(Statement.parse(data), PRODUCERS)


def believe_envelope(signature: bytes, payload=PAYLOAD, type_="text/plain") -> None:
    document = {
        "payload": b64encode(payload).decode(),
        "payloadType": type_,
        "signatures": [{"sig": b64encode(signature).decode()}],
    }
    verify_statement(Statement.parse(json.dumps(document).encode()), PRODUCERS)


BELIEVING = {
    "checkpoint": believe_checkpoint,
    "cosignature": believe_cosignature,
    "receipt": believe_receipt,
    "own": believe_own,
    "statement": believe_statement,
    "envelope": believe_envelope,
}


@pytest.mark.parametrize("signed_as", MESSAGES)
@pytest.mark.parametrize("offered_as", BELIEVING)
def test_a_signature_is_of_what_it_was_made_for(signed_as, offered_as):
    signature = ONE.sign(MESSAGES[signed_as])
    if signed_as == offered_as:
        BELIEVING[offered_as](signature)
        return
    with pytest.raises(VerificationError):
        BELIEVING[offered_as](signature)


@pytest.mark.parametrize("signed_as", MESSAGES)
@pytest.mark.parametrize("wanted", MESSAGES)
def test_a_payload_that_is_the_message_of_another_signs_that_other_not(
    signed_as, wanted
):
    # Somebody who signs whatever he is given is given exactly what the thief needs.
    message = MESSAGES[wanted]
    made = {
        "receipt": sig_structure(RECEIPT, message),
        "own": sig_structure(OWN, message),
        "statement": sig_structure(STATED, message),
        "envelope": pae("text/plain", message),
        "checkpoint": checkpoint_text(1, message, ORIGIN).encode(),
        "cosignature": b"cosignature/v1\ntime 1\n" + message,
    }
    with pytest.raises(VerificationError):
        BELIEVING[wanted](ONE.sign(made[signed_as]))


def test_no_two_kinds_of_messages_can_be_the_same_bytes():
    # By their first bytes, which nobody chooses who has something signed.
    firsts = {name: message[:1] for name, message in MESSAGES.items()}
    of_cose = {firsts.pop(name) for name in ("receipt", "own", "statement")}
    assert of_cose == {b"\x84"}  # of no text: it cannot begin a character
    with pytest.raises(UnicodeDecodeError):
        MESSAGES["receipt"].decode()
    assert MESSAGES["envelope"].startswith(b"DSSEv1 ")
    # The three of COSE differ in what is signed first: 395, or whose own type it is.
    assert 395 in cbor2.loads(RECEIPT)
    assert cbor2.loads(OWN)[3] == MEDIA_TYPE
    for headers in (STATED, OWN):
        assert 395 not in cbor2.loads(headers)


def test_an_envelope_that_reads_as_a_checkpoint_is_of_no_log():
    # DSSE begins as a text with spaces in it, and so would the name of that log.
    payload = f"x\n7\n{b64(ROOT)}\n".encode()
    message = pae("x", payload)
    text = message.decode()
    assert Checkpoint.parse(text).size == 7
    believe_envelope(ONE.sign(message), payload, "x")
    origin = Checkpoint.parse(text).origin
    named = Signer(origin, 0x01, LOG.seed).vkey
    with pytest.raises(MalformedError, match="space"):
        VerifierKey.parse(named)
    with pytest.raises(VerificationError):
        believe_checkpoint(ONE.sign(message), text)


# The log's signatures as statements


def log_signer() -> LogSigner:
    key = SigningKey(ORIGIN, KeyType.ED25519, b"\x2a" * 32)
    return LogSigner(KeyFile((key,), bytes(16)), "record")


def test_the_log_signs_as_we_think_it_does():
    signer = log_signer()
    note = Note.parse(signer.sign(Checkpoint(origin=ORIGIN, size=1, root=ROOT)))
    assert note.text == TEXT
    lines = {each.key_id: each.signature for each in note.signatures}
    assert lines[LOG.key_id] == ONE.sign(MESSAGES["checkpoint"])
    line = lines[line_id(ORIGIN, ONE.public, -19, "record")]
    assert line == ONE.sign(MESSAGES["receipt"])
    assert line_message(RECEIPT, ROOT) == MESSAGES["receipt"]
    own = signer.sign_own({"kind": "freeze", "reason": "the end"})
    assert Sign1.parse(own).headers[4] == thumbprint(ONE.public)


@pytest.fixture(params=["record", "statement"])
def log(request, tmp_path):
    """Another log, in which the first log's key is a producer's."""
    live = LiveLog(tmp_path / "log", kind=request.param, signed=True)
    with live.open() as opened:
        opened.register(added(ONE, name="one", issuers=()))
        yield opened
    live.check()


def refused(log, data: bytes) -> str:
    with pytest.raises(Refused) as caught:
        log.admission.admit_statement(data, by="s-1")
    assert caught.value.check in ("form", "producer", "payload")
    return str(caught.value)


def test_a_line_for_receipts_is_no_statement_with_the_root_as_its_payload(log):
    # All of it is there: headers, payload, and a good signature of a known key.
    signature = ONE.sign(MESSAGES["receipt"])
    data = signed(RECEIPT, ROOT, signature=signature)
    assert Sign1.parse(data).message() == MESSAGES["receipt"]
    assert "receipt" in refused(log, data)
    proof = cbor2.dumps([1, 0, []])
    around = {396: {-1: [proof]}}
    for payload in (ROOT, None):
        refused(log, signed(RECEIPT, payload, unprotected=around, signature=signature))


def test_what_a_log_said_of_itself_is_not_said_again_in_another(log):
    own = log_signer().sign_own({"kind": "freeze", "reason": "the end"})
    assert Statement.parse(own).signers([ONE.public])
    assert "only the log itself" in refused(log, own)


def test_what_a_log_said_of_itself_is_not_handed_in_to_it_again():
    claims = Statement.parse(signed(OWN, SAID)).claims
    for origin in (ORIGIN, "log.example/other"):
        with pytest.raises(MalformedError):
            check_not_own(claims, origin)


def test_a_statement_never_becomes_a_receipt_by_what_is_put_around_it():
    proof = cbor2.dumps([1, 0, []])
    for around in ({396: {-1: [proof]}}, {395: 1, 396: {-1: [proof]}}):
        for payload in (ROOT, None):
            data = signed(STATED, payload, unprotected=around, maker=ONE, detached=ROOT)
            with pytest.raises(MalformedError, match="395"):
                CoseReceipt.parse(data)


def test_cose_in_an_envelope_and_an_envelope_in_cose_are_what_is_around(log):
    inner = sign1(maker=Maker(number=9), issuer="x")
    believe_envelope(
        ONE.sign(pae("application/cose", inner)), inner, "application/cose"
    )
    outer = sign1(inner, maker=ONE, issuer="x")
    assert Statement.parse(outer).content == outer
    # Who has signed what is inside is nobody's word: the entry is the outer one.
    admitted = log.admission.admit_statement(outer, by="s-1")
    assert outer in admitted.data
    assert "none of the producers" in refused(log, inner)


def test_a_line_for_receipts_is_no_line_of_a_note():
    receipt = b64(LOG.key_id + ONE.sign(MESSAGES["receipt"]))
    line = f"\u2014 {ORIGIN} {receipt}\n"
    policy = Policy.parse(f"log {LOG.vkey}\nquorum none\n".encode())
    for lines in (line, line + LOG.line(TEXT)):
        with pytest.raises(VerificationError):
            verify_checkpoint(f"{TEXT}\n{lines}".encode(), policy)
