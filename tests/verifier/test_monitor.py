"""A monitor sees that a log only grew; if it did not, others can be shown."""

import pytest

from tests.testlog import (
    LOG,
    TIME,
    TestLog,
    checkpoint_text,
    note,
    policy_text,
    signer,
)
from verifier import Limits, Policy, Report
from verifier.errors import (
    AgeError,
    ConsistencyError,
    GrowthError,
    MalformedError,
    QuorumError,
    Unavailable,
    UntrustedError,
)
from verifier.memory import Memory
from verifier.misbehaviour import Misbehaviour, verify_misbehaviour
from verifier.monitor import Forked, watch
from verifier.source import Directory

NOW = TIME + 60


def entries(count, word="entry"):
    return [f"{word} {number}".encode() for number in range(count)]


def log(folder, count, word="entry", same=0):
    """A log of `count` entries, whose first `same` are those of any other one."""
    made = TestLog(folder)
    made.append(*entries(same), *entries(count, word)[same:])
    return made


def look(made, memory=None, now=NOW, report=None, kept=None, **limits):
    """One round; return what is remembered after it. `kept` gets that in any case."""
    kept = kept if kept is not None else []
    report = report if report is not None else Report()
    watch(
        Directory(made.folder),
        made.policy,
        memory or Memory(),
        report,
        now=now,
        limits=Limits(now=now, **limits),
        keep=kept.append,
    )
    return kept[-1]


def said(made, memory, **options):
    report = Report()
    look(made, memory, report=report, **options)
    return {each.check: each.says for each in report.findings}


def held(made, size=None):
    """The memory of a monitor for which this checkpoint has held."""
    return Memory(held=made.checkpoint(size), since=TIME)


def refused(made, memory, error, **options):
    """What is remembered after a round that ends in `error`."""
    kept = []
    with pytest.raises(error):
        look(made, memory, kept=kept, **options)
    return kept[-1]


def uncosigned(made):
    """Let `made` show its checkpoint without a witness."""
    size = len(made.entries)
    text = checkpoint_text(size, made.tree.mth(0, size))
    made.write_file("checkpoint", note(text, LOG.line(text)))
    return made


# What is well


def test_the_first_round_remembers_what_it_saw(tmp_path):
    made = log(tmp_path, 5)
    assert look(made) == Memory(held=made.checkpoint(), since=NOW)
    assert "no checkpoint has held before" in said(made, None)["consistency"]


@pytest.mark.parametrize("before", [1, 2, 3, 255, 256, 257, 511, 599, 600])
def test_a_log_that_only_grew_is_well(tmp_path, before):
    made = log(tmp_path, 600)
    assert look(made, held(made, before)).held == made.checkpoint()
    assert said(made, held(made, before))["growth"].startswith(f"{600 - before} ")


@pytest.mark.parametrize("sizes", [(1, 2), (7, 8), (8, 9), (255, 256), (256, 70_000)])
def test_small_and_large_steps_are_well(tmp_path, sizes):
    made = log(tmp_path, sizes[1])
    assert look(made, held(made, sizes[0]))


def test_an_empty_log_may_stay_empty_or_grow(tmp_path):
    made = log(tmp_path, 0)
    before = look(made)
    assert look(made, before, now=NOW + 9).since == NOW
    made.append(b"the first")
    assert look(made, before, now=NOW + 9).since == NOW + 9


def test_since_when_a_size_is_known_is_kept_until_it_changes(tmp_path):
    made = log(tmp_path, 5)
    before = look(made)
    assert look(made, before, now=NOW + 100).since == NOW
    made.append(b"one more")
    assert look(made, before, now=NOW + 100).since == NOW + 100


def test_the_age_is_that_of_the_quorum(tmp_path):
    assert said(log(tmp_path, 5), None)["age"].endswith("60 s ago")


def test_without_witnesses_the_age_is_how_long_the_size_is_known(tmp_path):
    made = TestLog(tmp_path, witnesses=(), quorum=0)
    made.append(b"one")
    assert "no signature states a time" in said(made, None)["age"]


# What is not


def forked(made, memory, **options):
    with pytest.raises(Forked) as caught:
        look(made, memory, **options)
    return caught.value.misbehaviour


