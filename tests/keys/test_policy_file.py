"""The policy that a log hands out believes that log, by its keys, and nobody else."""

import pytest

from ledger.keys.keyfile import KeyFile, SigningKey
from ledger.keys.policy import policy_text
from ledger.keys.signer import Signer
from tests import testlog
from verifier import Policy, verify_checkpoint
from verifier.checkpoint import Checkpoint
from verifier.errors import MalformedError, UntrustedError
from verifier.hashing import EMPTY_ROOT
from verifier.keys import KeyType, VerifierKey

ORIGIN = "log.example/keys"
OLD, OLD_ML_DSA, NEW, NEW_ML_DSA = KEYS = tuple(
    SigningKey(ORIGIN, kind, bytes([number]) * 32)
    for number, kind in enumerate(
        [KeyType.ED25519, KeyType.ML_DSA_COSIGNATURE] * 2, start=1
    )
)


def public(*keys: SigningKey):
    return [key.verifier_key for key in keys]


def policy(*keys: SigningKey) -> Policy:
    return Policy.parse(policy_text(ORIGIN, public(*keys)).encode())


def signed(*keys: SigningKey, time: int | None = None) -> bytes:
    """A checkpoint of the empty tree, which every log has had."""
    anchored = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    return Signer(KeyFile(keys, bytes(16)), "record").sign(anchored, time=time)


def as_it_says(text: str) -> str:
    """The policy after what its comment says to do against quantum computers."""
    lines = [line for line in text.split("\n") if not line.startswith("log ")]
    return "\n".join(
        line.removeprefix("#") if line.startswith("#log ") else line for line in lines
    )


def test_what_the_log_signs_is_believed():
    trusted = verify_checkpoint(signed(OLD, OLD_ML_DSA), policy(OLD, OLD_ML_DSA))
    assert list(trusted.logs) == public(OLD)


def test_no_witness_is_asked():
    assert not policy(OLD, OLD_ML_DSA).asks_witnesses


def test_what_another_signs_is_not_believed():
    with pytest.raises(UntrustedError, match="not signed by"):
        verify_checkpoint(signed(NEW), policy(OLD))


def test_ed25519_keys_are_listed_oldest_first_and_ml_dsa_44_keys_in_comments():
    assert policy(*KEYS).logs == public(OLD, NEW)
    lines = policy_text(ORIGIN, public(*KEYS)).split("\n")
    assert [line for line in lines if line.startswith("#log ")] == [
        f"#log {key.text()}" for key in public(OLD_ML_DSA, NEW_ML_DSA)
    ]


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_in_a_rotation_each_generation_of_policy_believes(key):
    assert verify_checkpoint(signed(*KEYS), policy(key)).logs == {
        key.verifier_key: None
    }


def test_after_a_rotation_the_policy_of_both_keys_still_believes():
    for keys in (KEYS[:2], KEYS, KEYS[2:]):
        verify_checkpoint(signed(*keys), policy(*KEYS))


def test_the_policy_against_quantum_computers_lists_only_ml_dsa_44():
    against = Policy.parse(as_it_says(policy_text(ORIGIN, public(*KEYS))).encode())
    assert against.logs == public(OLD_ML_DSA, NEW_ML_DSA)
    verify_checkpoint(signed(*KEYS, time=testlog.TIME), against)
    with pytest.raises(UntrustedError, match="not signed by"):
        verify_checkpoint(signed(*KEYS), against)


def test_a_log_without_ml_dsa_44_promises_nothing_about_quantum_computers():
    assert "quantum" not in policy_text(ORIGIN, public(OLD))
    assert "quantum" in policy_text(ORIGIN, public(OLD, OLD_ML_DSA))


@pytest.mark.parametrize(
    "name", ["ü", "#", "none", "{origin}", "%s", "x" * 255, "é" * 127], ids=ascii
)
def test_every_name_that_a_key_can_have_makes_a_policy(name):
    key = SigningKey(name, KeyType.ED25519, bytes(32)).verifier_key
    assert Policy.parse(policy_text(name, [key]).encode()).logs == [key]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([], "no Ed25519 key"),
        (public(OLD_ML_DSA), "no Ed25519 key"),
        (public(OLD, OLD), "is listed already"),
        ([*public(OLD), VerifierKey.parse(testlog.LOG.vkey)], "not named"),
    ],
    ids=["no key", "ML-DSA-44 alone", "a key twice", "another log's"],
)
def test_keys_that_make_no_policy_of_this_log_are_refused(keys, words):
    with pytest.raises(MalformedError, match=words):
        policy_text(ORIGIN, keys)
