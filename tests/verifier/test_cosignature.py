"""A cosignature says when its maker had seen which tree, and serves nothing else."""

import json
from base64 import b64decode

import pytest

from tests.foreign import folder
from tests.testlog import ORIGIN, TIME, Signer, checkpoint_text, signer
from verifier.checkpoint import Checkpoint
from verifier.cosignature import (
    ed25519_message,
    ml_dsa_message,
    split_time,
    verify_checkpoint_signature,
    verify_cosignature,
    verify_subtree_cosignature,
)
from verifier.errors import MalformedError, SignatureError
from verifier.keys import VerifierKey
from verifier.note import Note, NoteSignature

ROOT = bytes(range(32))
TEXT = checkpoint_text(7, ROOT)
ED25519 = signer("witness.example/ed", 0x04)
ML_DSA = signer("witness.example/ml", 0x06)
LATEST = 2**63 - 1


def blob(who: Signer, text: str = TEXT, time: int = TIME) -> bytes:
    """What stands behind the key id in the signature line of `who`."""
    return NoteSignature.parse(who.line(text, time)[:-1]).signature


def verify(who: Signer, signature: bytes, text: str = TEXT) -> int | None:
    """Check a line of `who` under `text`, as it is done for checkpoints."""
    checkpoint = Checkpoint.parse(text, extensions=True)
    key = VerifierKey.parse(who.vkey)
    return verify_checkpoint_signature(key, text, checkpoint, signature)


def refuse(who: Signer, signature: bytes, text: str = TEXT) -> None:
    with pytest.raises(SignatureError, match=who.name):
        verify(who, signature, text)


def foreign(name, file):
    return json.loads((folder(name) / file).read_text())


both = pytest.mark.parametrize("witness", [ED25519, ML_DSA], ids=["ed25519", "ml-dsa"])


# --- the signed bytes ---


def test_the_message_of_ed25519_is_that_of_the_specification():
    case = foreign("c2sp-spec-examples", "examples.json")
    note = Note.parse(case["cosigned_checkpoint_no_key_published"].encode())
    time, signature = split_time(note.signatures[1].signature)
    assert (time, len(signature)) == (case["cosignature_line_timestamp"], 64)
    message = ed25519_message(time, note.text).decode()
    assert message == case["ed25519_cosigned_message"]


def test_the_message_of_ml_dsa_is_that_of_the_specification():
    message = ml_dsa_message(
        cosigner="wit", time=0x0102, origin="log/ü", start=8, end=13, node=ROOT
    )
    assert message == (
        bytes.fromhex("73 75 62 74 72 65 65 2f 76 31 0a 00")  # subtree/v1\n\0
        + b"\x03wit"
        + bytes.fromhex("00 00 00 00 00 00 01 02")
        + b"\x06log/\xc3\xbc"
        + bytes.fromhex("00 00 00 00 00 00 00 08")
        + bytes.fromhex("00 00 00 00 00 00 00 0d")
        + ROOT
    )


def test_the_time_of_a_real_cosignature_is_read():
    case = foreign("transparency-dev-formats", "vkeys.json")["cosig_timestamp"]
    time, signature = split_time(b64decode(case["sig_base64"])[4:])
    assert (time, len(signature)) == (case["unix_seconds"], 64)


@both
@pytest.mark.parametrize("time", [0, 1, TIME, LATEST])
def test_a_cosignature_states_its_time(witness, time):
    assert verify(witness, blob(witness, time=time)) == time


@both
def test_a_time_beyond_2_to_the_63_is_refused(witness):
    with pytest.raises(MalformedError, match="beyond"):
        verify(witness, blob(witness, time=LATEST + 1))


@both
@pytest.mark.parametrize("size", [0, 1, 7, 8])
def test_a_cosignature_without_room_for_a_time_and_a_byte_is_refused(witness, size):
    with pytest.raises(MalformedError, match="too short"):
        verify(witness, blob(witness)[:size])


# --- what it covers ---


@both
@pytest.mark.parametrize("at", [0, 7, 8, -1])
def test_time_and_signature_cannot_be_changed(witness, at):
    spoiled = bytearray(blob(witness))
    spoiled[at] ^= 1
    refuse(witness, bytes(spoiled))


@both
@pytest.mark.parametrize(
    "other",
    [
        checkpoint_text(7, ROOT, origin=f"{ORIGIN}2"),
        checkpoint_text(8, ROOT),
        checkpoint_text(7, ROOT[::-1]),
    ],
    ids=["origin", "size", "root"],
)
def test_it_is_of_one_checkpoint_only(witness, other):
    refuse(witness, blob(witness), other)


def test_extension_lines_are_under_ed25519_and_not_under_ml_dsa():
    extended = f"{TEXT}a second story\n"
    assert verify(ML_DSA, blob(ML_DSA), extended) == TIME
    refuse(ED25519, blob(ED25519), extended)
    assert verify(ED25519, blob(ED25519, extended), extended) == TIME
    refuse(ED25519, blob(ED25519, extended), TEXT)


