"""Rounds, medians and spreads."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from statistics import median


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(rounds: int, *works: Callable[[], object]) -> list[list[float]]:
    """The seconds of each of `works`, which take turns: all see the same weather."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            times.append(seconds(work))
    return taken


def rate_text(count: int, times: Sequence[float]) -> str:
    """Things a second: the median, and from the slowest to the fastest."""
    rates = sorted(count / each for each in times)
    return f"{median(rates):>12,.0f}/s  ({rates[0]:,.0f} to {rates[-1]:,.0f})"


def spread(found: Sequence[float], form: str) -> str:
    """The median, and from the least to the most."""
    ordered = sorted(found)
    return f"{median(ordered):{form}} ({ordered[0]:{form}} to {ordered[-1]:{form}})"


def ratio_text(times: Sequence[float], others: Sequence[float]) -> str:
    """How many times as fast the first is, round by round."""
    ratios = sorted(b / a for a, b in zip(times, others, strict=True))
    return f"{median(ratios):.2f}  ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def peak_mb() -> str:
    """The most memory that this process, and any one of its children, has held."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return f"{own:.0f} MB, and {child:.0f} MB in the largest of its processes"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))
