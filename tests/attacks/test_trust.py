"""Attack: have a tree believed that the log's readers have not all been shown.

The attacker has the log's key. What is left against him is what the reader
brings: a policy with witnesses, a limit on age, and the end of a frozen log.
(Threats: split view, stale view, stolen key, trust from the bundle itself.)
"""

from dataclasses import replace

import pytest

from tests.testlog import (
    LOG,
    ORIGIN,
    TIME,
    WITNESSES,
    Signer,
    TestLog,
    checkpoint_text,
    note,
    policy_text,
    receipt_text,
    signer,
)
from verifier import (
    Limits,
    Note,
    Policy,
    Receipt,
    verify_checkpoint,
    verify_inclusion,
)
from verifier.errors import MalformedError, VerificationError
from verifier.hashing import leaf_hash

DAY = 86_400
ENTRIES = [b"one", b"two", b"three"]


@pytest.fixture
def log(tmp_path):
    return TestLog(tmp_path / "log", list(ENTRIES))


@pytest.fixture
def fork(tmp_path):
    """Another tree under the same key."""
    return TestLog(tmp_path / "fork", [*ENTRIES[:2], b"another three"])


def signed_by_the_log_alone(log: TestLog, *witnesses: Signer) -> bytes:
    text = checkpoint_text(len(log.entries), log.tree.mth(0, len(log.entries)))
    return note(text, LOG.line(text), *(each.line(text) for each in witnesses))


def refuse(data: bytes, check: str, policy: bytes, **limits) -> None:
    with pytest.raises(VerificationError) as raised:
        verify_checkpoint(data, Policy.parse(policy), Limits(**limits))
    assert raised.value.check == check


# --- split view ---


def test_a_split_view_that_no_quorum_cosigned_is_refused(log, fork):
    assert verify_checkpoint(log.checkpoint(), log.policy).checkpoint.size == 3
    refuse(signed_by_the_log_alone(fork), "quorum", log.policy_text)
    refuse(signed_by_the_log_alone(fork, WITNESSES[0]), "quorum", log.policy_text)


def test_the_cosignatures_of_the_one_view_do_not_serve_the_other(log, fork):
    cosignatures = log.checkpoint().partition(b"\n\n")[2].split(b"\n", 1)[1]
    assert cosignatures.count(b"witness.example") == len(WITNESSES)
    mixed = signed_by_the_log_alone(fork) + cosignatures
    refuse(mixed, "signature", log.policy_text)


def test_a_stranger_with_many_keys_is_no_quorum(log, fork):
    crowd = [signer(f"witness.example/crowd{n}", 0x04) for n in range(50)]
    refuse(signed_by_the_log_alone(fork, *crowd), "quorum", log.policy_text)


def test_one_witness_under_three_names_is_one_witness(log, fork):
    seed = WITNESSES[0].seed
    thrice = [Signer(f"witness.example/w{n}", 0x04, seed) for n in (1, 2, 3)]
    data = signed_by_the_log_alone(fork, *thrice)
    refuse(data, "quorum", log.policy_text)
    with pytest.raises(MalformedError, match="listed already"):
        Policy.parse(policy_text(witnesses=thrice))


def test_a_receipt_out_of_the_other_view_is_refused(log, fork):
    true = Receipt.parse(fork.receipt(2))
    verify_inclusion(
        leaf_hash(b"another three"),
        index=2,
        size=3,
        proof=true.proof,
        root=fork.tree.mth(0, 3),
    )
    data = receipt_text(2, true.proof, signed_by_the_log_alone(fork))
    refuse(Receipt.parse(data).checkpoint, "quorum", log.policy_text)


# --- trust out of the evidence ---