def test_ml_dsa_names_its_cosigner_and_ed25519_does_not():
    # Why whoever runs two witnesses needs two Ed25519 keys.
    renamed = Signer("witness.example/other", 0x04, ED25519.seed)
    assert verify(renamed, blob(ED25519)) == TIME
    refuse(Signer("witness.example/other", 0x06, ML_DSA.seed), blob(ML_DSA))


@pytest.mark.parametrize("long", ["a" * 255, "ü" * 127 + "a"])
def test_ml_dsa_signs_names_and_origins_of_up_to_255_bytes(long):
    text = checkpoint_text(7, ROOT, origin=long)
    witness = signer(long, 0x06)
    assert verify(witness, blob(witness, text), text) == TIME


@pytest.mark.parametrize("spoiled", ["cosigner", "origin"])
@pytest.mark.parametrize("text", ["", "a" * 256, "ü" * 128])
def test_ml_dsa_signs_no_empty_and_no_longer_ones(spoiled, text):
    true = {"cosigner": "w", "origin": "o"}
    span = {"time": TIME, "start": 0, "end": 7, "node": ROOT}
    assert ml_dsa_message(**true, **span)
    with pytest.raises(MalformedError, match="1 to 255"):
        ml_dsa_message(**true | {spoiled: text}, **span)


def test_an_origin_too_long_for_ml_dsa_is_long_enough_for_ed25519():
    text = checkpoint_text(7, ROOT, origin="a" * 256)
    assert verify(ED25519, blob(ED25519, text), text) == TIME
    with pytest.raises(MalformedError, match="the origin has 256 bytes"):
        verify(ML_DSA, blob(ML_DSA), text)


# --- one purpose each ---


def test_a_plain_signature_states_no_time():
    log = signer(ORIGIN, 0x01)
    assert verify(log, blob(log)) is None


def test_no_signature_of_one_purpose_serves_another_even_by_the_same_key():
    log, witness = (Signer(ORIGIN, kind, ED25519.seed) for kind in (0x01, 0x04))
    refuse(log, blob(witness))
    refuse(log, blob(witness)[8:])
    refuse(witness, bytes(8) + blob(log))
    refuse(witness, blob(witness)[:8] + blob(log))
    # A text that begins like a cosignature is no checkpoint that a log could sign.
    with pytest.raises(MalformedError, match="size"):
        Checkpoint.parse(ed25519_message(TIME, TEXT).decode(), extensions=True)


def test_a_key_for_texts_makes_no_cosignatures():
    log = signer(ORIGIN, 0x01)
    key, checkpoint = VerifierKey.parse(log.vkey), Checkpoint.parse(TEXT)
    with pytest.raises(SignatureError, match="not a key for cosignatures"):
        verify_cosignature(key, TEXT, checkpoint, bytes(8) + blob(log))


# --- subtrees ---


def subtree(start=8, end=13, time=0):
    """A true claim about a subtree, for a test to spoil."""
    span = {"origin": ORIGIN, "start": start, "end": end, "node": ROOT}
    signature = ML_DSA.subtree_blob(**span, time=time)
    return {"key": VerifierKey.parse(ML_DSA.vkey), "blob": signature} | span


@pytest.mark.parametrize(("start", "end"), [(8, 13), (0, 7), (12, 13), (2**62, LATEST)])
def test_a_subtree_is_cosigned_without_a_time(start, end):
    assert verify_subtree_cosignature(**subtree(start, end)) == 0


def test_only_a_subtree_from_0_is_cosigned_with_a_time():
    assert verify_subtree_cosignature(**subtree(0, 7, TIME)) == TIME
    with pytest.raises(MalformedError, match="without a time"):
        verify_subtree_cosignature(**subtree(8, 13, TIME))


def test_a_checkpoint_is_the_subtree_from_0():
    true = subtree(0, 7) | {"blob": blob(ML_DSA)}
    assert verify_subtree_cosignature(**true) == TIME


@pytest.mark.parametrize(
    "change",
    [{"origin": "other"}, {"start": 0}, {"end": 14}, {"node": ROOT[::-1]}],
    ids=["origin", "start", "end", "node"],
)
def test_the_cosignature_of_a_subtree_is_of_that_one_only(change):
    with pytest.raises(SignatureError, match=ML_DSA.name):
        verify_subtree_cosignature(**subtree() | change)


RANGES = [(8, 8), (9, 8), (-8, 8), (4, 9), (1, 3), (0, 2**63), (0, 2**64)]


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_a_range_that_is_no_subtree_is_refused(start, end):
    with pytest.raises(MalformedError, match="not a subtree"):
        verify_subtree_cosignature(**subtree() | {"start": start, "end": end})


@pytest.mark.parametrize("node", [b"", ROOT[:31], ROOT + b"\0"])
def test_the_hash_of_a_subtree_has_32_bytes(node):
    with pytest.raises(MalformedError, match="not a subtree"):
        verify_subtree_cosignature(**subtree() | {"node": node})


@pytest.mark.parametrize("kind", [0x01, 0x04])
def test_only_ml_dsa_signs_subtrees(kind):
    key = VerifierKey.parse(signer(ML_DSA.name, kind).vkey)
    with pytest.raises(SignatureError, match="only those sign subtrees"):
        verify_subtree_cosignature(**subtree() | {"key": key})
