"""The ledger's only reader of time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Instant:
    """One reading: the wall clock, and the time since the machine was started.

    The wall clock can be set; the other one cannot, and goes on while the
    machine sleeps. Where they part, somebody has set the clock.
    """

    wall_ms: int
    boot_ms: int


class Clock(Protocol):
    """Where an instant comes from."""

    def __call__(self) -> Instant:
        """Read both clocks."""
        ...


def read_clock() -> Instant:
    """Read both clocks of this machine."""
    boot = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Instant(
        wall_ms=time.time_ns() // 1_000_000,
        boot_ms=time.clock_gettime_ns(boot) // 1_000_000,
    )


def stopwatch() -> float:
    """Seconds from anywhere: for how long something takes, and for pacing."""
    return time.monotonic()
