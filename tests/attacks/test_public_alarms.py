"""A log that is wrong and right again in each round cannot bury what it has done.

While somebody who is to be told does not listen, alarms wait. A log that makes new
ones without end neither fills the disk nor pushes out the first of each kind.
"""

from __future__ import annotations

import pytest

from ledger.monitor import alarms
from ledger.monitor.alarms import Alarms
from ledger.monitor.state import State
from ledger.monitor.telling import NotTold

ROUNDS = 3 * alarms.MOST


class Deaf:
    """Somebody who does not take anything, until he does."""

    def __init__(self):
        self.taken, self.listens = [], False

    def tell(self, alarm, _now, /):
        if not self.listens:
            raise NotTold("nobody is there")
        self.taken.append(alarm)


class Hears(Deaf):
    """Somebody else, who takes all."""

    def tell(self, alarm, _now, /):
        self.taken.append(alarm)


@pytest.fixture(scope="module")
def flapped():
    """What is left of very many alarms; the deaf one, and the one who hears."""
    state, deaf, hears = State(), Deaf(), Hears()
    made = Alarms(
        state,
        "https://log.example",
        say=lambda _: None,
        trouble=lambda _: None,
        channels=[deaf, hears],
    )
    made.begin("forked", "two histories", 0, proof="p")
    for number in range(alarms.MAX_MATCHES):
        made.matched("an entry", 1, index=number)
    most = 0
    for now in range(2, ROUNDS, 2):
        made.begin("stale", "too old", now)
        made.end("stale", "as it should be", now + 1)
        if now % 64 == 2:
            made.deliver(now)
        most = max(most, len(state.outbox))
    made.deliver(ROUNDS)
    left = list(state.outbox)
    deaf.listens = True
    made.deliver(ROUNDS)
    assert state.outbox == []
    return left, most, deaf, hears


def test_what_waits_has_an_end(flapped):
    _, most, _, _ = flapped
    assert most <= alarms.MOST


def test_the_fork_is_told_to_who_listens_again(flapped):
    _, _, deaf, _ = flapped
    assert deaf.taken[0]["kind"] == "forked"


def test_no_entry_that_was_looked_for_is_lost(flapped):
    _, _, deaf, _ = flapped
    found = [each["index"] for each in deaf.taken if each["event"] == "matched"]
    assert found == list(range(alarms.MAX_MATCHES))


def test_the_first_and_the_newest_of_a_kind_are_told(flapped):
    _, _, deaf, hears = flapped
    stale = [each for each in deaf.taken if each["kind"] == "stale"]
    assert stale[0]["event"] == "started"
    assert stale[0]["at"] == 2
    assert stale[-1] == hears.taken[-1]
    assert stale[-1]["event"] == "ended"
