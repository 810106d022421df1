"""Record ids: UUIDv7 (RFC 9562), each larger than the one before it.

The log keeps its rows by id, so ids that follow each other are written one behind
the other. Within one millisecond, and while the clock stands or goes back, the
random part is counted up by a random step (method 2 of section 6.2): ids of other
processes cannot be guessed from ours, and do not meet them.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

_RANDOM_BITS: Final = 74
_STEP_BITS: Final = 32
_TIME_BITS: Final = 48
_LOW_BITS: Final = 62


class Ids:
    """Makes ids; any number of threads may ask."""

    def __init__(
        self,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits
        self.begin()

    def begin(self) -> None:
        """Forget what was made: another process has, or makes, the same."""
        self._lock = threading.Lock()
        self._last = -1

    def new(self) -> str:
        """An id that is larger than all that were made here before."""
        with self._lock:
            least = self._now_ms() << _RANDOM_BITS
            if self._last < least:
                self._last = least + self._random_bits(_RANDOM_BITS)
            else:
                # What overflows is carried into the time, and that is as it should be.
                self._last += 1 + self._random_bits(_STEP_BITS)
            return _text(self._last)


def _text(number: int) -> str:
    """The UUID of 48 bits of time and 74 others, with version and variant between."""
    time_ms = (number >> _RANDOM_BITS) & ((1 << _TIME_BITS) - 1)
    high = number >> _LOW_BITS & 0xFFF
    low = number & ((1 << _LOW_BITS) - 1)
    return str(UUID(int=time_ms << 80 | 7 << 76 | high << 64 | 2 << 62 | low))


IDS: Final = Ids()
"""Those of this process, which all of its clients share."""

if hasattr(os, "register_at_fork"):
    # A child would go on from the same number, perhaps with a lock nobody releases.
    os.register_at_fork(after_in_child=IDS.begin)
