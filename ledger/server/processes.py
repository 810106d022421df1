"""Processes of ours: begun by forking, so that they share what is loaded already.

Whoever forks has one thread, no loop, no open store and no key. A child never
returns into its parent's code.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final

SIGNALS: Final = frozenset(
    {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
)
"""What the supervisor waits for; blocked, until it does."""

_LARGE: Final = 1 << 20
_M_MMAP_THRESHOLD: Final = -3
"""The number that glibc has for it."""

FAULT: Final = 70
"""The status of a child that failed in a way of which nobody has thought."""


def fork(run: Callable[[], None]) -> int:
    """Begin a process that does `run` and ends; return its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    # What is there now is never collected: else each child would copy all of it.
    gc.freeze()
    pid = os.fork()
    if pid:
        return pid
    status = FAULT
    try:
        # Ctrl-C, and a terminal that is closed, reach all of us; the supervisor alone
        # says what is to be done.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        _give_back_what_is_freed()
        run()
        status = 0
    except BaseException:  # noqa: BLE001 - it ends here, whatever it is
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _give_back_what_is_freed() -> None:
    """Have memory of large pieces go back to the system when they are freed.

    Left alone, glibc keeps what comes after the first of them, in every thread.
    """
    with suppress(AttributeError):  # of another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def ended(pid: int) -> int | None:
    """How a child has ended, if it has: its status, or minus a signal's number."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def tell(pid: int, number: signal.Signals) -> None:
    """Send a signal to a child of ours that has not been waited for."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def how(status: int) -> str:
    """How something has ended, in words."""
    return (
        f"killed by signal {-status}" if status < 0 else f"ended with status {status}"
    )


def own_bytes() -> int:
    """The memory that this process has for itself.

    Not all that is resident: the pages of the store are the kernel's to take back.
    """
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        rows = dict(line.split(":", 1) for line in file if ":" in line)
    return int(rows["RssAnon"].split()[0]) * 1024
