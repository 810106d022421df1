"""The frontier: what has to be known of a tree to append to it.

A tree of any size is a row of perfect subtrees, each smaller than the one to its
left: one for each bit that is set in its size. Appending is counting in binary.
Where two subtrees of one height meet, they become one of the next, and carry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Self

from ledger.tree.tiles import TILE_BYTES, TILE_HEIGHT, Read, pyramid, read_tile
from verifier.hashing import EMPTY_ROOT, HASH_SIZE, node_hash
from verifier.tile import WIDTH, levels_at


class Frontier:
    """The right edge of a tree: enough to append to it, whatever its size.

    It holds at most 63 hashes and one partial tile a level, and keeps nothing of
    what it returned.
    """

    def __init__(self) -> None:
        """Start with the empty tree."""
        self.size = 0
        self._peaks: list[bytes] = []
        """The perfect subtrees, the largest first."""
        self._partial: defaultdict[int, bytes] = defaultdict(bytes)
        """The hashes of the tile that is being filled, by level."""

    @classmethod
    def load(cls, size: int, read: Read) -> Self:
        """The frontier of a tree of `size`, from the partial tiles at its edge.

        Raises ValueError if a tile has fewer hashes than a tree of `size` needs.
        """
        if size < 0:
            raise ValueError(f"a tree cannot have {size} entries")
        frontier = cls()
        frontier.size = size
        for level in reversed(range(levels_at(size))):
            index, width = divmod(size >> TILE_HEIGHT * level, WIDTH)
            if width:
                tile = read_tile(read, level=level, index=index, size=size)
                frontier._partial[level] = tile
                frontier._peaks += _peaks_of(tile)
        return frontier

    def copy(self) -> Frontier:
        """Another frontier of the same tree; what is appended to it is not here."""
        other = Frontier()
        other.size = self.size
        other._peaks = self._peaks.copy()
        other._partial = self._partial.copy()
        return other

    def root(self) -> bytes:
        """The root of the tree."""
        if not self._peaks:
            return EMPTY_ROOT
        *left, root = self._peaks
        for peak in reversed(left):
            root = node_hash(peak, root)
        return root

    def append(self, leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
        """Append `leaves`, which are hashes; return each tile that has changed.

        A tile is given by (level, index), with all hashes that it now has, those
        from before as well.
        """
        joined = b"".join(leaves)
        # One sum, not a look at each: it is there to catch entries in place of hashes.
        if len(joined) != len(leaves) * HASH_SIZE:
            raise ValueError(
                f"{len(leaves)} leaves of {len(joined)} bytes together are not hashes "
                f"of {HASH_SIZE} bytes: hash the entries before they are appended"
            )
        fresh: defaultdict[int, list[bytes]] = defaultdict(list)
        if joined:
            fresh[0].append(joined)
        start, size, stop = self.size, self.size, self.size + len(leaves)
        while size < stop:
            # As many as make one perfect subtree here, at most those of a tile.
            fits = (size | WIDTH) & -(size | WIDTH)
            height = min(fits, stop - size).bit_length() - 1
            at = (size - start) * HASH_SIZE
            subtree = pyramid(joined[at : at + (HASH_SIZE << height)])[-1]
            self._carry(subtree, height, size, fresh)
            size += 1 << height
        changed = self._fill(fresh)
        self.size = stop
        return changed

    def _carry(
        self,
        node: bytes,
        height: int,
        size: int,
        fresh: defaultdict[int, list[bytes]],
    ) -> None:
        """Add the perfect subtree `node`; note in `fresh` what the tiles get of it."""
        while True:
            level, rank = divmod(height, TILE_HEIGHT)
            if level and not rank:
                fresh[level].append(node)
            if not size >> height & 1:
                break
            node = node_hash(self._peaks.pop(), node)
            height += 1
        self._peaks.append(node)

    def _fill(
        self, fresh: defaultdict[int, list[bytes]]
    ) -> dict[tuple[int, int], bytes]:
        """Put new hashes into the tiles; return these."""
        changed = {}
        for level, hashes in fresh.items():
            tiles = self._partial[level] + b"".join(hashes)
            index = self.size >> TILE_HEIGHT * (level + 1)
            for at in range(0, len(tiles), TILE_BYTES):
                changed[level, index] = tiles[at : at + TILE_BYTES]
                index += 1
            self._partial[level] = tiles[len(tiles) // TILE_BYTES * TILE_BYTES :]
        return changed


def _peaks_of(tile: bytes) -> list[bytes]:
    """The perfect subtrees that the hashes of a partial tile make, the largest first.

    Of each level they are the last hash, where the number of hashes is odd.
    """
    odd = [level[-HASH_SIZE:] for level in pyramid(tile) if len(level) % 64]
    return odd[::-1]
