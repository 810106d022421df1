"""When an entry was logged is bracketed by witnesses, and never by the log's word."""

from dataclasses import replace

import pytest

from tests.recordlog import (
    EARLIER,
    EARLIER_TIMES,
    INDEX,
    SIZE,
    TIMES,
    RecordLog,
    bundle_of,
    check,
    entries,
    found,
    record,
    record_log,
    true_bundle,
    wrapped,
)
from tests.testlog import LOG, TIME, checkpoint_text, note, policy_text, signer
from verifier import Limits, MalformedError, Policy
from verifier.bundle import Before
from verifier.errors import ConsistencyError, QuorumError, UntrustedError
from verifier.record import encode_record

TRUE = true_bundle()
PROOF = tuple(record_log().tree.consistency(EARLIER, SIZE))
YEAR_MS = 365 * 24 * 3600 * 1000


def bracket(report) -> tuple[int | None, int | None]:
    time = found(report, "time")
    return time["not_before"], time["not_after"]


def with_before(**changes):
    """The true bundle, with something else as the earlier checkpoint."""
    return replace(TRUE, before=replace(TRUE.before, **changes))


# The bracket


def test_the_bracket_is_when_two_of_three_had_and_still_had_signed():
    assert bracket(check(TRUE)) == (EARLIER_TIMES[1], TIMES[1])
    assert found(check(TRUE), "time")["says"] == (
        "a quorum of witnesses had not seen it at 2026-09-21T14:06:40Z, "
        "and had seen it at 2026-09-21T14:16:40Z"
    )


def test_without_an_earlier_checkpoint_there_is_no_lower_bound():
    report = check(replace(TRUE, before=None))
    assert bracket(report) == (None, TIMES[1])
    assert "had not seen it" not in found(report, "time")["says"]


def test_without_a_time_under_the_entry_there_is_no_upper_bound():
    pq = tuple(signer(f"witness.example/pq{n}", 0x06) for n in range(3))
    log = RecordLog(entries=entries(), witnesses=pq)
    policy = Policy.parse(policy_text(witnesses=pq))
    report = check(log.bundle(INDEX, times=(0, 0, 0)), policy)
    assert bracket(report) == (EARLIER_TIMES[1], None)
    assert "had seen it" not in found(report, "time")["says"]


def test_without_witnesses_nobody_but_the_log_says_when():
    report = check(TRUE, Policy.parse(policy_text(quorum=0)))
    assert bracket(report) == (None, None)
    assert found(report, "time")["says"] == "nobody but the log says when"


@pytest.mark.parametrize("years", [-1, 1])
def test_a_log_that_lies_about_time_does_not_move_the_bracket(years):
    at = TIME * 1000 + years * YEAR_MS
    data = wrapped(encode_record(record(INDEX)), at=at)
    report = check(bundle_of(data))
    entry = found(report, "entry")
    assert entry["holds"] is None
    assert entry["at"] == at
    assert entry["says"].startswith("if this is a record log, it wrote: ")
    assert bracket(report) == (EARLIER_TIMES[1], TIMES[1])


@pytest.mark.parametrize("lie", [1, TIME * 2])
def test_one_witness_that_lies_about_time_moves_the_bracket_no_further_than_honest_ones(
    lie,
):
    log = record_log()
    earlier, later = (lie, *EARLIER_TIMES[1:]), (lie, *TIMES[1:])
    not_before, not_after = bracket(
        check(log.bundle(INDEX, times=later, earlier_times=earlier))
    )
    assert EARLIER_TIMES[0] <= not_before <= EARLIER_TIMES[2]
    assert TIMES[0] <= not_after <= TIMES[2]


def test_a_bracket_that_ends_before_it_begins_is_not_shown_as_one():
    bundle = record_log().bundle(INDEX, times=EARLIER_TIMES, earlier_times=TIMES)
    try:
        not_before, not_after = bracket(check(bundle))
    except ConsistencyError:
        return
    assert None in (not_before, not_after)


# The earlier checkpoint


