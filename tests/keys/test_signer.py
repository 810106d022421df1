"""The log signs what the anchor holds: one history, by every key, or nothing at all."""

import json
import threading
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace

import nacl.bindings
import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

import ledger.keys.signer
from ledger.errors import Halted
from ledger.keys.keyfile import KeyFile, SigningKey
from ledger.keys.signer import Signer
from tests import receiptline, testlog
from tests.foreign import folder
from tests.reference.rfc6962 import Tree
from verifier import Policy, VerificationError, verify_checkpoint
from verifier.keys import KeyType
from verifier.note import Note

ORIGIN = "log.example/keys"
TIME = testlog.TIME
TREE = Tree([bytes([number]) for number in range(9)])
OLD, OLD_ML_DSA, NEW, NEW_ML_DSA = KEYS = tuple(
    SigningKey(ORIGIN, kind, bytes([number]) * 32)
    for number, kind in enumerate(
        [KeyType.ED25519, KeyType.ML_DSA_COSIGNATURE] * 2, start=1
    )
)


@dataclass(frozen=True)
class Held:
    """What an anchor holds."""

    size: int
    root: bytes


def held(size: int) -> Held:
    return Held(size, TREE.mth(0, size))


def signer(*keys: SigningKey) -> Signer:
    return Signer(KeyFile(keys or KEYS[:2], bytes(16)), "record")


def policy(*keys: SigningKey) -> Policy:
    """A policy that lists `keys` and asks nobody else."""
    signers = map(as_tests_sign, keys)
    return Policy.parse(testlog.policy_text(signers, quorum=0))


def as_tests_sign(key: SigningKey) -> testlog.Signer:
    return testlog.Signer(key.name, key.type.value, key.seed)


def ids(note: bytes) -> list[bytes]:
    return [each.key_id for each in Note.parse(note).signatures]


def receipt_id(key: SigningKey, algorithm: int = -19) -> bytes:
    return receiptline.line_id(as_tests_sign(key), "record", algorithm)


def receipt_line(key: SigningKey, size: int, algorithm: int = -19) -> str:
    root = TREE.mth(0, size)
    return receiptline.line(as_tests_sign(key), "record", root, algorithm)


# What is signed


@pytest.mark.parametrize("size", range(10))
def test_a_checkpoint_of_what_is_held_is_believed(size):
    trusted = verify_checkpoint(signer().sign(held(size)), policy(OLD))
    assert trusted.checkpoint.origin == ORIGIN
    assert trusted.checkpoint.size == size
    assert trusted.checkpoint.root == TREE.mth(0, size)


def test_an_ed25519_checkpoint_is_the_same_bytes_each_time_and_in_each_process():
    text = testlog.checkpoint_text(5, TREE.mth(0, 5), ORIGIN)
    note = testlog.note(text, as_tests_sign(OLD).line(text), receipt_line(OLD, 5))
    ours = signer()
    assert [ours.sign(held(5)), ours.sign(held(5)), signer().sign(held(5))] == [
        note
    ] * 3


def test_a_key_of_gos_note_package_signs_as_it_does_there():
    vectors = json.loads((folder("golang-xmod") / "note_vectors.json").read_text())
    known = vectors["sign_kat"]
    key = SigningKey.parse("+".join(known["skey_parts"]))
    signature = ledger.keys.signer.ready(key).sign(known["text"].encode())
    (line,) = Note.parse(known["signed_note"].encode()).signatures
    assert (line.name, line.key_id) == (key.name, key.verifier_key.id)
    assert line.signature == signature


def test_with_a_time_the_ml_dsa_44_key_alone_is_enough_and_states_it():
    note = signer().sign(held(5), time=TIME)
    trusted = verify_checkpoint(note, policy(OLD_ML_DSA))
    assert trusted.logs == {OLD_ML_DSA.verifier_key: TIME}
    assert trusted.newest == TIME


def test_without_a_time_nothing_is_cosigned():
    with pytest.raises(VerificationError, match="not signed by"):
        verify_checkpoint(signer().sign(held(5)), policy(OLD_ML_DSA))


def test_a_log_without_ml_dsa_44_signs_the_same_with_a_time_and_without():
    assert signer(OLD).sign(held(5), time=TIME) == signer(OLD).sign(held(5))


def test_in_a_rotation_every_key_signs_ed25519_first_and_the_oldest_first():
    expected = [key.verifier_key.id for key in (OLD, NEW)]
    expected += [receipt_id(OLD), receipt_id(NEW)]
    expected += [key.verifier_key.id for key in (OLD_ML_DSA, NEW_ML_DSA)]
    assert ids(signer(*KEYS).sign(held(5))) == expected[:4]
    assert ids(signer(*KEYS).sign(held(5), time=TIME)) == expected


