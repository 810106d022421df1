"""Tiles: where hashes and entries are, as c2sp.org/tlog-tiles lays them out.

A hash tile holds up to 256 hashes of one level; tile (0, n) the leaves from
256·n on, and each hash of a higher tile is the root of one *full* tile below.
An entry tile holds the entries themselves, each after its length in two bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from verifier.errors import MalformedError
from verifier.hashing import HASH_SIZE

WIDTH: Final = 256
MAX_LEVEL: Final = 63
MAX_ENTRY_BYTES: Final = 65_535
MAX_ENTRY_TILE_BYTES: Final = WIDTH * (2 + MAX_ENTRY_BYTES)

ENTRIES: Final = -1
"""The "level" of entry tiles: below the leaves."""

_PATH: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)"
    r"/(?P<groups>(?:x[0-9]{3}/){0,5})(?P<last>[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Which tile: its level (or ENTRIES), its index, its width from 1 to 256."""

    level: int
    index: int
    width: int = WIDTH

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path in its one canonical spelling, or raise MalformedError."""
        found = _PATH.fullmatch(path)
        if not found:
            raise MalformedError("not the path of a tile")
        level = ENTRIES if found["level"] == "entries" else int(found["level"])
        index = int(found["groups"].replace("x", "").replace("/", "") + found["last"])
        tile = cls(level, index, int(found["width"] or WIDTH))
        # x000/005 and .p/256 are second spellings of the same tile.
        if level > MAX_LEVEL or tile.width > WIDTH or tile.path() != path:
            raise MalformedError("not the canonical path of a tile")
        return tile

    def path(self) -> str:
        """The path under the log's prefix; for a partial tile with its width."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        *upper, last = (digits[at : at + 3] for at in range(0, len(digits), 3))
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return (
            f"tile/{level}/" + "".join(f"x{group}/" for group in upper) + last + partial
        )

    def full(self) -> Tile:
        """The tile that this one becomes when it is full."""
        return Tile(self.level, self.index)


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes a tile has in a tree of `size` entries; 0 if it is not there."""
    hashes = size >> 8 * max(level, 0)
    return max(0, min(WIDTH, hashes - index * WIDTH))


def tiles_at(level: int, size: int) -> int:
    """How many tiles `level` has in a tree of `size` entries, the partial one too."""
    return -(-(size >> 8 * max(level, 0)) // WIDTH)


def levels_at(size: int) -> int:
    """How many levels of hash tiles a tree of `size` entries has."""
    return -(-size.bit_length() // 8)


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile, hashes and entries, that a tree of `size` entries needs."""
    for level in (ENTRIES, *range(levels_at(size))):
        for index in range(tiles_at(level, size)):
            yield Tile(level, index, width_at(level, index, size))


def check_hashes(data: bytes, tile: Tile) -> None:
    """Return if `data` is as long as the hashes of `tile`."""
    if len(data) != tile.width * HASH_SIZE:
        raise MalformedError(
            f"{len(data)} bytes, where {tile.width} hashes are expected"
        )


def parse_entries(data: bytes, tile: Tile) -> list[bytes]:
    """The entries of entry tile `tile`."""
    entries: list[bytes] = []
    at, stop = 0, len(data)
    while at + 2 <= stop and len(entries) < tile.width:
        end = at + 2 + (data[at] << 8 | data[at + 1])
        entries.append(data[at + 2 : end])
        at = end
    if at != stop or len(entries) != tile.width:
        raise MalformedError(
            f"{tile.width} entries with their lengths are expected; "
            f"{len(entries)} of them end at byte {at} of {stop}"
        )
    return entries


def encode_entries(entries: list[bytes]) -> bytes:
    """Write an entry tile."""
    # Joined in one step: to add each length to its entry first would copy all twice.
    parts = [b""] * (2 * len(entries))
    parts[::2] = [len(entry).to_bytes(2, "big") for entry in entries]
    parts[1::2] = entries
    return b"".join(parts)
