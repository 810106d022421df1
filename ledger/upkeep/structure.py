"""The structure of a data file, looked at where nobody writes to it meanwhile."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from ledger.errors import Unavailable
from ledger.log.home import Home
from ledger.log.lock import NAME as LOCK
from ledger.log.lock import Lock, is_locked
from ledger.store import environment
from ledger.store.environment import DATA
from ledger.store.whole import check_structure


def look_at_structure(folder: Path) -> bool:
    """Look at the pages before LMDB is let near them; False where somebody writes.

    No longer than this keeps the log from being written to.
    """
    home = Home.at(folder)
    data = home.store / DATA
    if not data.exists() or is_locked(folder):
        return False
    lock = Lock(folder) if _is_written(home) else None
    try:
        check_structure(data)
    finally:
        if lock:
            lock.release()
    return True


def check_reachable(folder: Path) -> None:
    """Return if LMDB can note its readers, for which it writes beside the data.

    Nothing is opened for it: to close that file would let go of LMDB's own locks.
    """
    store = Home.at(folder).store
    lock = store / environment.LOCK
    if not lock.exists() or os.access(lock, os.R_OK | os.W_OK) or _is_at_rest(store):
        return
    says = f"{lock} may not be written to, and LMDB notes there who reads: copy "
    says += f"{quote(str(folder))} to where this user may write, and check that"
    raise Unavailable("open", says)


def _is_written(home: Home) -> bool:
    """Whether somebody could write there: it is no backup, and on no disk at rest."""
    if _is_at_rest(home.folder):
        return False
    return home.anchor.exists() or (home.folder / LOCK).exists()


def _is_at_rest(folder: Path) -> bool:
    """Whether nobody can write there; then LMDB does without its lock as well."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
