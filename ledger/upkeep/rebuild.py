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
from ledger.log.identity import identity_of
from ledger.log.reading import Tree
from ledger.log.selfcheck import check_batch
from ledger.store import Batch, Head, LogStore, Snapshot
from ledger.store.lmdb import LmdbStore
from ledger.tree import Frontier
from ledger.upkeep.promises import NEW_ORIGIN
from ledger.upkeep.rows import own_members, right_rows
from ledger.upkeep.source import StoreSource, read_some
from verifier.entry import entry_time
from verifier.errors import MalformedError, Unavailable
from verifier.hashing import leaf_hashes
from verifier.own import FREEZE
from verifier.source import Source, read_hashes
from verifier.tile import ENTRIES, WIDTH, Tile, width_at

BATCH_ENTRIES: Final = 16 * WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What `extend` has done."""

    head: Head
    unidentified: int
    """Entries whose submitters only the lost rows knew."""


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
    if not (store.charter.kind == "statement" or store.charter.dedupe):
        return Rebuilt(head=head, unidentified=0)
    return Rebuilt(head=head, unidentified=_identify(store, before, head.size, copies))


def _identify(store: LogStore, start: int, stop: int, copies: Sequence[Source]) -> int:
    """Write the rows of new entries that backups have; for how many there are none."""
    stores = [each.store for each in copies if isinstance(each, StoreSource)]
    found: dict[bytes, int] = {}
    for identity, index in right_rows(store, stop, stores) if start < stop else ():
        if index >= start:
            found.setdefault(identity, index)
    if found:
        store.index(found.items(), drop=False)
    return stop - start - len(set(found.values()))


def _check(batch: Batch, stored: Snapshot) -> None:
    check_batch(stored, batch)


def end(store: LogStore) -> Head:
    """End the log in `store`, as it was promised; return the head it has then."""
    with store.snapshot() as snapshot:
        head = snapshot.head()
    if head.frozen:
        return head
    last = replace(head, batch=head.batch + 1, frozen=True)
    batch = Batch(previous=head, head=last, entries=[], tiles={})
    store.append(batch, partial(_check, batch))
    return last


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
        f"name one that has them: an export, a mirror, a newer backup{NEW_ORIGIN}",
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
        rows = _new_rows(store, head.size, entries)
    new = Head(
        batch=head.batch + 1,
        size=frontier.size,
        root=frontier.root(),
        at=at,
        frozen=frozen,
    )
    return Batch(previous=head, head=new, entries=entries, tiles=tiles, identities=rows)


def _new_rows(
    store: LogStore, start: int, entries: Sequence[bytes]
) -> list[tuple[bytes, int]]:
    """The rows of `entries`; what is there twice is known by its first index.

    That happens to a log that has lost rows: what comes again is logged again.
    """
    first: dict[bytes, int] = {}
    for index, entry in enumerate(entries, start):
        if identity := identity_of(entry):
            first.setdefault(identity, index)
    with store.snapshot() as snapshot:
        known = snapshot.find(first)
    return [
        (identity, index) for identity, index in first.items() if identity not in known
    ]
