"""LMDB environments: how one is made, and how one is opened.

LMDB keeps its promises with its default flags only, so they are set one by one
and looked at again after opening. The format is that of 0.9. Nothing but
`create_store` ever makes an environment or a database: a damaged one can look like
an empty one, and a log that starts again under the same key has forked.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import lmdb

from ledger.errors import Held, Unavailable
from ledger.store import WRITER, Charter, Head
from ledger.store import layout as at
from ledger.store.disk import check_local, sync_path
from ledger.store.whole import check_whole

DATA: Final = "data.mdb"
LOCK: Final = "lock.mdb"
MAP_BYTES: Final = 1 << 40
"""Address space reserved, not disk: a map cannot grow while others read."""
READERS: Final = 1024
_ATTEMPTS: Final = 20
_DAMAGED: Final = (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError)

_FLAGS: Final[dict[str, Any]] = {
    "subdir": True,
    "lock": True,
    "sync": True,
    "metasync": True,
    "writemap": False,
    "map_async": False,
    "meminit": True,
    "readahead": False,
    "mode": 0o600,
    "max_readers": READERS,
    "max_dbs": len(at.DATABASES),
    "max_spare_txns": 4,
    "lib_version": 0,
}


def create_store(folder: Path, charter: Charter, *, map_bytes: int = MAP_BYTES) -> None:
    """Make an empty store, durably. The only thing that ever does."""
    rows = {
        at.FORMAT_KEY: at.FORMAT,
        at.CHARTER_KEY: at.charter_value(charter),
        at.ROLE_KEY: WRITER.encode(),
        at.HEAD_KEY: at.head_value(Head()),
    }
    databases = {each: rows if each == at.LOG else {} for each in at.DATABASES}
    create_environment(folder, databases, map_bytes=map_bytes)


def create_environment(
    folder: Path,
    databases: Mapping[bytes, Mapping[bytes, bytes]],
    *,
    map_bytes: int = MAP_BYTES,
) -> None:
    """Make an environment with these databases and their first rows, durably."""
    os.mkdir(folder, 0o700)
    check_local(folder)
    env = lmdb.open(str(folder), map_size=map_bytes, create=True, **_FLAGS)
    made = {name: env.open_db(name) for name in databases}
    with env.begin(write=True) as txn:
        for name, rows in databases.items():
            for key, value in rows.items():
                txn.put(key, value, db=made[name])
    env.close()
    sync_path(folder / DATA)
    sync_path(folder)
    sync_path(folder.parent)


def open_environment(
    folder: Path, *, readonly: bool, map_bytes: int
) -> lmdb.Environment:
    """Open what is there, for reading or for the one writer."""
    check_own(folder, copy=readonly)
    check_whole(folder / DATA)
    check_local(folder)
    env = _open(folder, readonly=readonly, map_bytes=map_bytes)
    flags = env.flags()
    if not (flags["sync"] and flags["metasync"] and flags["lock"]) or flags["writemap"]:
        env.close()
        raise Held("unsafe", "LMDB was opened with flags that can lose entries")
    env.reader_check()
    return env


def check_own(folder: Path, *, copy: bool) -> None:
    """Return unless LMDB would write to a file that is not the store's.

    It opens its lock file for writing, also in a copy that somebody gave us: a link
    there leads wherever they wanted.
    """
    for path in (folder, folder / DATA, folder / LOCK):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        wanted = stat.S_ISDIR if path == folder else stat.S_ISREG
        linked = copy and path.name == LOCK and found.st_nlink > 1
        if not wanted(found.st_mode) or linked:
            raise at.damaged(f"{path} is a link, or no file of its own")


def _open(folder: Path, *, readonly: bool, map_bytes: int) -> lmdb.Environment:
    attempt = 0
    while True:
        try:
            return lmdb.open(
                str(folder),
                map_size=map_bytes,
                create=False,
                readonly=readonly,
                **_FLAGS,
            )
        except _DAMAGED as error:
            raise at.damaged(f"LMDB says: {error}") from None
        except lmdb.Error as error:
            # Opening can fail while another process opens or closes.
            attempt += 1
            again = "temporarily unavailable" in str(error)
            if not again or attempt == _ATTEMPTS:
                raise Unavailable(
                    "open",
                    f"the store cannot be opened: {error}; it reserves {map_bytes} "
                    "bytes of address space (map_bytes in log.toml)",
                ) from None
            time.sleep(0.05)


def open_databases(
    env: lmdb.Environment, folder: Path, names: Sequence[bytes] = at.DATABASES
) -> dict[bytes, Any]:
    """The databases of a store, all of which have to be there."""
    try:
        return {name: env.open_db(name, create=False) for name in names}
    except lmdb.Error as error:
        env.close()
        raise at.damaged(f"a database is gone from {folder}: {error}") from None