def check_proof(proof):
    """Who has only the log's key is convinced by the file; others are not."""
    again = Misbehaviour.parse(proof.encode())
    assert again == proof
    verify_misbehaviour(again, Policy.parse(policy_text(quorum=0)), Report())
    other = Policy.parse(policy_text(logs=[signer("log.example/other")]))
    with pytest.raises(UntrustedError):
        verify_misbehaviour(again, other, Report())


def test_another_root_of_the_same_size_is_a_fork(tmp_path):
    before = held(log(tmp_path / "a", 5))
    proof = forked(log(tmp_path / "b", 5, "other"), before)
    assert proof.prefix is None
    check_proof(proof)


@pytest.mark.parametrize("sizes", [(1, 2), (5, 9), (256, 257), (300, 600), (511, 513)])
def test_a_larger_tree_that_does_not_begin_with_the_one_seen_is_a_fork(tmp_path, sizes):
    small, large = sizes
    before = held(log(tmp_path / "a", small))
    proof = forked(log(tmp_path / "b", large, "other", same=small - 1), before)
    assert proof.prefix is not None
    check_proof(proof)


def test_a_fork_does_not_hide_behind_a_stale_signature(tmp_path):
    before = held(log(tmp_path / "a", 5))
    check_proof(forked(log(tmp_path / "b", 5, "other"), before, max_age_s=1))


def test_a_log_that_shrank_is_found(tmp_path):
    before = held(log(tmp_path / "a", 300))
    with pytest.raises(GrowthError, match="shows 200 entries; it has shown 300"):
        look(log(tmp_path / "b", 200), before)


def test_an_old_checkpoint_of_the_same_log_is_a_step_back(tmp_path):
    made = log(tmp_path, 300)
    made.write_file("checkpoint", made.checkpoint(200))
    with pytest.raises(GrowthError, match="shows 200 entries; it has shown 300"):
        look(made, held(made))


def test_a_step_back_to_another_history_is_a_fork(tmp_path):
    made = log(tmp_path / "a", 300)
    other = log(tmp_path / "b", 200, "other")
    made.write_file("checkpoint", other.checkpoint())
    check_proof(forked(made, held(made)))


@pytest.mark.parametrize("spoil", ["flip", "cut", "drop", "pipe"])
def test_a_step_back_is_one_whatever_its_tiles_are(tmp_path, spoil):
    made = log(tmp_path, 300)
    made.write_file("checkpoint", made.checkpoint(200))
    spoil_tile(made.folder / "tile/0/001.p/44", spoil)
    with pytest.raises(GrowthError):
        look(made, held(made))


def spoil_tile(path, how):
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.unlink()
    if how == "flip":
        path.write_bytes(data)
    elif how == "cut":
        path.write_bytes(data[:-1])
    elif how == "pipe":
        path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "error", "word"),
    [
        ("flip", ConsistencyError, "do not lead to its checkpoint"),
        ("drop", ConsistencyError, "has no tile/0/001.p/44, which its tree needs"),
        ("cut", MalformedError, "44 hashes"),
    ],
)
def test_tiles_that_lead_to_no_signed_tree_prove_nothing_but_are_found(
    tmp_path, spoil, error, word
):
    made = log(tmp_path, 300)
    spoil_tile(made.folder / "tile/0/001.p/44", spoil)
    with pytest.raises(error, match=word) as caught:
        look(made, held(made, 270))
    assert not isinstance(caught.value, Forked)


def test_a_checkpoint_that_is_too_old_is_found(tmp_path):
    made = log(tmp_path, 5)
    assert look(made, max_age_s=60)
    with pytest.raises(AgeError):
        look(made, held(made), max_age_s=59)


def test_a_checkpoint_that_the_witnesses_have_not_seen_is_found(tmp_path):
    refused(uncosigned(log(tmp_path, 5)), None, QuorumError)


# What has only been signed


UNJUDGED = {"without witnesses": QuorumError, "too old": AgeError}


def unjudged(made, why):
    """Let `made` show a checkpoint that does not hold for this reason."""
    if why == "without witnesses":
        return uncosigned(made)
    made.write_file("checkpoint", made.checkpoint(time=NOW - 9_999))
    return made


@pytest.mark.parametrize("why", UNJUDGED)
@pytest.mark.parametrize("first", [True, False], ids=["at first", "later"])
def test_a_signed_checkpoint_that_does_not_hold_is_remembered(tmp_path, why, first):
    made = unjudged(log(tmp_path, 9), why)
    before = Memory() if first else held(made, 5)
    after = refused(made, before, UNJUDGED[why], max_age_s=600)
    assert after == before.with_signed((made.folder / "checkpoint").read_bytes())
    assert len(after.signed) == 1


