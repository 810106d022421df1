"""Hashes of parts of a tree, and proofs, out of the tiles that a log serves.

Nothing that comes from here is believed: it is checked against signed
checkpoints by verifier.proof like any other proof.
"""

from __future__ import annotations

from verifier.errors import ConsistencyError
from verifier.hashing import HASH_SIZE, node_hash, root_over
from verifier.source import Source, read_hashes
from verifier.tile import WIDTH, Tile, width_at


class TilesError(ConsistencyError):
    """The tiles do not show what the log signed: they prove nothing, for or against."""


class TileReader:
    """Reads the hashes of a tree of `size` entries; keeps the tiles, which are few."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._tiles: dict[Tile, bytes] = {}

    def range_hash(self, start: int, end: int) -> bytes:
        """The hash of the subtree [start, end)."""
        pieces = []
        while start < end:
            # The largest full subtree that begins at `start` and fits.
            height = (end - start).bit_length() - 1
            pieces.append(self._full(height, start >> height))
            start += 1 << height
        whole = pieces.pop()
        while pieces:
            whole = node_hash(pieces.pop(), whole)
        return whole

    def consistency(self, first: int) -> list[bytes]:
        """The consistency proof from size `first`, as in RFC 6962, 2.1.2."""
        proof: list[bytes] = []
        start, end, whole = 0, self._size, True
        while first != end:
            split = start + (1 << (end - start - 1).bit_length() - 1)
            if first <= split:
                proof.append(self.range_hash(split, end))
                end = split
            else:
                proof.append(self.range_hash(start, split))
                start, whole = split, False
        if not whole:
            proof.append(self.range_hash(start, end))
        return proof[::-1]

    def _full(self, height: int, position: int) -> bytes:
        """The hash of the full subtree of 2^height entries at `position`."""
        level, above = divmod(height, 8)
        first = position << above
        tile = Tile(level, first // WIDTH, width_at(level, first // WIDTH, self._size))
        at = first % WIDTH * HASH_SIZE
        return root_over(self._read(tile)[at : at + (HASH_SIZE << above)])

    def _read(self, tile: Tile) -> bytes:
        if tile not in self._tiles:
            hashes = read_hashes(self._source, tile)
            if hashes is None:
                # The server answered: what it signed for, it does not show.
                raise TilesError(
                    f"{self._source} has no {tile.path()}, which its tree needs"
                )
            self._tiles[tile] = hashes
        return self._tiles[tile]
