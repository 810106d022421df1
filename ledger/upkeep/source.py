"""A store, seen as the resources of c2sp.org/tlog-tiles: what an auditor reads.

Nothing is checked here, on purpose: whoever reads through it wants to know what
is stored.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import WrongBytes
from ledger.store import LogStore
from verifier.errors import MalformedError, Unavailable
from verifier.hashing import HASH_SIZE
from verifier.source import Source, read_entries
from verifier.tile import ENTRIES, WIDTH, Tile, encode_entries


class StoreSource:
    """A `verifier.source.Source` over a store."""

    parallel: ClassVar[int] = 1

    def __init__(self, store: LogStore) -> None:
        self.store = store

    def __str__(self) -> str:
        return "the store"

    def read(self, path: str, most: int) -> bytes | None:
        """The bytes of the tile at `path`; no store has other resources."""
        tile = Tile.parse(path)
        with self.store.snapshot() as snapshot:
            if tile.level != ENTRIES:
                hashes = snapshot.tile(tile.level, tile.index)
                return hashes[: tile.width * HASH_SIZE] or None
            start = tile.index * WIDTH
            try:
                entries = snapshot.entries(start, start + tile.width)
                data = encode_entries(entries)
            except (WrongBytes, OverflowError) as error:
                raise MalformedError(str(error)) from None
        if len(data) > most:
            raise MalformedError(f"{path} has more than {most} bytes")
        return data if len(entries) == tile.width else None

    def close(self) -> None:
        """The store is its owner's to close."""


def read_some(copy: Source, index: int, width: int) -> list[bytes]:
    """The first entries of an entry tile, up to `width`, as many as `copy` has."""
    for fewer in range(width, 0, -1):
        try:
            if found := read_entries(copy, Tile(ENTRIES, index, fewer)):
                return found
        except (MalformedError, Unavailable):
            break
    return []
