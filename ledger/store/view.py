"""One LMDB transaction, read: by anybody, and by the writer before it commits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import lmdb

from ledger.errors import WrongBytes
from ledger.store import Head
from ledger.store import layout as at
from verifier.tile import ENTRIES, WIDTH, Tile

Txn: TypeAlias = "lmdb.Transaction[Any]"

_NOTHING: Final = b""


class View:
    """A snapshot. LMDB lends memory until the transaction ends: all is copied out."""

    def __init__(self, txn: Txn, databases: dict[bytes, Any]) -> None:
        self._txn = txn
        self._databases = databases

    def row(self, key: bytes) -> bytes | None:
        """A row of the first database."""
        value = self._txn.get(key, db=self._databases[at.LOG])
        return None if value is None else bytes(value)

    def head(self) -> Head:
        """See Snapshot."""
        return at.parse_head(self.row(at.HEAD_KEY) or _NOTHING)

    def tile(self, level: int, index: int) -> bytes:
        """See Snapshot."""
        key = at.tile_key((level, index))
        return bytes(self._txn.get(key, _NOTHING, db=self._databases[at.TILES]))

    def entries(self, start: int, stop: int) -> list[bytes]:
        """See Snapshot."""
        size = self.head().size
        stop, full = min(stop, size), size // WIDTH * WIDTH
        found: list[bytes] = []
        for index in range(start // WIDTH, -(-min(stop, full) // WIDTH)):
            first = index * WIDTH
            found += self._of_tile(index, max(start - first, 0), stop - first)
        start = max(start, full)
        if start < stop:
            found += tail_entries(self._txn, self._databases[at.TAIL], start, stop)
        return found

    def find(self, identities: Iterable[bytes]) -> dict[bytes, int]:
        """See Snapshot."""
        cursor = self._txn.cursor(self._databases[at.IDENTITIES])
        rows = cursor.getmulti(sorted(identities))
        return {bytes(key): at.parse_index(bytes(value)) for key, value in rows}

    def identities(self) -> Iterable[tuple[bytes, int]]:
        """Every identity row."""
        for key, value in self._txn.cursor(self._databases[at.IDENTITIES]):
            yield bytes(key), at.parse_index(bytes(value))

    def _of_tile(self, index: int, first: int, stop: int) -> list[bytes]:
        """Entries of a full entry tile, by walking over the lengths before them."""
        path = Tile(ENTRIES, index).path()
        data = self._txn.get(at.index_key(index), db=self._databases[at.ENTRIES])
        if data is None:
            raise WrongBytes(path, "the entry tile is missing")
        found: list[bytes] = []
        position, stop = 0, min(stop, WIDTH)
        if stop - first > WIDTH // 4:
            data = bytes(data)  # one copy of all is faster than many of a part
        try:
            for number in range(stop):
                end = position + 2 + (data[position] << 8 | data[position + 1])
                if number >= first:
                    found.append(bytes(data[position + 2 : end]))
                position = end
        except IndexError:
            position = len(data) + 1
        if position > len(data) or (stop == WIDTH and position != len(data)):
            raise WrongBytes(path, "the lengths in the entry tile do not fit")
        return found


def tail_entries(txn: Txn, database: Any, start: int, stop: int) -> list[bytes]:
    """The entries of the tail from `start` up to `stop`, all of which are there."""
    found = []
    # One by one: on a damaged page a step of a cursor can end the process.
    for index in range(start, stop):
        value = txn.get(at.index_key(index), db=database)
        if value is None:
            tile = Tile(ENTRIES, index // WIDTH, index % WIDTH + 1)
            raise WrongBytes(tile.path(), f"entry {index} is missing from the tail")
        found.append(bytes(value))
    return found
