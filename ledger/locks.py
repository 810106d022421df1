"""Locks that processes take from each other: held by whoever has the file open."""

from __future__ import annotations

import fcntl
import time
from typing import Final

_PAUSE_S: Final = 0.02


def taken(number: int, *, within_s: float) -> bool:
    """Take the lock of an open file, waiting a little for who has it; or not."""
    for _ in range(max(1, round(within_s / _PAUSE_S))):
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False