@pytest.mark.parametrize("first", range(1, INDEX + 1))
def test_every_tree_without_the_entry_may_be_the_earlier_one(first):
    log = record_log()
    before = Before(
        checkpoint=log.cosigned(first, EARLIER_TIMES),
        proof=tuple(log.tree.consistency(first, SIZE)),
    )
    report = check(replace(TRUE, before=before))
    assert found(report, "before")["before_size"] == first


@pytest.mark.parametrize("first", range(INDEX + 1, SIZE + 1))
def test_a_tree_with_the_entry_in_it_shows_no_earlier_time(first):
    log = record_log()
    before = Before(
        checkpoint=log.cosigned(first, EARLIER_TIMES),
        proof=tuple(log.tree.consistency(first, SIZE)),
    )
    with pytest.raises(ConsistencyError, match="has the entry in it"):
        check(replace(TRUE, before=before))


def test_the_empty_tree_is_earlier_without_a_proof():
    empty = record_log().cosigned(0, EARLIER_TIMES)
    report = check(with_before(checkpoint=empty, proof=()))
    assert found(report, "before")["before_size"] == 0
    assert bracket(report)[0] == EARLIER_TIMES[1]


def test_a_proof_from_the_empty_tree_is_refused():
    empty = record_log().cosigned(0, EARLIER_TIMES)
    with pytest.raises(MalformedError, match="from an empty tree is not empty"):
        check(with_before(checkpoint=empty))


def test_an_empty_tree_with_a_root_of_its_own_is_refused():
    text = checkpoint_text(0, bytes(32))
    lines = [each.line(text) for each in record_log().witnesses]
    with pytest.raises(MalformedError, match="empty"):
        check(with_before(checkpoint=note(text, LOG.line(text), *lines), proof=()))


@pytest.mark.parametrize(
    "proof",
    [
        PROOF[:-1],
        PROOF[::-1],
        (*PROOF, bytes(32)),
        (bytes(32), *PROOF[1:]),
        (),
    ],
    ids=["short", "turned", "long", "other", "none"],
)
def test_a_proof_that_does_not_lead_on_is_refused(proof):
    with pytest.raises((ConsistencyError, MalformedError), match="proof"):
        check(with_before(proof=proof))


def test_an_earlier_tree_of_other_entries_is_refused():
    other = RecordLog(entries=[b"another past", *entries()[1:]])
    with pytest.raises(ConsistencyError):
        check(with_before(checkpoint=other.cosigned(EARLIER, EARLIER_TIMES)))


def test_the_earlier_checkpoint_of_another_log_is_refused():
    other = signer("log.example/other")
    root = record_log().tree.mth(0, EARLIER)
    text = checkpoint_text(EARLIER, root, other.name)
    lines = [each.line(text) for each in record_log().witnesses]
    checkpoint = note(text, other.line(text), *lines)
    both = Policy.parse(policy_text([LOG, other]))
    with pytest.raises(ConsistencyError, match="of another log"):
        check(with_before(checkpoint=checkpoint), both)
    with pytest.raises(UntrustedError):
        check(with_before(checkpoint=checkpoint))


def test_the_earlier_checkpoint_needs_the_quorum_as_well():
    text = checkpoint_text(EARLIER, record_log().tree.mth(0, EARLIER))
    lines = [LOG.line(text), record_log().witnesses[0].line(text)]
    with pytest.raises(QuorumError):
        check(with_before(checkpoint=note(text, *lines)))


def test_an_earlier_checkpoint_from_the_future_is_no_quorum():
    with pytest.raises(QuorumError):
        check(
            record_log().bundle(INDEX, earlier_times=(TIME * 2,) * 3),
            limits=Limits(now=TIMES[2]),
        )


def test_the_earlier_checkpoint_may_be_older_than_the_limit_on_age():
    limits = Limits(now=TIMES[1] + 10, max_age_s=60)
    assert bracket(check(TRUE, limits=limits)) == (EARLIER_TIMES[1], TIMES[1])
