"""Any system call of an append may fail, or be the last; the log never lies of it.

One append is traced, and then done again with a fault in each call that touches the
log's files, and with a second one in whatever follows the first. After each: fsck
is clean, every answer that was given is true, the process did not say more than it
knew, and the log takes the next entry.
"""

from __future__ import annotations

import random

import pytest

from tests import tools
from tests.faults.promises import AHEAD, OK, judge
from tests.faults.site import Site
from tests.faults.sweep import (
    EFFECTS,
    Fault,
    baseline,
    console,
    engine,
    every_fault,
    run,
    sweep,
)

pytestmark = pytest.mark.exhaustive
SAMPLE = 9
"""Of each effect, in `make test`; `make soak` has all of them."""
WRITING = {"fdatasync", "pwrite64", "writev", "ftruncate"}
SEED = 20_240_624


@pytest.fixture
def site(fast_path) -> Site:
    tools.need("strace")
    return Site(fast_path / "log", before=250)


def of_effect(faults: list[Fault], effect: str) -> list[Fault]:
    """A sample of the faults: of the calls that write, and of the others."""
    these = [each for each in faults if each.effect == effect]
    chosen = random.Random(f"{SEED} {effect}")
    writing = [each for each in these if each.name in WRITING]
    others = [each for each in these if each.name not in WRITING]
    return chosen.sample(writing, SAMPLE * 2 // 3) + chosen.sample(others, SAMPLE // 3)


@pytest.mark.parametrize("task", [console, engine])
def test_an_append_makes_the_calls_that_it_is_known_to_make(site, task):
    assert {name for name, _ in baseline(site, task(site))} >= WRITING


@pytest.mark.parametrize("effect", EFFECTS)
def test_one_fault_in_a_sample_of_the_calls_breaks_no_promise(site, effect):
    task = console(site)
    faults = of_effect(every_fault(baseline(site, task)), effect)
    assert not list(sweep(site, task, faults, double=False))


@pytest.mark.parametrize("effect", EFFECTS[:2])
def test_two_faults_in_a_row_break_no_promise(site, effect):
    # Raio2025h2a was lost to two: one that was handled, and one in the handling.
    task = engine(site)
    faults = of_effect(every_fault(baseline(site, task)), effect)[::3]
    assert not list(sweep(site, task, faults, double=True))


def test_a_log_that_forgets_what_it_said_is_noticed(site):
    # The log is put back after it has answered: what was answered is not there.
    task = engine(site)
    last = [number for name, number in baseline(site, task) if name == "fdatasync"][-1]
    told = run(site, task, Fault("fdatasync", last, "signal=KILL")).told
    assert len(told) == 1
    assert judge(site.folder, told) in (OK, AHEAD)
    site.reset()
    assert "LOST" in judge(site.folder, told)


@pytest.mark.soak
@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("task", [console, engine])
def test_no_single_fault_breaks_a_promise(site, task, effect):
    done = task(site)
    every = every_fault(baseline(site, done))
    faults = [each for each in every if each.effect == effect]
    assert not list(sweep(site, done, faults, double=False))


@pytest.mark.soak
@pytest.mark.parametrize("effect", EFFECTS[:2])
@pytest.mark.parametrize("task", [console, engine])
def test_no_two_faults_in_a_row_break_a_promise(site, task, effect):
    done = task(site)
    every = every_fault(baseline(site, done))
    faults = [each for each in every if each.effect == effect]
    assert not list(sweep(site, done, faults, double=True))