def test_the_policy_in_the_evidence_is_believed_by_nobody(log):
    """Extra data, extension lines and unknown lines bring keys; none is used."""
    thief = Signer(ORIGIN, 0x01, b"thief".ljust(32))
    text = checkpoint_text(1, leaf_hash(b"forged"))
    own_policy = policy_text(logs=(thief,), quorum=0)
    data = note(text, thief.line(text))
    assert verify_checkpoint(data, Policy.parse(own_policy))
    receipt = Receipt(index=0, proof=(), checkpoint=data, extra=own_policy)
    read = Receipt.parse(receipt.encode())
    assert read.extra == own_policy
    for policy in (log.policy_text, policy_text(quorum=0)):
        refuse(read.checkpoint, "log", policy)


def test_a_checkpoint_that_contains_a_policy_is_no_policy(log):
    text = checkpoint_text(3, log.tree.mth(0, 3)) + policy_text(quorum=0).decode()
    refuse(note(text, LOG.line(text)), "form", log.policy_text)
    with pytest.raises(MalformedError):
        Policy.parse(note(text, LOG.line(text)))


# --- stale view ---


def test_a_head_of_30_days_ago_is_refused_by_who_asks_for_a_fresh_one(log):
    stale = log.checkpoint(2, time=TIME - 30 * DAY)
    assert verify_checkpoint(stale, log.policy).newest == TIME - 30 * DAY
    refuse(stale, "age", log.policy_text, now=TIME, max_age_s=DAY)
    fresh = log.checkpoint(2, time=TIME - DAY)
    limits = Limits(now=TIME, max_age_s=DAY)
    assert verify_checkpoint(fresh, log.policy, limits).newest == TIME - DAY


@pytest.mark.parametrize("lie", [TIME, 2**63 - 1])
def test_one_bribed_witness_does_not_make_a_stale_head_fresh(log, lie):
    text = checkpoint_text(2, log.tree.mth(0, 2))
    old = TIME - 30 * DAY
    times = (lie, old, old)
    lines = [each.line(text, at) for each, at in zip(WITNESSES, times, strict=True)]
    data = note(text, LOG.line(text), *lines)
    assert verify_checkpoint(data, log.policy).newest == old
    refuse(data, "age", log.policy_text, now=TIME, max_age_s=DAY)


@pytest.mark.parametrize("kind", [0x04, 0x06])
def test_a_cosignature_is_not_made_fresh_without_its_key(log, kind):
    witness = signer("witness.example/w1", kind)
    policy = policy_text(witnesses=(witness,), quorum=1)
    text = checkpoint_text(2, log.tree.mth(0, 2))
    stale = Note.parse(note(text, LOG.line(text), witness.line(text, TIME - 30 * DAY)))
    own, cosignature = stale.signatures
    fresh = TIME.to_bytes(8, "big") + cosignature.signature[8:]
    spoiled = replace(stale, signatures=(own, replace(cosignature, signature=fresh)))
    assert verify_checkpoint(stale.encode(), Policy.parse(policy))
    refuse(spoiled.encode(), "signature", policy)


# --- stolen key ---


def test_after_a_freeze_the_thief_cannot_go_on(log):
    final = (3, log.tree.mth(0, 3))
    log.append(b"by the thief")
    for policy in (policy_text(quorum=0), log.policy_text):
        refuse(log.checkpoint(), "final", policy, final=final)
        assert verify_checkpoint(
            log.checkpoint(3), Policy.parse(policy), Limits(final=final)
        )


def test_after_a_freeze_the_thief_cannot_end_it_otherwise(log, fork):
    final = (3, log.tree.mth(0, 3))
    data = fork.checkpoint()
    assert verify_checkpoint(data, fork.policy)
    refuse(data, "final", fork.policy_text, final=final)


def test_after_a_freeze_the_thief_cannot_go_back(tmp_path, log):
    # A smaller tree of his own: only witnesses tie a smaller tree to the final one.
    final = (3, log.tree.mth(0, 3))
    rewritten = TestLog(tmp_path / "rewritten", [b"one", b"not two"])
    data = signed_by_the_log_alone(rewritten)
    refuse(data, "final", policy_text(quorum=0), final=final)
    refuse(data, "quorum", log.policy_text, final=final)
