"""A store, seen as the resources of c2sp.org/tlog-tiles: what an auditor reads.

Nothing is checked here, on purpose: whoever reads through it wants to know what
is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ledger.clock import stopwatch
from ledger.errors import WrongBytes
from ledger.store import LogStore
from verifier import note
from verifier.checkpoint import Checkpoint
from verifier.errors import MalformedError, Unavailable
from verifier.hashing import HASH_SIZE
from verifier.note import Note
from verifier.source import CHECKPOINT, Source, read_entries
from verifier.tile import ENTRIES, WIDTH, Tile, encode_entries, width_at

MOST_S: Final = 600.0
"""How long one copy may take in all; what is not mended then, the next run mends."""
MAX_SILENCES: Final = 3
"""After so many reads that nobody answered a copy is taken to be gone."""


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


class Sparing:
    """A copy that may be slow, or hostile: asked as little as can be.

    What it has not is not asked for again, its size is read once, and when all the
    time that it may take is over, or too often nobody answered, it has nothing.
    """

    parallel: ClassVar[int] = 1

    def __init__(self, source: Source, *, most_s: float = MOST_S) -> None:
        self._source = source
        self._left_s = most_s
        self._left_silences = MAX_SILENCES
        self._nothing: set[str] = set()
        self._last: tuple[str, bytes] = ("", b"")
        self._size: int | None = None

    def __str__(self) -> str:
        return str(self._source)

    @property
    def size(self) -> int:
        """The size that its checkpoint says, unverified; 0 if it says none."""
        if self._size is None:
            try:
                data = self.read(CHECKPOINT, note.MAX_BYTES) or b""
                self._size = Checkpoint.parse(Note.parse(data).text).size
            except (MalformedError, Unavailable):
                self._size = 0
        return self._size

    def read(self, path: str, most: int) -> bytes | None:
        """The bytes at `path`, asked for once where there are none."""
        if path == self._last[0]:
            return self._last[1]
        if path in self._nothing:
            return None
        if self._left_s <= 0 or not self._left_silences:
            raise Unavailable(f"{self._source} has taken too long; it is asked no more")
        since = stopwatch()
        try:
            data = self._source.read(path, most)
        except Unavailable:
            self._left_silences -= 1
            raise
        finally:
            self._left_s -= stopwatch() - since
        if data is None:
            self._nothing.add(path)
        else:
            self._last = (path, data)
        return data

    def close(self) -> None:
        """The copy is closed by whoever opened it."""


def read_some(copy: Source, index: int, width: int) -> list[bytes]:
    """The first entries of an entry tile, up to `width`, as many as `copy` has."""
    for fewer in _widths(copy, index, width):
        try:
            if found := read_entries(copy, Tile(ENTRIES, index, fewer)):
                return found[:width]
        except (MalformedError, Unavailable):
            break
    return []


def _widths(copy: Source, index: int, width: int) -> Iterable[int]:
    """The widths at which a copy may have an entry tile."""
    if not isinstance(copy, Sparing):
        return range(width, 0, -1)
    theirs = width_at(ENTRIES, index, copy.size)
    # Ours as well: a mirror may have kept it, or not say how large it is.
    return dict.fromkeys(each for each in (theirs, width) if each)
