"""A clock that jumps stops the log, or is waited for; it never reorders anything.

Mammoth2025h1 signed a tree that was older than an entry in it: two clocks. Here the
real program runs under libfaketime, which sets its wall clock in the middle of its
work, or before its start, and leaves the time since boot alone.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.log.log import Log
from ledger.store import Head
from tests import tools
from tests.faults.promises import AHEAD, OK, Promise, judge, promises
from tests.faults.site import writer
from tests.livelog import LiveLog

pytestmark = pytest.mark.exhaustive
ROOT = Path(__file__).resolve().parents[2]
DAY_MS = 86_400_000


class Faked:
    """A log, and a clock that only its writer sees."""

    def __init__(self, folder: Path) -> None:
        self.live = LiveLog(folder / "log")
        self.live.append(b"before")
        self._step = folder / "step"
        self._library = tools.library("libfaketime")
        self.told: list[Promise] = []
        self.said = ""

    def set(self, step: str) -> None:
        """Let the clock be off by `step`, from now on."""
        beside = self._step.with_suffix(".new")
        beside.write_text(f"{step}\n")
        os.replace(beside, self._step)

    @contextmanager
    def running(self, batches: int) -> Iterator[subprocess.Popen]:
        """A writer with that clock."""
        environment = {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": str(self._step),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        process = subprocess.Popen(
            writer(self.live.folder, "--batches", str(batches)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def write(self, batches: int, *, then: str = "") -> int:
        """Write `batches`; after the fifth answer the clock is set. The exit code."""
        with self.running(batches) as process:
            assert process.stdout
            first = b""
            if then:
                first = b"".join(process.stdout.readline() for _ in range(5))
                self.set(then)
            output, errors = process.communicate(timeout=60)
        self.told += promises(first + output)
        self.said = errors.decode()
        return process.returncode

    def head(self) -> Head:
        """The newest head, whatever the clock says."""
        with Log.open(self.live.folder) as log:
            return log.head

    def check(self) -> None:
        """Nothing that was answered is lost."""
        assert judge(self.live.folder, self.told, again=False) in (OK, AHEAD)


@pytest.fixture
def faked(tmp_path) -> Faked:
    return Faked(tmp_path)


@pytest.mark.parametrize("step", ["-3600", "-10d", "+3600", "+10d"])
def test_a_clock_that_is_set_by_much_stops_the_writing(faked, step):
    faked.set("+0")
    assert faked.write(100_000, then=step) == 1
    assert "the clock was set by" in faked.said
    assert len(faked.told) >= 5
    faked.check()


@pytest.mark.parametrize("step", ["-1", "+1"])
def test_a_clock_that_is_set_by_a_second_is_waited_for(faked, step):
    faked.set("+0")
    before = faked.head().at
    assert faked.write(12, then=step) == 0
    assert faked.head().at >= before
    faked.check()


@pytest.mark.parametrize("step", ["-3600", "-10d"])
def test_a_start_before_the_newest_entry_writes_nothing(faked, step):
    faked.set(step)
    assert faked.write(5) == 1
    assert "before the newest entry" in faked.said
    assert not faked.told
    faked.check()


def test_a_start_one_second_before_the_newest_entry_repeats_its_time(faked):
    faked.set("-1")
    before = faked.head().at
    assert faked.write(5) == 0
    assert faked.head().at >= before
    faked.check()


def test_a_start_far_in_the_future_writes_and_then_time_waits_for_the_clock(faked):
    faked.set("+10d")
    assert faked.write(5) == 0
    newest = faked.head().at
    faked.set("+0")
    assert faked.write(5) == 1
    assert faked.head().at == newest
    assert newest > 9 * DAY_MS