@pytest.mark.parametrize("why", UNJUDGED)
@pytest.mark.parametrize("sizes", [(9, 9), (9, 20), (20, 9)])
def test_a_fork_from_a_checkpoint_that_never_held_is_found(tmp_path, why, sizes):
    shown, later = sizes
    one = unjudged(log(tmp_path / "a", shown, "one", same=5), why)
    other = log(tmp_path / "b", later, "other", same=5)
    before = held(other, 5)
    before = refused(one, before, UNJUDGED[why], max_age_s=600)
    if shown > later:  # its tiles have to be there, or nobody can tell
        part = f"tile/0/000.p/{later}"
        one.write_file(part, (other.folder / part).read_bytes())
        one.write_file("checkpoint", other.checkpoint())
        other = one
    check_proof(forked(other, before, max_age_s=600))


@pytest.mark.parametrize("why", UNJUDGED)
def test_two_forks_that_both_never_held_are_a_proof(tmp_path, why):
    one = unjudged(log(tmp_path / "a", 9, "one"), why)
    other = unjudged(log(tmp_path / "b", 9, "other"), why)
    before = refused(one, None, UNJUDGED[why], max_age_s=600)
    check_proof(forked(other, before, max_age_s=600))


def test_a_fork_that_was_found_is_remembered(tmp_path):
    other = log(tmp_path / "b", 5, "other")
    after = refused(other, held(log(tmp_path / "a", 5)), Forked)
    assert after.signed == (other.checkpoint(),)
    assert refused(other, after, Forked) == after


def test_what_was_signed_is_remembered_before_tiles_are_asked_for(tmp_path):
    silent = log(tmp_path / "b", 20)
    spoil_tile(silent.folder / "tile/0/000.p/20", "drop")
    after = refused(silent, held(silent, 5), ConsistencyError)
    assert after.signed == (silent.checkpoint(),)


def test_once_it_is_part_of_a_tree_that_held_it_is_not_remembered_any_more(tmp_path):
    made = uncosigned(log(tmp_path, 9))
    before = refused(made, None, QuorumError)
    made.append(b"one more")
    assert look(made, before) == Memory(held=made.checkpoint(), since=NOW)


def test_what_is_larger_than_the_tree_that_held_stays_remembered(tmp_path):
    made = log(tmp_path, 9)
    before = refused(uncosigned(made), None, QuorumError)
    made.write_file("checkpoint", made.checkpoint(7))
    after = look(made, before)
    assert (after.held, after.signed) == (made.checkpoint(7), before.signed)


def test_what_no_log_of_the_policy_has_signed_is_not_remembered(tmp_path):
    made = log(tmp_path, 9)
    text = checkpoint_text(9, made.tree.mth(0, 9))
    made.write_file("checkpoint", note(text, signer("log.example/other").line(text)))
    kept = []
    with pytest.raises(UntrustedError):
        look(made, kept=kept)
    assert not kept


# What could not be carried out


@pytest.mark.parametrize("member", ["held", "signed"])
def test_the_state_of_another_log_is_no_finding(tmp_path, member):
    text = checkpoint_text(5, bytes(32), "log.example/other")
    other = note(text, LOG.line(text))
    memory = Memory(held=other) if member == "held" else Memory(signed=(other,))
    kept = []
    with pytest.raises(Unavailable, match="give each log a state file"):
        look(log(tmp_path, 5), memory, kept=kept)
    assert not kept


def test_a_folder_without_a_log_is_no_finding(tmp_path):
    made = TestLog(tmp_path)
    with pytest.raises(Unavailable, match="has no checkpoint"):
        look(made)


@pytest.mark.parametrize("spoil", ["drop", "cut"])
def test_a_fork_does_not_hide_behind_tiles_that_are_needed_for_something_else(
    tmp_path, spoil
):
    one = uncosigned(log(tmp_path / "a", 20, "one", same=5))
    other = log(tmp_path / "b", 20, "other", same=5)
    before = refused(one, held(other, 5), QuorumError)
    spoil_tile(other.folder / "tile/0/000.p/20", spoil)
    check_proof(forked(other, before))
