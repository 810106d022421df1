"""Proofs, made: which hashes lead from one entry, or one size, to the root.

Only perfect subtrees are stored, in tiles. Each is known by its height and its
position among those of that height, and what leads from it to the root is

    the siblings inside the perfect subtree of the edge that holds it,
    what is right of that one, folded into one hash, and
    the perfect subtrees left of it, from right to left.

An inclusion proof (RFC 6962, 2.1.1) is this for the subtree of one leaf; a
consistency proof (2.1.2) is this for the last perfect subtree of the smaller tree,
preceded by the subtree itself unless it is all of that tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from ledger.tree.tiles import TILE_HEIGHT, Read, pyramid, read_tile
from verifier.hashing import EMPTY_ROOT, HASH_SIZE, node_hash
from verifier.tile import WIDTH

Edge: TypeAlias = dict[int, list[bytes]]
"""The paths of the perfect subtrees at the edge of a tree, by their height."""


class Prover:
    """Proofs for a tree of `size`; those of a batch share their work.

    What is read and hashed is remembered, about 16 kB for each tile, for as long as
    the prover lives: make one for a batch or a question, not for ever.
    """

    def __init__(self, size: int, read: Read, edge: Edge | None = None) -> None:
        """Prove by what `read` gives; the log may be larger than `size` by now.

        `edge` is that of an earlier prover of the same size: half of the work of a
        single proof, and the same for all.
        """
        if size < 0:
            raise ValueError(f"a tree cannot have {size} entries")
        self._size = size
        self._read = read
        self._pyramids: dict[tuple[int, int], list[bytes]] = {}
        self._paths: dict[tuple[int, int], list[bytes]] = {}
        """The paths of whole tiles, which all leaves of a tile have in common."""
        self.edge: Edge = {} if edge is None else edge
        """For the perfect subtrees of the edge, by height, their paths."""

    def inclusion(self, index: int) -> list[bytes]:
        """PATH(index, D[size]): from the leaf at `index` to the root."""
        if not 0 <= index < self._size:
            raise ValueError(
                f"entry {index} is not in a tree of {self._size} entries: "
                "ask for a smaller index, or of a larger tree"
            )
        top = min(TILE_HEIGHT, self._peak_over(index))
        common = top, index >> top
        if common not in self._paths:
            self._paths[common] = self._path(*common)
        return self._siblings(0, index, top) + self._paths[common]

    def consistency(self, first: int) -> list[bytes]:
        """PROOF(first, D[size]): how the tree of `first` became this one."""
        if not 0 < first <= self._size:
            raise ValueError(
                f"no proof leads from {first} to {self._size} entries: "
                "ask from a size of at least 1 to one that is not smaller"
            )
        if first == self._size:
            return []
        height = (first & -first).bit_length() - 1
        position = (first >> height) - 1
        # The verifier knows it already, if it is all of the smaller tree.
        subtree = [self._node(height, position)] if position else []
        return subtree + self._path(height, position)

    def root(self, size: int | None = None) -> bytes:
        """The root of this tree, or of the smaller one of `size`."""
        size = self._size if size is None else size
        if not 0 <= size <= self._size:
            raise ValueError(
                f"a tree of {self._size} entries has no root of {size}: "
                "ask for a smaller size, or of a larger tree"
            )
        root = b""
        for height in _heights(size):
            peak = self._peak(height, size)
            root = node_hash(peak, root) if root else peak
        return root or EMPTY_ROOT

    def _path(self, height: int, position: int) -> list[bytes]:
        """What leads from a perfect subtree to the root."""
        top = self._peak_over(position << height)
        if not self.edge:
            self._walk_edge()
        return self._siblings(height, position, top) + self.edge[top]

    def _siblings(self, height: int, position: int, top: int) -> list[bytes]:
        """What stands beside a perfect subtree, from its height up to below `top`."""
        siblings = []
        while height < top:
            levels, place = self._stand(height, position)
            for level in levels[: top - height]:
                at = (place ^ 1) * HASH_SIZE
                siblings.append(level[at : at + HASH_SIZE])
                place >>= 1
            height, position = height + len(levels), position >> len(levels)
        return siblings

    def _walk_edge(self) -> None:
        peaks = [(each, self._peak(each, self._size)) for each in _heights(self._size)]
        right: list[bytes] = []
        for number, (height, peak) in enumerate(peaks, start=1):
            self.edge[height] = right + [left for _, left in peaks[number:]]
            right = [node_hash(peak, *right)] if right else [peak]

    def _peak_over(self, index: int) -> int:
        """The height of the perfect subtree of the edge that has the leaf at `index`.

        It is the first bit where the size goes right and the index does not.
        """
        return (index ^ self._size).bit_length() - 1

    def _peak(self, height: int, size: int) -> bytes:
        """The perfect subtree of this height at the edge of the tree of `size`."""
        return self._node(height, (size >> height) - 1)

    def _node(self, height: int, position: int) -> bytes:
        levels, place = self._stand(height, position)
        return levels[0][place * HASH_SIZE :][:HASH_SIZE]

    def _stand(self, height: int, position: int) -> tuple[list[bytes], int]:
        """The levels of a subtree's tile, from its height up, and its place there."""
        level, rank = divmod(height, TILE_HEIGHT)
        index, place = divmod(position, WIDTH >> rank)
        if (level, index) not in self._pyramids:
            tile = read_tile(self._read, level=level, index=index, size=self._size)
            self._pyramids[level, index] = pyramid(tile)
        return self._pyramids[level, index][rank:TILE_HEIGHT], place


def _heights(size: int) -> Iterator[int]:
    """The heights of the perfect subtrees that a tree of `size` is made of, rising."""
    return (height for height in range(size.bit_length()) if size >> height & 1)
