"""Where a store that is built again begins: what is left of the log, or a backup.

A backup may be somebody else's work. It is never taken beyond what was promised,
for nobody has signed what is behind that; and what it says of the log is held
against the key file, and against entry 0.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ledger.errors import Held, Refused, WrongBytes
from ledger.keys.keyfile import KeyFile
from ledger.store import WRITER, Charter, Head
from ledger.store.copying import copy_store
from ledger.store.environment import DATA, create_store
from ledger.store.lmdb import LmdbStore
from ledger.store.whole import check_structure
from ledger.upkeep.birth import new_charter
from ledger.upkeep.copies import verify_store
from ledger.upkeep.promises import Evidence, Promise, goal_of, is_beginning
from ledger.upkeep.rows import own_members
from ledger.upkeep.source import read_some
from verifier.own import GENESIS
from verifier.source import Source
from verifier.tile import WIDTH

BUILDING: Final = ".store."
ASIDE: Final = "store.old-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A whole store that the new one may begin with."""

    store: Path
    head: Head
    own: bool
    """Whether it is the log's, and no copy of it."""


def own_stores(folder: Path) -> list[Path]:
    """The store in `folder`; where a restore was ended between two names, its own."""
    if (folder / "store").exists():
        return [folder / "store"]
    names = os.listdir(folder)
    built = [folder / name for name in sorted(names) if name.startswith(BUILDING)]
    aside = [folder / name for name in names if name.startswith(ASIDE)]
    # Its name was the last thing that changed in the newest of them.
    aside.sort(key=lambda path: path.stat().st_ctime_ns)
    return [*built, *aside[-1:]]


def begin(
    folder: Path,
    dest: Path,
    keys: KeyFile,
    evidence: Evidence,
    promises: Sequence[Promise],
) -> bool:
    """Make the store `dest` from the one that has the most; False if none is whole.

    The store that is to be replaced is as good a beginning as any copy of it.
    """
    own = own_stores(folder)
    copies = [Path(copy) / "store" for copy in dict.fromkeys(evidence.copies)]
    found = [
        *_found(copies, keys, promises, own=False),
        *_found(own, keys, promises, own=True),
    ]
    if not found:
        return False
    most = max(found, key=lambda each: (each.head.size, each.head.frozen, each.own))
    # What the log's own store says of itself no copy can change.
    left = charter_left(own, keys)
    store = LmdbStore(most.store, readonly=True)
    try:
        charter = left or store.charter
        if charter.kind != store.charter.kind:
            raise Refused(
                "copy",
                f"{most.store.parent} is of a {store.charter.kind} log, and this is a "
                f"{charter.kind} log: somebody has changed the copy; name another one",
            )
        copy_store(store, dest, role=WRITER, charter=charter)
    finally:
        store.close()
    return True


def _found(
    stores: Sequence[Path], keys: KeyFile, promises: Sequence[Promise], *, own: bool
) -> Iterator[Found]:
    goal = goal_of(promises).size
    for path in stores:
        if not (path / DATA).exists():
            continue
        try:
            head = verify_store(path)
        except Held:
            continue  # damaged, and so no beginning; others may do
        store = LmdbStore(path, readonly=True)
        try:
            if not _is_ours(store, keys, own=own):
                continue
            # A restore that was ended may have left a part that nobody has checked.
            part = path.name.startswith(BUILDING) and head.size < goal
            beyond = not own and head.size > goal
            if not (part or beyond) and is_beginning(store, head, promises):
                yield Found(store=path, head=head, own=own)
        finally:
            store.close()


def _is_ours(store: LmdbStore, keys: KeyFile, *, own: bool) -> bool:
    charter = store.charter
    same = (charter.genesis, charter.origin) == (keys.genesis, keys.origin)
    if not same and not own:
        raise Held(
            "wrong_log",
            f"{store.folder.parent} is a copy of {charter.origin} (genesis "
            f"{charter.genesis.hex()}), and the key is that of {keys.origin} (genesis "
            f"{keys.genesis.hex()}); name a copy of this log",
        )
    told = _told(store, charter.genesis)
    if same and told and told != charter.kind:
        if own:
            return False
        raise Refused(
            "copy",
            f"{store.folder.parent} says that it is of a {charter.kind} log, and its "
            f"entry 0 of a {told} log: somebody has changed it; name another copy",
        )
    return same


def _told(store: LmdbStore, genesis: bytes) -> str | None:
    """What kind of log entry 0 says that this is, if it is the log's own."""
    try:
        with store.snapshot() as snapshot:
            entries = snapshot.entries(0, 1)
    except WrongBytes:
        return None
    return _kind_in(entries, genesis)


def _kind_in(entries: Sequence[bytes], genesis: bytes) -> str | None:
    for entry in entries[:1]:
        members = own_members(entry)
        if members.get("kind") == GENESIS and members.get("genesis") == genesis:
            return str(members.get("entries"))
    return None


def charter_left(stores: Sequence[Path], keys: KeyFile) -> Charter | None:
    """What a store says of the log, whatever became of its entries."""
    for path in stores:
        if not (path / DATA).exists():
            continue
        try:
            check_structure(path / DATA)
            store = LmdbStore(path, readonly=True)
        except Held:
            continue
        store.close()
        charter = store.charter
        if (charter.genesis, charter.origin) == (keys.genesis, keys.origin):
            return charter
    return None


def begin_empty(
    dest: Path,
    keys: KeyFile,
    evidence: Evidence,
    copies: Sequence[Source],
    left: Charter | None,
) -> None:
    """Make an empty store `dest`, for when only entries are `left`, or a charter."""
    told = _kind_told(copies, keys.genesis) or (left and left.kind)
    if evidence.kind and told and evidence.kind != told:
        raise Refused("entries", f"the log was made as a {told} log, says its genesis")
    if left and left.kind == told:
        create_store(dest, left)
        return
    kind = evidence.kind or told
    if not kind:
        raise Refused(
            "entries",
            "no copy is a sound backup, and no entry says what kind of log this is; "
            "give --entries record, statement or opaque, as it was made",
        )
    if kind == "opaque" and evidence.dedupe is None:
        raise Refused(
            "dedupe",
            "nothing that is left says whether this log logs the same bytes once or "
            "each time; give --dedupe or --no-dedupe, as it was made",
        )
    charter = new_charter(keys.origin, kind=kind, dedupe=bool(evidence.dedupe))
    create_store(dest, replace(charter, genesis=keys.genesis))


def _kind_told(copies: Sequence[Source], genesis: bytes) -> str | None:
    for copy in copies:
        if kind := _kind_in(read_some(copy, 0, WIDTH), genesis):
            return kind
    return None
