"""What a tile tells: its hashes, and those of the perfect subtrees over them."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final, TypeAlias

from verifier.hashing import HASH_SIZE
from verifier.tile import WIDTH, width_at

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives the joined hashes of the tile at (level, index), as far as they are there."""

TILE_HEIGHT: Final = 8
"""How much higher in the tree the next level of tiles is: WIDTH is 2 to this."""

TILE_BYTES: Final = WIDTH * HASH_SIZE


def read_tile(read: Read, *, level: int, index: int, size: int) -> bytes:
    """The hashes that a tile has in a tree of `size`, though the log may have grown."""
    data = read(level, index)
    width = width_at(level, index, size)
    if not width * HASH_SIZE <= len(data) <= TILE_BYTES or len(data) % HASH_SIZE:
        raise ValueError(
            f"tile {index} of level {level} was read with {len(data)} bytes; a tree "
            f"of {size} entries has {width} hashes of {HASH_SIZE} bytes there: see "
            "whether what is read belongs to this log, and is of this size or later"
        )
    return data[: width * HASH_SIZE]


def pyramid(hashes: bytes) -> list[bytes]:
    """`hashes`, joined, and above them every level of perfect subtrees.

    The last hash of an odd number has no parent yet, and is left out.
    """
    levels = [hashes]
    while len(hashes) > HASH_SIZE:
        # node_hash, written out: making a tree costs little else than this line.
        nodes = [
            sha256(b"\x01" + hashes[at : at + 64]).digest()
            for at in range(0, len(hashes) - HASH_SIZE, 64)
        ]
        hashes = b"".join(nodes)
        levels.append(hashes)
    return levels
