"""The hashes of a log that nobody believes, each held against a believed root.

What is partial at the right edge gives the root; from there each full tile is
held against its parent. So an entry tile can be judged when it comes, before it
is written, and one that disagrees is named, though the log may have a billion.
"""

from __future__ import annotations

from ledger.tree import Frontier
from verifier.checkpoint import Checkpoint
from verifier.errors import DamagedError
from verifier.hashing import HASH_SIZE, root_over
from verifier.source import Source, read_hashes
from verifier.tile import WIDTH, Tile, width_at


class Proven:
    """The tiles of `tree`, as `source` shows them; used by one thread."""

    def __init__(self, source: Source, tree: Checkpoint) -> None:
        self._source = source
        self._size = tree.size
        self._edge: dict[int, bytes] = {}
        """The partial tiles, by level."""
        self._newest: dict[int, tuple[int, bytes]] = {}
        """Of each level the full tile that was read last: entries come in order."""
        try:
            found = Frontier.load(tree.size, self._read_edge).root()
        except ValueError as error:
            raise DamagedError(f"{source}: {error}") from None
        if found != tree.root:
            raise DamagedError(
                f"{source}: the partial tiles at the right edge lead to the root "
                f"{found.hex()[:16]}…, and its checkpoint says {tree.root.hex()[:16]}…"
            )

    def of_entries(self, index: int) -> bytes:
        """What is known of entry tile `index`: its root, or its leaves if partial."""
        if width_at(0, index, self._size) < WIDTH:
            return self._edge[0]
        above = self.tile(1, index // WIDTH)
        at = index % WIDTH * HASH_SIZE
        return above[at : at + HASH_SIZE]

    def tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile, which lead to the root."""
        if width_at(level, index, self._size) < WIDTH:
            return self._edge[level]
        number, data = self._newest.get(level, (-1, b""))
        if number == index:
            return data
        data = self._read(Tile(level, index))
        above = self.tile(level + 1, index // WIDTH)
        at = index % WIDTH * HASH_SIZE
        if root_over(data) != above[at : at + HASH_SIZE]:
            path = Tile(level, index).path()
            raise DamagedError(f"{path}: its hashes do not lead to the checkpoint")
        self._newest[level] = index, data
        return data

    def _read_edge(self, level: int, index: int) -> bytes:
        tile = Tile(level, index, width_at(level, index, self._size))
        return self._edge.setdefault(level, self._read(tile))

    def _read(self, tile: Tile) -> bytes:
        found = read_hashes(self._source, tile)
        if found is None:
            raise DamagedError(f"{self._source} has no {tile.path()}")
        return found
