"""A large log in a folder, written as a stream: memory does not grow with it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random

from verifier.checkpoint import Checkpoint
from verifier.entry import Entry
from verifier.hashing import root_over
from verifier.tile import ENTRIES, WIDTH, Tile, encode_entries

ORIGIN = "bench.example/log"
AT = 1_790_000_000_000


def opaque_entries(count: int, size: int) -> Iterator[bytes]:
    """Different entries of `size` bytes."""
    filler = Random(1).randbytes(size - 8)
    for number in range(count):
        yield number.to_bytes(8, "big") + filler


def wrapped_entries(count: int, size: int) -> Iterator[bytes]:
    """The same as a record log keeps them; `size` is that of the whole entry."""
    kind = "application/octet-stream"
    empty = len(
        Entry(at=AT, by="p-0123456789abcdef", type=kind, body=bytes(99)).encode()
    )
    for number, body in enumerate(opaque_entries(count, size - empty + 99)):
        at = AT + number // 100
        yield Entry(at=at, by="p-0123456789abcdef", type=kind, body=body).encode()


def write_log(folder: Path, entries: Iterator[bytes]) -> Checkpoint:
    """Write entry tiles and hash tiles; return what their log would sign."""
    writer = _Writer(folder)
    while some := list(islice(entries, WIDTH)):
        writer.add(some)
    return writer.close()


class _Writer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()
        self._levels: list[list[bytes]] = [[]]
        self._tiles = [0]
        self._size = 0

    def add(self, entries: list[bytes]) -> None:
        tile = Tile(ENTRIES, self._size // WIDTH, len(entries))
        self._write(tile, encode_entries(entries))
        self._size += len(entries)
        self._levels[0] = [sha256(b"\x00" + entry).digest() for entry in entries]
        if len(entries) == WIDTH:
            self._carry(0)

    def close(self) -> Checkpoint:
        whole = b""
        for level, hashes in enumerate(self._levels):
            if hashes:
                joined = b"".join(hashes)
                self._write(Tile(level, self._tiles[level], len(hashes)), joined)
                whole = root_over(joined + whole)
        return Checkpoint(origin=ORIGIN, size=self._size, root=whole or root_over(b""))

    def _carry(self, level: int) -> None:
        """Write the full tile at the edge of `level`, and pass its root on."""
        joined = b"".join(self._levels[level])
        self._write(Tile(level, self._tiles[level]), joined)
        self._levels[level] = []
        self._tiles[level] += 1
        if level + 1 == len(self._levels):
            self._levels.append([])
            self._tiles.append(0)
        self._levels[level + 1].append(root_over(joined))
        if len(self._levels[level + 1]) == WIDTH:
            self._carry(level + 1)

    def _write(self, tile: Tile, data: bytes) -> None:
        where = self._folder / tile.path()
        if where.parent not in self._made:
            where.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(where.parent)
        where.write_bytes(data)
