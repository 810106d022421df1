"""A store built again: from a copy of it, and the entries that came after the copy.

What was lost is taken from wherever it still is, and hashed on its way in. The
new store counts only if its tree is the one that was promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from ledger.errors import Held, Refused
from ledger.keys.keyfile import KeyFile
from ledger.log.identity import identity_of
from ledger.log.reading import Tree
from ledger.log.selfcheck import check_batch, stored_root
from ledger.store import WRITER, Batch, Head, LogStore, Snapshot
from ledger.store.copying import copy_store
from ledger.store.environment import DATA, create_store
from ledger.store.lmdb import LmdbStore
from ledger.tree import Frontier
from ledger.upkeep.birth import new_charter
from ledger.upkeep.copies import verify_store
from ledger.upkeep.rows import own_members
from ledger.upkeep.source import read_some
from verifier.entry import entry_time
from verifier.errors import MalformedError, Unavailable
from verifier.hashing import leaf_hashes
from verifier.own import FREEZE, GENESIS
from verifier.source import Source, read_hashes
from verifier.tile import ENTRIES, WIDTH, Tile, width_at

BATCH_ENTRIES: Final = 16 * WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What `extend` has done."""

    head: Head
    unidentified: int
    """Entries whose submitters only the lost rows knew."""


def begin(folders: Sequence[Path], dest: Path) -> bool:
    """Make the store `dest` from the folder that has the most; False if none is whole.

    The store that is to be replaced is as good a beginning as any copy of it.
    """
    found: list[tuple[int, Path]] = []
    for folder in folders:
        try:
            if (folder / "store" / DATA).exists():
                found.append((verify_store(folder / "store").size, folder / "store"))
        except Held:
            continue  # damaged, and so no beginning; others may do
    if not found:
        return False
    _, largest = max(found)
    store = LmdbStore(largest, readonly=True)
    try:
        copy_store(store, dest, role=WRITER)
    finally:
        store.close()
    return True


def begin_empty(
    dest: Path,
    keys: KeyFile,
    copies: Sequence[Source],
    *,
    kind: str | None,
    dedupe: bool,
) -> None:
    """Make an empty store `dest`, for when only entries are left."""
    told = _kind_told(copies, keys.genesis)
    if kind and told and kind != told:
        raise Refused("entries", f"the log was made as a {told} log, says its genesis")
    if not (kind or told):
        raise Refused(
            "entries",
            "no copy is a sound backup, and no entry says what kind of log this is; "
            "give --entries record, statement or opaque, as it was made",
        )
    charter = new_charter(keys.origin, kind=kind or told or "", dedupe=dedupe)
    create_store(dest, replace(charter, genesis=keys.genesis))


def _kind_told(copies: Sequence[Source], genesis: bytes) -> str | None:
    """What kind of log entry 0 says that this is, if it is our own."""
    for copy in copies:
        for entry in read_some(copy, 0, WIDTH)[:1]:
            members = own_members(entry)
            if members.get("kind") == GENESIS and members.get("genesis") == genesis:
                return str(members.get("entries"))
    return None


def extend(store: LogStore, goal: Tree, copies: Sequence[Source]) -> Rebuilt:
    """Append what `copies` have beyond the end of `store`, up to the tree `goal`."""
    with store.snapshot() as snapshot:
        head = snapshot.head()
        frontier = Frontier.load(head.size, snapshot.tile)
    before = head.size
    while head.size < goal.size:
        entries = _next(head.size, goal.size, copies)
        batch = _batch(store, head, frontier, entries)
        store.append(batch, partial(_check, batch))
        head = batch.head
    identified = store.charter.kind == "statement" or store.charter.dedupe
    return Rebuilt(head=head, unidentified=head.size - before if identified else 0)


def _check(batch: Batch, stored: Snapshot) -> None:
    check_batch(stored, batch)


def check_goal(store: LogStore, goal: Tree) -> None:
    """Return if the tree in `store` begins with the tree `goal`."""
    with store.snapshot() as snapshot:
        size = snapshot.head().size
        if size < goal.size:
            raise Held(
                "rollback",
                f"there are {size} entries, and {goal.size} were promised; name a copy "
                "that has the rest: an export, a mirror, a newer backup",
            )
        if stored_root(snapshot, goal.size) != goal.root:
            raise Held(
                "forked",
                f"the first {goal.size} entries are not those that were promised",
            )


def open_writer(folder: Path) -> LmdbStore:
    """Open a store that is being built."""
    return LmdbStore(folder, min_free_bytes=0)


def _next(start: int, stop: int, copies: Sequence[Source]) -> list[bytes]:
    """Some entries from `start` on, from the first copy that has them."""
    for copy in copies:
        entries: list[bytes] = []
        for found in _tiles(copy, start, min(stop, start + BATCH_ENTRIES)):
            entries += found
        if entries:
            return entries
    raise Held(
        "rollback",
        f"no copy has the entries from {start} on whole, and {stop} were promised; "
        "name one that has them: an export, a mirror, a newer backup",
    )


def _tiles(copy: Source, start: int, stop: int) -> Iterator[list[bytes]]:
    for index in range(start // WIDTH, -(-stop // WIDTH)):
        first, width = index * WIDTH, width_at(ENTRIES, index, stop)
        found = read_some(copy, index, width)
        if not _is_whole(copy, index, found):
            return  # others may have what this one has lost
        yield found[max(start - first, 0) :]
        if len(found) < width:
            return


def _is_whole(copy: Source, index: int, entries: list[bytes]) -> bool:
    """Whether `entries` are what the copy's own hashes say, where it has any."""
    try:
        hashes = read_hashes(copy, Tile(0, index, len(entries))) if entries else None
    except (MalformedError, Unavailable):
        return False
    return hashes is None or hashes == b"".join(leaf_hashes(entries))


def _batch(
    store: LogStore, head: Head, frontier: Frontier, entries: list[bytes]
) -> Batch:
    tiles = frontier.append(leaf_hashes(entries))
    at, frozen, rows = head.at, False, []
    if store.charter.kind == "record":
        try:
            at = max(at, entry_time(entries[-1]))
        except MalformedError as error:
            raise Refused("copy", f"entry {frontier.size - 1}: {error}") from None
        # A log that has ended stays so; its last entry says it.
        frozen = own_members(entries[-1]).get("kind") == FREEZE
        found = ((identity_of(entry), head.size + n) for n, entry in enumerate(entries))
        rows = [(identity, index) for identity, index in found if identity]
    new = Head(
        batch=head.batch + 1,
        size=frontier.size,
        root=frontier.root(),
        at=at,
        frozen=frozen,
    )
    return Batch(previous=head, head=new, entries=entries, tiles=tiles, identities=rows)
