"""A caller gets the rate that is set and a burst, and never takes another's.

That holds for all front-end processes together, which share the budgets.
"""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.callers.budgets import Budgets
from ledger.config.settings import Settings

ROOT = Path(__file__).parents[2]
NOW = 12_345_678.9
"""A machine that has been up for months: as coarse as its clock ever is."""
SAME = 1e-5

# Four processes ask for one entry after another. Time goes on when one is refused, so
# that they are always at the limit, and always at the same time.
TOGETHER = """
import mmap, os, signal, sys
from ledger.callers.budgets import Budgets
from ledger.config.settings import Settings

rate, seconds, killed = map(int, sys.argv[1:])
budgets = Budgets(Settings(caller_entries_per_s=rate, burst_ms=100))
clock = memoryview(mmap.mmap(-1, 8)).cast("d")
pipes = []
for number in range(4):
    reading, writing = os.pipe()
    pipes.append(reading)
    if os.fork():
        continue
    taken = 0
    signal.alarm(50)
    while (now := clock[0]) < seconds:
        if not budgets.spend("s-1", entries=1, now=now):
            taken += 1
            if number < killed:
                os.kill(os.getpid(), signal.SIGKILL)
        else:
            clock[0] = max(clock[0], now + 0.2 / rate)
    os.write(writing, b"%d" % taken)
    os._exit(0)
for _ in pipes:
    os.wait()
print(sum(int(os.read(pipe, 20)) for pipe in pipes[killed:]))
"""


def budgets(**rates):
    """Budgets with the rates that are given, and no other."""
    shared = Budgets(Settings(**rates))
    # Under this key no two of the callers below share a budget by chance.
    shared._key = bytes(16)
    return shared


def taken(shared, who, now=NOW, **amount):
    """How often `who` is admitted at one moment."""
    for times in range(10_000):
        if shared.spend(who, **amount, now=now):
            return times
    return math.inf


KINDS = {
    "entries_per_s": "entries",
    "bytes_per_s": "bytes_",
    "caller_entries_per_s": "entries",
    "caller_bytes_per_s": "bytes_",
    "caller_requests_per_s": "requests",
}
each_budget = pytest.mark.parametrize(("setting", "kind"), KINDS.items(), ids=KINDS)


@each_budget
def test_a_burst_is_admitted_and_then_as_much_as_the_rate_gives(setting, kind):
    shared = budgets(**{setting: 10}, burst_ms=2_000)
    assert taken(shared, "a", **{kind: 1}) == 20
    assert taken(shared, "a", NOW + 0.3, **{kind: 1}) == 3
    assert taken(shared, "a", NOW + 100, **{kind: 1}) == 20


@each_budget
def test_a_rate_of_zero_is_no_budget(setting, kind):
    assert taken(budgets(**{setting: 0}), "a", **{kind: 1}) == math.inf


@each_budget
def test_a_budget_counts_its_own_kind_alone(setting, kind):
    shared = budgets(**{setting: 1})
    others = dict.fromkeys({*KINDS.values()} - {kind}, 1)
    assert taken(shared, "a", **others) == math.inf


def test_who_is_refused_is_told_when_and_is_admitted_then():
    shared = budgets(caller_entries_per_s=10)
    shared.spend("a", entries=10, now=NOW)
    wait = shared.spend("a", entries=4, now=NOW)
    assert wait == pytest.approx(0.4, abs=SAME)
    assert shared.spend("a", entries=4, now=NOW + wait - 0.01) > 0
    assert shared.spend("a", entries=4, now=NOW + wait) == 0.0


def test_the_longest_wait_is_told():
    shared = budgets(caller_entries_per_s=10, caller_requests_per_s=1)
    shared.spend("a", entries=10, requests=1, now=NOW)
    wait = shared.spend("a", entries=1, requests=1, now=NOW)
    assert wait == pytest.approx(1, abs=SAME)


def test_what_is_refused_costs_nothing():
    shared = budgets(caller_entries_per_s=10)
    shared.spend("a", entries=10, now=NOW)
    before = shared.spend("a", entries=5, now=NOW)
    for _ in range(100):
        assert shared.spend("a", entries=5, now=NOW) == before


def test_what_the_caller_may_not_is_not_taken_from_all():
    shared = budgets(caller_entries_per_s=1, entries_per_s=10)
    assert taken(shared, "a", entries=1) == 1
    assert [taken(shared, each, entries=1) for each in "bcdefghij"] == [1] * 9
    assert shared.spend("k", entries=1, now=NOW) > 0


def test_what_all_may_not_is_not_taken_from_the_caller():
    shared = budgets(caller_entries_per_s=10, entries_per_s=10)
    assert taken(shared, "a", entries=1) == 10
    assert taken(shared, "b", entries=1) == 0
    # One second later all of it is there again, and b has lost nothing.
    assert taken(shared, "b", NOW + 1, entries=1) == 10


