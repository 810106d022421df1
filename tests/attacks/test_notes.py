"""Attack: make a note say to one reader what it does not say to another.

Key ids are short and free to choose, names and origins travel in the same lines
as signatures, and languages disagree on what a line is. (Threats: note injection,
key confusion, base64 ambiguity.)
"""

from base64 import b64decode

import pytest

from tests.testlog import (
    LOG,
    ORIGIN,
    TIME,
    WITNESSES,
    Signer,
    b64,
    checkpoint_text,
    note,
    policy_text,
    signer,
)
from verifier import Policy, verify_checkpoint
from verifier.checkpoint import Checkpoint
from verifier.errors import MalformedError, VerificationError
from verifier.keys import VerifierKey, verify_signature
from verifier.note import Note

ROOT = bytes(range(32))
TEXT = checkpoint_text(7, ROOT)
THIEF = signer("thief.example")


def forged(name: str, key_id: bytes, signature: bytes) -> str:
    """A signature line under a name and an id of the attacker's choice."""
    return f"\u2014 {name} {b64(key_id + signature)}\n"


def believe(data: bytes, policy: bytes | None = None) -> Checkpoint:
    asked = policy or policy_text(quorum=0)
    return verify_checkpoint(data, Policy.parse(asked)).checkpoint


def refuse(data: bytes, check: str, policy: bytes | None = None) -> None:
    with pytest.raises(VerificationError) as raised:
        believe(data, policy)
    assert raised.value.check == check


def test_the_true_checkpoint_is_believed():
    assert believe(note(TEXT, LOG.line(TEXT))).size == 7


# --- the key id proves nothing ---


def test_a_key_with_a_colliding_id_signs_for_nobody_else():
    # Four bytes are found in seconds; the pinned key decides all the same.
    line = forged(ORIGIN, LOG.key_id, THIEF.sign(TEXT.encode()))
    refuse(note(TEXT, line), "signature")
    refuse(note(TEXT, line, LOG.line(TEXT)), "signature")


def test_a_witness_is_not_impersonated_by_its_name_and_id():
    witness = WITNESSES[0]
    blob = TIME.to_bytes(8, "big") + THIEF.sign(
        f"cosignature/v1\ntime {TIME}\n{TEXT}".encode()
    )
    line = forged(witness.name, witness.key_id, blob)
    refuse(note(TEXT, LOG.line(TEXT), line), "signature", policy_text(quorum=1))


def test_a_thief_with_the_name_of_the_log_and_a_key_of_his_own_is_a_stranger():
    thief = Signer(ORIGIN, 0x01, THIEF.seed)
    refuse(note(TEXT, thief.line(TEXT)), "log")
    assert believe(note(TEXT, thief.line(TEXT), LOG.line(TEXT))).size == 7


@pytest.mark.parametrize("kind", [0x01, 0x04, 0x06])
def test_a_vkey_cannot_claim_the_id_of_another(kind):
    thief = Signer(ORIGIN, kind, THIEF.seed)
    confused = thief.vkey.replace(thief.key_id.hex(), LOG.key_id.hex())
    assert confused != thief.vkey
    with pytest.raises(MalformedError, match="its key has"):
        VerifierKey.parse(confused)


def test_a_vkey_hides_no_second_key_behind_a_plus():
    for vkey in (f"{LOG.vkey}+{THIEF.vkey}", f"{THIEF.name}+{LOG.vkey}"):
        with pytest.raises(MalformedError):
            VerifierKey.parse(vkey)


# --- lines that are not where they seem to be ---


def test_an_origin_with_a_newline_moves_the_lines_below_it():
    # Whoever names a log "a\n5\nROOT" signs a text in which these are its lines.
    text = checkpoint_text(7, ROOT, origin=f"{ORIGIN}\n5\n{b64(ROOT)}")
    refuse(note(text, LOG.line(text)), "form")
    with pytest.raises(MalformedError, match="one reading"):
        Checkpoint(origin=f"{ORIGIN}\n5", size=7, root=ROOT)


@pytest.mark.parametrize("separator", "\x85\u2028\u2029\x7f")
def test_what_some_call_a_line_break_starts_no_line(separator):
    # To str.splitlines() this is the checkpoint of ORIGIN, and its root is next.
    text = f"{ORIGIN}{separator}9\n7\n{b64(ROOT)}\n"
    refuse(note(text, LOG.line(text)), "log")
    assert Checkpoint.parse(text).origin == f"{ORIGIN}{separator}9"


@pytest.mark.parametrize("separator", "\v\f\r\x1c\x1d\x1e")
def test_no_control_character_starts_a_line(separator):
    text = f"{ORIGIN}{separator}9\n7\n{b64(ROOT)}\n"
    refuse(note(text, LOG.line(text)), "form")


def test_a_signature_line_inside_the_text_signs_nothing():
    inner = note(TEXT, LOG.line(TEXT)).decode()
    outer = note(inner, THIEF.line(inner))
    assert Note.parse(outer).text == inner
    refuse(outer, "form")
    with pytest.raises(VerificationError):
        believe(outer, policy_text(logs=(THIEF,), quorum=0))


def test_a_second_note_behind_the_first_takes_its_text_away():
    other = checkpoint_text(8, ROOT)
    both = note(TEXT, LOG.line(TEXT)) + note(other, LOG.line(other))
    refuse(both, "form")
    refuse(note(TEXT, LOG.line(TEXT)) + b"\n" + LOG.line(TEXT).encode(), "form")


def test_a_signature_line_in_an_extension_is_read_by_nobody():
    text = TEXT + THIEF.line(TEXT)
    refuse(note(text, LOG.line(text)), "form")


def test_a_name_with_an_invisible_character_is_another_name():
    for name in (f"{ORIGIN}\u200b", ORIGIN.replace("e", "\u0435"), ORIGIN.upper()):
        text = checkpoint_text(7, ROOT, origin=name)
        refuse(note(text, signer(name).line(text)), "log")


# --- one signature, one spelling, one purpose ---


def test_base64_that_throws_bits_away_is_no_second_spelling():
    line = LOG.line(TEXT)
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
        other = f"{line[:-3]}{last}=\n"
        generous = b64decode(other.split(" ")[2]) == b64decode(line.split(" ")[2])
        if generous and other != line:
            refuse(note(TEXT, other), "form")


def test_a_signature_is_not_moved_by_the_order_of_the_group():
    # s + L verifies the same equation; who took it would have two spellings.
    order = 2**252 + 27742317777372353535851937790883648493
    key = VerifierKey.parse(LOG.vkey).public_key
    signature = LOG.sign(TEXT.encode())
    verify_signature(key, TEXT.encode(), signature)
    s = int.from_bytes(signature[32:], "little") + order
    moved = signature[:32] + s.to_bytes(32, "little")
    refuse(note(TEXT, forged(ORIGIN, LOG.key_id, moved)), "signature")


def test_what_a_producer_signed_is_not_a_checkpoint():
    # The log's key is asked to sign a record that looks like its cosignature.
    witness = Signer(ORIGIN, 0x04, LOG.seed)
    line = forged(
        ORIGIN, witness.key_id, TIME.to_bytes(8, "big") + LOG.sign(b"a record")
    )
    policy = policy_text(witnesses=(witness,), quorum=1)
    refuse(note(TEXT, LOG.line(TEXT), line), "signature", policy)
