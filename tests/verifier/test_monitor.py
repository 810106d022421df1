"""A monitor sees that a log only grew; if it did not, others can be shown."""

import json

import pytest

from tests.testlog import (
    LOG,
    ORIGIN,
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
from verifier.misbehaviour import Misbehaviour, verify_misbehaviour
from verifier.monitor import Forked, Seen, watch
from verifier.source import Directory

NOW = TIME + 60


def entries(count, word="entry"):
    return [f"{word} {number}".encode() for number in range(count)]


def log(folder, count, word="entry", same=0):
    """A log of `count` entries, whose first `same` are those of any other one."""
    made = TestLog(folder)
    made.append(*entries(same), *entries(count, word)[same:])
    return made


def look(made, seen=None, now=NOW, report=None, **limits):
    """One round."""
    report = report if report is not None else Report()
    limits = Limits(now=now, **limits)
    source = Directory(made.folder)
    return watch(source, made.policy, seen, report, now=now, limits=limits)


def said(made, seen, **options):
    report = Report()
    look(made, seen, report=report, **options)
    return {each.check: each.says for each in report.findings}


def seen_of(made, size=None):
    return Seen(checkpoint=made.checkpoint(size), since=TIME)


# What is well


def test_the_first_round_remembers_what_it_saw(tmp_path):
    made = log(tmp_path, 5)
    assert look(made) == Seen(checkpoint=made.checkpoint(), since=NOW)
    assert "first checkpoint seen" in said(made, None)["consistency"]


@pytest.mark.parametrize("before", [1, 2, 3, 255, 256, 257, 511, 599, 600])
def test_a_log_that_only_grew_is_well(tmp_path, before):
    made = log(tmp_path, 600)
    assert look(made, seen_of(made, before)).checkpoint == made.checkpoint()
    assert said(made, seen_of(made, before))["growth"].startswith(f"{600 - before} ")


@pytest.mark.parametrize("sizes", [(1, 2), (7, 8), (8, 9), (255, 256), (256, 70_000)])
def test_small_and_large_steps_are_well(tmp_path, sizes):
    made = log(tmp_path, sizes[1])
    assert look(made, seen_of(made, sizes[0]))


def test_an_empty_log_may_stay_empty_or_grow(tmp_path):
    made = log(tmp_path, 0)
    seen = look(made)
    assert look(made, seen, now=NOW + 9).since == NOW
    made.append(b"the first")
    assert look(made, seen, now=NOW + 9).since == NOW + 9


def test_since_when_a_size_is_known_is_kept_until_it_changes(tmp_path):
    made = log(tmp_path, 5)
    seen = look(made)
    assert look(made, seen, now=NOW + 100).since == NOW
    made.append(b"one more")
    assert look(made, seen, now=NOW + 100).since == NOW + 100


def test_the_age_is_that_of_the_quorum(tmp_path):
    assert said(log(tmp_path, 5), None)["age"].endswith("60 s ago")


def test_without_witnesses_the_age_is_how_long_the_size_is_known(tmp_path):
    made = TestLog(tmp_path, witnesses=(), quorum=0)
    made.append(b"one")
    assert "no signature states a time" in said(made, None)["age"]


# What is not


def forked(made, seen, **options):
    with pytest.raises(Forked) as caught:
        look(made, seen, **options)
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
    seen = seen_of(log(tmp_path / "a", 5))
    proof = forked(log(tmp_path / "b", 5, "other"), seen)
    assert proof.prefix is None
    check_proof(proof)


@pytest.mark.parametrize("sizes", [(1, 2), (5, 9), (256, 257), (300, 600), (511, 513)])
def test_a_larger_tree_that_does_not_begin_with_the_one_seen_is_a_fork(tmp_path, sizes):
    before, after = sizes
    seen = seen_of(log(tmp_path / "a", before))
    proof = forked(log(tmp_path / "b", after, "other", same=before - 1), seen)
    assert proof.prefix is not None
    check_proof(proof)


def test_a_fork_does_not_hide_behind_a_stale_signature(tmp_path):
    seen = seen_of(log(tmp_path / "a", 5))
    check_proof(forked(log(tmp_path / "b", 5, "other"), seen, max_age_s=1))


def test_a_log_that_shrank_is_found(tmp_path):
    seen = seen_of(log(tmp_path / "a", 300))
    with pytest.raises(GrowthError, match="shows 200 entries; it has shown 300"):
        look(log(tmp_path / "b", 200), seen)


def test_an_old_checkpoint_of_the_same_log_is_a_step_back(tmp_path):
    made = log(tmp_path, 300)
    made.write_file("checkpoint", made.checkpoint(200))
    with pytest.raises(GrowthError, match="shows 200 entries; it has shown 300"):
        look(made, seen_of(made))


def test_a_step_back_to_another_history_is_a_fork(tmp_path):
    made = log(tmp_path / "a", 300)
    other = log(tmp_path / "b", 200, "other")
    made.write_file("checkpoint", other.checkpoint())
    check_proof(forked(made, seen_of(made)))


@pytest.mark.parametrize("spoil", ["flip", "cut", "drop", "pipe"])
def test_a_step_back_is_one_whatever_its_tiles_are(tmp_path, spoil):
    made = log(tmp_path, 300)
    made.write_file("checkpoint", made.checkpoint(200))
    spoil_tile(made.folder / "tile/0/001.p/44", spoil)
    with pytest.raises(GrowthError):
        look(made, seen_of(made))


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
        look(made, seen_of(made, 270))
    assert not isinstance(caught.value, Forked)


def test_a_checkpoint_that_is_too_old_is_found(tmp_path):
    made = log(tmp_path, 5)
    assert look(made, max_age_s=60)
    with pytest.raises(AgeError):
        look(made, seen_of(made), max_age_s=59)


def test_a_checkpoint_that_the_witnesses_have_not_seen_is_found(tmp_path):
    made = log(tmp_path, 5)
    text = checkpoint_text(5, made.tree.mth(0, 5))
    made.write_file("checkpoint", note(text, LOG.line(text)))
    with pytest.raises(QuorumError):
        look(made)


# What could not be carried out


def test_the_state_of_another_log_is_no_finding(tmp_path):
    made = log(tmp_path, 5)
    text = checkpoint_text(5, bytes(32), "log.example/other")
    seen = Seen(checkpoint=note(text, LOG.line(text)), since=TIME)
    with pytest.raises(Unavailable, match="give each log a state file"):
        look(made, seen)


def test_a_folder_without_a_log_is_no_finding(tmp_path):
    made = TestLog(tmp_path)
    with pytest.raises(Unavailable, match="has no checkpoint"):
        look(made)


# The state file


TRUE = Seen(checkpoint=note(checkpoint_text(0, bytes(32)), LOG.line("")), since=TIME)


def test_the_state_is_read_as_it_was_written():
    assert Seen.parse(TRUE.encode()) == TRUE


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "provlog/monitor/2"},
        {"checkpoint": "?"},
        {"checkpoint": 7},
        {"since": "now"},
        {"since": True},
        {"since": 1.5},
        {"origin": ORIGIN},
    ],
    ids=repr,
)
def test_a_changed_state_is_malformed(change):
    data = json.dumps(json.loads(TRUE.encode()) | change).encode()
    with pytest.raises(MalformedError):
        Seen.parse(data)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"x", TRUE.encode()[:-3]])
def test_a_damaged_state_is_malformed(data):
    with pytest.raises(MalformedError, match="the monitor's state"):
        Seen.parse(data)
