"""One writer: a lock of our own, held for as long as the process lives.

LMDB's own lock is not enough: anybody who opens and closes its lock file in the
writing process, such as a backup tool, releases it without a word. This one is a
file that nobody has a reason to read. The text in it is for people.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from ledger.errors import Held
from ledger.locks import taken
from ledger.store.disk import failed

NAME: Final = "lock"
_WITHIN_S: Final = 0.1
"""Who only looks whether it is taken has it for a moment."""


class Lock:
    """The right to write in `folder`."""

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._number = os.open(path, flags, 0o600)
        except OSError as error:
            raise Held(
                "locked",
                f"{path} cannot be opened: {error.strerror}",
                mend=f"let {path} be a file that this user may write",
            ) from None
        try:
            self._take(folder)
        except OSError as error:
            os.close(self._number)
            raise failed(path, error) from None
        except BaseException:
            os.close(self._number)
            raise

    def _take(self, folder: Path) -> None:
        if not taken(self._number, within_s=_WITHIN_S):
            holder = os.pread(self._number, 80, 0).decode("ascii", "replace").strip()
            raise Held(
                "locked", f"another process writes in {folder} ({holder or 'unknown'})"
            )
        os.ftruncate(self._number, 0)
        os.pwrite(self._number, f"process {os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another one write."""
        os.close(self._number)


def is_locked(folder: Path) -> bool:
    """Whether somebody writes in `folder` just now."""
    try:
        number = os.open(folder / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(number)
    return False
