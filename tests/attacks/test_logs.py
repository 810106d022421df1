"""A malicious operator shows logs that are not what they were; each attack is seen.

One file per threat: split view, rewriting, truncation, withholding, backdating
and the stale view of reliability's threat model, performed against an auditor
with a copy of the log, and a monitor that has seen it before. The operator has
the log's key. Two of three honest witnesses cosign only what extends what they saw.
"""

import pytest

from tests.recordlog import record_log, wrapped
from tests.testlog import (
    LOG,
    ORIGIN,
    TIME,
    WITNESSES,
    TestLog,
    checkpoint_text,
    note,
    policy_text,
)
from verifier import Limits, Policy, Report, verify_checkpoint
from verifier.audit import audit
from verifier.errors import (
    AgeError,
    ConsistencyError,
    GrowthError,
    QuorumError,
    VerificationError,
)
from verifier.memory import Memory
from verifier.misbehaviour import Misbehaviour, verify_misbehaviour
from verifier.monitor import Forked, watch
from verifier.source import Directory

NOW = TIME + 60


def entries(count, word="what happened"):
    return [f"{word}, {number}".encode() for number in range(count)]


@pytest.fixture
def honest(tmp_path):
    made = TestLog(tmp_path / "honest")
    made.append(*entries(300))
    return made


def operate(folder, *entries_, witnesses=WITNESSES[:1]):
    """A log under the honest one's key, which only a bribed witness cosigns."""
    made = TestLog(folder)
    made.append(*entries_)
    text = checkpoint_text(len(entries_), made.tree.mth(0, len(entries_)))
    lines = [each.line(text) for each in witnesses]
    made.write_file("checkpoint", note(text, LOG.line(text), *lines))
    return made


def held(made, size=None):
    return Memory(held=made.checkpoint(size), since=TIME)


def look(folder, memory=None, kept=None, **limits):
    """A round of the monitor; return what it remembers after it."""
    kept = kept if kept is not None else []
    watch(
        Directory(folder),
        Policy.parse(policy_text()),
        memory or Memory(),
        Report(),
        now=NOW,
        limits=Limits(now=NOW, **limits),
        keep=kept.append,
    )
    return kept[-1]


def damage(folder, checkpoint):
    trusted = verify_checkpoint(checkpoint, Policy.parse(policy_text()))
    return {each.check for each in audit(Directory(folder), trusted.checkpoint).damage}


# Split view


def test_a_view_made_for_one_victim_lacks_the_witnesses(tmp_path):
    victim = operate(tmp_path / "victim", *entries(300, "what did not happen"))
    data = (victim.folder / "checkpoint").read_bytes()
    with pytest.raises(QuorumError):
        verify_checkpoint(data, victim.policy)
    with pytest.raises(QuorumError):
        look(victim.folder)


@pytest.mark.parametrize("size", [299, 300, 301, 600])
def test_two_views_together_are_a_proof_that_others_can_check(tmp_path, honest, size):
    victim = operate(tmp_path / "victim", *entries(size, "what did not happen"))
    first, second = held(honest), (victim.folder / "checkpoint").read_bytes()
    if size < 300:  # the victim was shown the smaller view, and later the larger one
        first = Memory(held=second, since=TIME)
        victim = honest
    with pytest.raises(Forked) as caught:
        look(victim.folder, first)
    proof = Misbehaviour.parse(caught.value.misbehaviour.encode())
    report = Report()
    verify_misbehaviour(proof, Policy.parse(policy_text(quorum=0)), report)
    assert ORIGIN in report.text()


def test_an_innocent_log_cannot_be_framed(honest):
    for before, after in ((299, 300), (300, 300)):
        proof = Misbehaviour(
            first=honest.checkpoint(before),
            second=honest.checkpoint(after),
            prefix=None if before == after else honest.tree.mth(0, before),
            proof=tuple(honest.tree.consistency(before, after)) * (before < after),
        )
        with pytest.raises(ConsistencyError, match="proves nothing"):
            verify_misbehaviour(proof, honest.policy, Report())


@pytest.mark.parametrize("size", [300, 400])
def test_a_view_shown_before_the_witnesses_come_is_not_forgotten(
    tmp_path, honest, size
):
    victim = operate(tmp_path / "victim", *entries(300, "what did not happen"))
    honest.append(*entries(size - 300))
    seen = []
    with pytest.raises(QuorumError):
        look(victim.folder, kept=seen)
    with pytest.raises(Forked) as caught:
        look(honest.folder, seen[-1])
    verify_misbehaviour(caught.value.misbehaviour, honest.policy, Report())