@pytest.mark.parametrize("key", KEYS, ids=["old", "old ML-DSA", "new", "new ML-DSA"])
def test_in_a_rotation_a_policy_with_any_one_of_the_keys_believes(key):
    note = signer(*KEYS).sign(held(5), time=TIME)
    assert list(verify_checkpoint(note, policy(key)).logs) == [key.verifier_key]


def test_the_public_keys_are_those_of_the_file_in_its_order():
    assert signer(*KEYS).verifier_keys() == [key.verifier_key for key in KEYS]
    assert signer(*KEYS).origin == ORIGIN


# One history


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (held(4), "of size 4 after one of size 5: a log never shrinks"),
        (Held(5, TREE.mth(0, 4)), "another root for size 5: that would be two hist"),
    ],
    ids=["a smaller tree", "another root at the same size"],
)
def test_another_history_is_refused_unsigned_and_forgotten(monkeypatch, wrong, words):
    ours = signer()
    note = ours.sign(held(5))
    with monkeypatch.context() as watched:
        watched.setattr(nacl.bindings, "crypto_sign", lambda *_: pytest.fail("signed"))
        with pytest.raises(Halted, match=words):
            ours.sign(wrong, time=TIME)
    assert ours.signed == 1
    assert ours.sign(held(5)) == note


def test_a_tree_whose_signing_failed_is_remembered_all_the_same(monkeypatch):
    ours = signer()
    with monkeypatch.context() as broken:
        broken.setattr(nacl.bindings, "crypto_sign", lambda *_: bytes(64))
        with pytest.raises(Halted):
            ours.sign(held(5))
    with pytest.raises(Halted, match="another root for size 5"):
        ours.sign(Held(5, bytes(32)))


class Overtaken(Signer):
    """Looks at its memory, and lets `other` go first before it writes there."""

    other: threading.Thread

    @property
    def _last(self):
        known = self.known
        if threading.current_thread() is not self.other and not self.other.ident:
            self.other.start()
            self.other.join(0.2)  # it waits for us, so there is no end to await
        return known

    @_last.setter
    def _last(self, checkpoint):
        self.known = checkpoint


def test_two_threads_cannot_get_two_roots_signed():
    def sign_another():
        with pytest.raises(Halted, match="another root"):
            ours.sign(Held(5, bytes(32)))

    ours = Overtaken(KeyFile(KEYS[:2], bytes(16)), "record")
    ours.other = threading.Thread(target=sign_another)
    ours.sign(held(5))
    ours.other.join()
    assert ours.signed == 1


@pytest.mark.parametrize(("size", "length"), [(-1, 32), (5, 31), (0, 32)])
def test_what_is_no_tree_is_not_signed(size, length):
    with pytest.raises(Halted, match="asked to sign what is no tree"):
        signer().sign(Held(size, bytes(length)))


def test_checkpoints_are_counted_and_not_their_signatures():
    ours = signer(*KEYS)
    assert ours.signed == 0
    for size in (0, 5, 5, 9):
        ours.sign(held(size), time=TIME)
    assert ours.signed == 4


# Never a wrong signature


def flip(signature: bytes) -> bytes:
    return bytes([signature[0] ^ 1]) + signature[1:]


@pytest.mark.parametrize("turn", [1, 2], ids=["the old key", "the new key"])
def test_a_wrong_ed25519_signature_is_never_released(monkeypatch, turn):
    ours, real, calls = signer(*KEYS), nacl.bindings.crypto_sign, count(1)

    def faulty(message, secret):
        signed = real(message, secret)
        return flip(signed) if next(calls) == turn else signed

    monkeypatch.setattr(nacl.bindings, "crypto_sign", faulty)
    with pytest.raises(Halted, match=r"was not released: .* does not verify"):
        ours.sign(held(5))
    assert ours.signed == 0


def test_a_wrong_ml_dsa_44_signature_is_never_released(monkeypatch):
    def faulty(seed):
        real = MLDSA44PrivateKey.from_seed_bytes(seed)
        return SimpleNamespace(sign=lambda message: flip(real.sign(message)))

    library = SimpleNamespace(MLDSA44PrivateKey=SimpleNamespace(from_seed_bytes=faulty))
    monkeypatch.setattr(ledger.keys.signer, "mldsa", library)
    ours = signer()
    with pytest.raises(
        Halted, match=r"was not released: the cosignature of .* does not"
    ):
        ours.sign(held(5), time=TIME)
    assert ours.signed == 0


def test_a_time_that_no_verifier_reads_is_not_released():
    with pytest.raises(Halted, match=r"was not released: .* time is beyond"):
        signer().sign(held(5), time=2**63)


def test_a_signer_shows_no_seed():
    ours = signer(*KEYS)
    shown = f"{ours!r} {ours._keys!r}"
    assert not [key for key in KEYS if repr(key.seed)[2:-1] in shown]
