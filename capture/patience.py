"""How long a call may take in all, and when it may try again.

The pauses grow, and are drawn at random, so that many who wait for the same log do
not come back together. The log's own word, `Retry-After`, goes before ours; where
it lies beyond the end of the call, the call ends at once: to wait would be for
nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
_MAX_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time and chance: all that a client has of them."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


class Patience:
    """The time of one call."""

    def __init__(self, timeout_s: float, clock: Clock) -> None:
        self.timeout_s = timeout_s
        self._clock = clock
        self._end = clock.now() + timeout_s
        self._pauses = 0

    def left_s(self) -> float:
        """What is left of it; 0 when it is over."""
        return max(0.0, self._end - self._clock.now())

    def pause(self, wanted_s: float | None) -> bool:
        """Wait before the next attempt, if there is time for one."""
        pause_s = self._pause_s(wanted_s)
        if pause_s >= self.left_s():
            return False
        self._pauses += 1
        self._clock.sleep(pause_s)
        return True

    def began_anew(self) -> None:
        """What was tried has got on: the next pause is a short one again."""
        self._pauses = 0

    def _pause_s(self, wanted_s: float | None) -> float:
        # The exponent is bounded, or a long call would overflow a float.
        longest = min(FIRST_PAUSE_S * 2.0 ** min(self._pauses, 10), LONGEST_PAUSE_S)
        chance = self._clock.chance()
        ours = longest * (0.5 + chance / 2)
        if wanted_s is None:
            return ours
        # Whoever asks to come again at once is not asked as fast as we can.
        return max(ours, wanted_s + min(longest, wanted_s / 4) * chance)


def retry_after_s(header: str, clock: Clock) -> float | None:
    """When `Retry-After` asks to come again: seconds, or a date; None if neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:_MAX_DIGITS])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - clock.wall())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