def test_a_view_too_old_to_hold_is_not_forgotten(tmp_path):
    victim = TestLog(tmp_path / "victim")
    victim.append(*entries(310, "what did not happen"))
    victim.write_file("checkpoint", victim.checkpoint(time=NOW - 30 * 86_400))
    seen = []
    with pytest.raises(AgeError):
        look(victim.folder, kept=seen, max_age_s=86_400)
    other = operate(tmp_path / "other", *entries(310, "something else"))
    with pytest.raises(Forked):
        look(other.folder, seen[-1], max_age_s=86_400)


def test_a_view_whose_tiles_are_withheld_is_not_forgotten(tmp_path, honest):
    silent = TestLog(tmp_path / "silent")
    other = operate(tmp_path / "other", *entries(310, "what did not happen"))
    silent.write_file("checkpoint", (other.folder / "checkpoint").read_bytes())
    seen = []
    with pytest.raises(VerificationError, match="which its tree needs"):
        look(silent.folder, held(honest), kept=seen)
    honest.append(*entries(10))
    with pytest.raises(Forked):
        look(honest.folder, seen[-1])


# Rewriting


@pytest.mark.parametrize("grown", [0, 1, 300])
@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_a_rewritten_history_is_a_fork(tmp_path, honest, index, grown):
    other = entries(300 + grown)
    other[index] = b"what should have happened"
    rewritten = operate(tmp_path / "rewritten", *other)
    with pytest.raises(Forked):
        look(rewritten.folder, held(honest))
    assert damage(rewritten.folder, honest.checkpoint())


def test_rewritten_entries_under_the_old_tiles_are_found(honest):
    path = honest.folder / "tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b"happened, 7", b"occurred, 7", 1))
    assert damage(honest.folder, honest.checkpoint()) == {"entry"}


# Truncation and rollback


@pytest.mark.parametrize("size", [0, 1, 255, 256, 299])
def test_a_log_cut_off_is_a_step_back(tmp_path, honest, size):
    shorter = TestLog(tmp_path / "shorter")
    shorter.append(*entries(size))
    with pytest.raises(GrowthError):
        look(shorter.folder, held(honest))
    assert "missing" in damage(shorter.folder, honest.checkpoint())


def test_a_restored_backup_that_went_on_is_a_fork(tmp_path, honest):
    restored = operate(tmp_path / "restored", *entries(280), *entries(40, "again"))
    with pytest.raises(Forked):
        look(restored.folder, held(honest))


def test_an_old_checkpoint_replayed_is_a_step_back(honest):
    honest.write_file("checkpoint", honest.checkpoint(200))
    with pytest.raises(GrowthError):
        look(honest.folder, held(honest))


# Withholding


@pytest.mark.parametrize(
    "path",
    ["tile/entries/000", "tile/entries/001.p/44", "tile/0/000", "tile/1/000.p/1"],
)
def test_what_is_signed_for_and_not_shown_is_named(honest, path):
    (honest.folder / path).unlink()
    assert damage(honest.folder, honest.checkpoint()) == {"missing"}


def test_a_log_that_signs_without_showing_its_tiles_is_stopped(tmp_path, honest):
    silent = TestLog(tmp_path / "silent")
    silent.write_file("checkpoint", honest.checkpoint())
    with pytest.raises(VerificationError, match="which its tree needs"):
        look(silent.folder, held(honest, 200))


# Backdating


def test_a_time_of_long_ago_goes_back_before_that_of_an_earlier_entry(tmp_path):
    log = record_log()
    year_ms = 365 * 86_400_000
    backdated = wrapped(b"", 11, at=TIME * 1000 - year_ms, type="text/plain")
    made = TestLog(tmp_path)
    made.append(*log.entries, backdated)
    assert damage(made.folder, made.checkpoint()) == {"time"}


# The stale view


def test_a_log_frozen_for_one_victim_grows_old(honest):
    honest.write_file("checkpoint", honest.checkpoint(time=NOW - 30 * 86_400))
    assert look(honest.folder)
    with pytest.raises(AgeError):
        look(honest.folder, max_age_s=86_400)


def test_a_liar_among_the_witnesses_does_not_make_it_young(honest):
    text = checkpoint_text(300, honest.tree.mth(0, 300))
    old = [each.line(text, NOW - 30 * 86_400) for each in WITNESSES[:2]]
    lines = [*old, WITNESSES[2].line(text, NOW)]
    honest.write_file("checkpoint", note(text, LOG.line(text), *lines))
    with pytest.raises(AgeError):
        look(honest.folder, max_age_s=86_400)
