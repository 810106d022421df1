"""A copy of a store, as it was at one moment: in another file, in a role of its own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import lmdb

from ledger.errors import Unavailable
from ledger.store import Charter
from ledger.store import layout as at
from ledger.store.disk import sync_path
from ledger.store.environment import DATA, MAP_BYTES, open_databases, open_environment
from ledger.store.lmdb import LmdbStore


def copy_store(
    store: LmdbStore,
    folder: Path,
    *,
    role: str,
    charter: Charter | None = None,
    frozen: bool | None = None,
) -> None:
    """Copy `store` into the new `folder`, durably, and give the copy its `role`.

    Until this returns `folder` is nobody's log: it has neither anchor nor key. Pages
    that are free are left out. LMDB does not sync what it copies. With another
    `charter` it is another log, which begins with the same entries; `frozen` says
    whether it has ended, where that is not as it was.
    """
    os.mkdir(folder, 0o700)
    try:
        store.copy_to(folder)
    except lmdb.CorruptedError as error:
        raise at.damaged(f"LMDB cannot copy it: {error}") from None
    except (lmdb.Error, OSError) as error:
        raise Unavailable("copy", f"{folder} could not be written: {error}") from error
    env = open_environment(folder, readonly=False, map_bytes=MAP_BYTES)
    try:
        log = open_databases(env, folder)[at.LOG]
        with env.begin(write=True) as txn:
            txn.put(at.ROLE_KEY, role.encode(), db=log)
            if charter:
                txn.put(at.CHARTER_KEY, at.charter_value(charter), db=log)
            if frozen is not None:
                head = at.parse_head(txn.get(at.HEAD_KEY, b"", db=log))
                head = replace(head, frozen=frozen)
                txn.put(at.HEAD_KEY, at.head_value(head), db=log)
    finally:
        env.close()
    os.chmod(folder / DATA, 0o600)
    sync_path(folder / DATA)
    sync_path(folder)
    sync_path(folder.parent)
