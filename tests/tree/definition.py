"""Trees of any size and their tiles, straight from the definitions.

The hash k of level L is MTH over the entries from k·256^L on, 256^L of them: this
is all that c2sp.org/tlog-tiles says of a tile, and all that is done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from tests.reference.rfc6962 import Tree

LARGE = [2**24 - 1, 2**24, 2**24 + 1, 2**24 + 65_793, 10**7, 2**40 - 1, 2**40]
"""Sizes of trees that nobody would fill for a test."""


class Repeating(Sequence[bytes]):
    """Entries without end: `block` times "0", as often "1", and so on."""

    def __init__(self, block: int) -> None:
        self.block = block

    def __getitem__(self, index):
        return b"%d" % (index // self.block)

    def __len__(self) -> int:
        raise NotImplementedError("there is no last entry")


class EndlessTree(Tree):
    """The tree over Repeating entries; only its size says where it ends.

    Inside a block both children of a node are alike, so that trees which nobody
    could fill have roots and proofs; above the blocks every node is another.
    """

    def __init__(self, block: int = 1) -> None:
        super().__init__(Repeating(block))
        self.block = block

    def mth(self, start: int, end: int) -> bytes:
        if known := self._known.get((start, end)):
            return known
        half = (end - start) // 2
        alike = half and start // self.block == (end - 1) // self.block
        if alike and (end - start).bit_count() == 1:
            child = self.mth(start, start + half)
            self._known[start, end] = sha256(b"\x01" + child + child).digest()
        return super().mth(start, end)


class Tiles:
    """Reads the tiles of a tree of `size`, and remembers which were asked for."""

    def __init__(self, tree: Tree, size: int) -> None:
        self.tree, self.size = tree, size
        self.asked: list[tuple[int, int]] = []

    def __call__(self, level: int, index: int) -> bytes:
        self.asked.append((level, index))
        tile = self.hashes(level, index)
        assert tile, f"tile {index} of level {level} is not in {self.size} entries"
        return tile

    def hashes(self, level: int, index: int) -> bytes:
        """The hashes of a tile, joined; none if it is not in the tree."""
        span = 256**level
        first, last = index * 256, min(index * 256 + 256, self.size // span)
        return b"".join(
            self.tree.mth(at * span, at * span + span) for at in range(first, last)
        )

    def changed_since(self, size: int) -> dict[tuple[int, int], bytes]:
        """The tiles that a tree of `size` does not have, or not with these hashes."""
        changed, span, level = {}, 1, 0
        while self.size >= span:
            for index in range(size // span // 256, self.size // span // 256 + 1):
                tile = self.hashes(level, index)
                if self.size // span > size // span and tile:
                    changed[level, index] = tile
            span, level = span * 256, level + 1
        return changed


def large(size: int) -> EndlessTree:
    """A tree that is known quickly up to `size`, and has some hundred blocks."""
    return EndlessTree(block=1 << max(0, size.bit_length() - 9))


def places(size: int) -> list[int]:
    """Indexes in a tree of `size`: its ends, the seams between its tiles, its peaks."""
    seams = [0, 1, 255, 256, 65_535, 65_536, 65_792, 2**24 - 1, 2**24]
    peaks = [size >> height << height for height in range(size.bit_length())]
    near = {at + step for at in (*seams, *peaks, size // 3) for step in (-1, 0)}
    return sorted(at for at in near if 0 <= at < size)