def test_what_is_larger_than_a_burst_waits_for_a_full_budget_and_is_owed():
    shared = budgets(caller_entries_per_s=10)
    shared.spend("a", entries=1, now=NOW)
    wait = shared.spend("a", entries=50, now=NOW)
    assert wait == pytest.approx(0.1, abs=SAME)
    assert shared.spend("a", entries=50, now=NOW + wait) == 0.0
    assert shared.spend("a", entries=1, now=NOW + wait) == pytest.approx(4.1, abs=SAME)


def test_the_greed_of_one_leaves_the_others_theirs():
    shared = budgets(caller_entries_per_s=10, caller_requests_per_s=5)
    assert taken(shared, "greedy", entries=2, requests=1) == 5
    for number in range(100):
        assert taken(shared, f"s-{number}", entries=2, requests=1) == 5


def used(shared):
    """The places of the budgets that were ever spent from."""
    return {place for place, full in enumerate(shared._slots) if full}


def test_no_budget_lies_on_another():
    shared = budgets(**dict.fromkeys(KINDS, 10))
    shared.spend("s-155034", requests=1, now=NOW)
    assert len(used(shared)) == 1
    # Under the key above, the hash of the former is the lowest, this one's the highest.
    for who in ("s-155034", "s-23894"):
        shared.spend(who, entries=1, bytes_=1, requests=1, now=NOW)
    assert len(used(shared)) == 3 + 3 + 2
    before = list(shared._slots)
    shared.refund("s-23894", entries=1)
    after = shared._slots
    assert sum(after[place] != before[place] for place in used(shared)) == 2


def test_nobody_can_know_whose_budget_he_shares():
    def places():
        shared = Budgets(Settings(caller_requests_per_s=1))
        for number in range(100):
            shared.spend(f"s-{number}", requests=1, now=NOW)
        return used(shared)

    assert places() != places()


def test_what_we_failed_to_log_is_given_back():
    shared = budgets(caller_entries_per_s=10, bytes_per_s=1_000)
    assert shared.spend("a", entries=10, bytes_=1_000, now=NOW) == 0.0
    assert shared.spend("a", entries=10, bytes_=1_000, now=NOW) > 0.0
    shared.refund("a", entries=10, bytes_=1_000)
    assert shared.spend("a", entries=10, bytes_=1_000, now=NOW) == 0.0


def test_what_is_given_back_twice_is_no_larger_burst():
    shared = budgets(caller_entries_per_s=10)
    for _ in range(5):
        shared.refund("a", entries=10)
    assert taken(shared, "a", entries=1) == 10


@pytest.mark.parametrize("wrong", [math.inf, math.nan, 1e300, NOW + 1e6])
def test_a_time_that_nobody_wrote_bars_nobody_for_long(wrong):
    shared = budgets(caller_requests_per_s=10, batch_entries=1)
    for slot in range(len(shared._slots)):
        shared._slots[slot] = wrong
    assert 0 < shared.spend("a", requests=1, now=NOW) <= 2
    assert shared.spend("a", requests=1, now=NOW + 2) == 0.0


# Whatever is asked, and whenever

ASKED = st.lists(
    st.tuples(st.floats(0, 3), st.integers(1, 40), st.sampled_from("ab")), max_size=60
)


@given(asked=ASKED, rate=st.integers(1, 50), burst_ms=st.integers(1, 5_000))
def test_in_no_span_of_time_is_more_admitted_than_rate_and_burst(asked, rate, burst_ms):
    shared = budgets(caller_entries_per_s=rate, burst_ms=burst_ms)
    now, admitted = NOW, []
    for pause, entries, who in asked:
        now += pause
        if who == "a" and not shared.spend(who, entries=entries, now=now):
            admitted.append((now, entries))
    for start in range(len(admitted)):
        for stop in range(start + 1, len(admitted) + 1):
            span = admitted[start:stop]
            lasts = span[-1][0] - span[0][0]
            burst = max(rate * burst_ms / 1_000, span[-1][1])
            assert sum(n for _, n in span) <= rate * (lasts + SAME) + burst


@given(asked=ASKED, rate=st.integers(1, 50), all_rate=st.integers(1, 50))
def test_who_waits_as_long_as_told_is_admitted(asked, rate, all_rate):
    shared = budgets(caller_entries_per_s=rate, entries_per_s=all_rate)
    now = NOW
    for pause, entries, who in asked:
        now += pause
        if wait := shared.spend(who, entries=entries, now=now):
            now += wait
            assert shared.spend(who, entries=entries, now=now) == 0.0


# Several processes


@pytest.mark.exhaustive
@pytest.mark.parametrize("killed", [0, 2])
def test_processes_together_get_the_rate_of_one(killed):
    rate, seconds = 500, 12
    command = [sys.executable, "-c", TOGETHER, *map(str, (rate, seconds, killed))]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    due = rate * (seconds + 0.1)  # and the burst
    assert 0.9 * due <= int(ended.stdout) <= 1.1 * due
