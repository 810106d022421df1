"""Repair: stored bytes that are wrong, replaced by bytes that the root vouches for.

A hash that is in the tree says which bytes are right, whoever has them: the log
itself, one tile up or down, or a copy. Bytes that do not lead to the root are
refused, wherever they come from, and the root is never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import product

from ledger.errors import WrongBytes
from ledger.log.reading import Tree
from ledger.log.selfcheck import root_over_edges
from ledger.store import LogStore, Snapshot, TileKey
from ledger.upkeep.source import read_some
from verifier.errors import MalformedError, Unavailable
from verifier.hashing import HASH_SIZE, leaf_hash, leaf_hashes, root_over
from verifier.source import Source, read_hashes
from verifier.tile import (
    ENTRIES,
    MAX_ENTRY_BYTES,
    WIDTH,
    Tile,
    encode_entries,
    levels_at,
    width_at,
)


class Repair:
    """Finds the right bytes for damaged tiles, in their store and in `copies`."""

    def __init__(self, store: LogStore, tree: Tree, copies: Sequence[Source]) -> None:
        self._store = store
        self._tree = tree
        self._copies = copies
        self._right: dict[TileKey, bytes] = {}
        """Tiles of hashes that the root vouches for, as found so far."""

    def run(self, damaged: Iterable[str]) -> Iterator[tuple[str, bool]]:
        """Mend the tiles at the paths `damaged`; say of each whether it is whole."""
        tiles = sorted({Tile.parse(path) for path in damaged}, reverse=True)
        entry_tiles = {tile.index for tile in tiles if tile.level <= 0}
        # From the root down: so each tile is judged by one that has been judged.
        for level in reversed(range(levels_at(self._tree.size))):
            for index in _over(tiles, level):
                yield from self._mend_hashes(self._tile(level, index))
        for index in sorted(entry_tiles):
            yield self._mend_entries(self._tile(ENTRIES, index))

    def _mend_hashes(self, tile: Tile) -> Iterator[tuple[str, bool]]:
        key = (tile.level, tile.index)
        stored = self._stored(key)[: tile.width * HASH_SIZE]
        right = self._find(tile)
        if right is None:
            yield tile.path(), False
            return
        self._right[key] = right
        if right != stored:
            self._store.mend(key, right)
            yield tile.path(), True

    def _find(self, tile: Tile) -> bytes | None:
        """The hashes of `tile` that the tree above it vouches for."""
        if tile.width < WIDTH:
            return self._find_edges().get((tile.level, tile.index))
        above = self._right.get((tile.level + 1, tile.index // WIDTH))
        if above is None:
            above = self._stored((tile.level + 1, tile.index // WIDTH))
        wanted = above[tile.index % WIDTH * HASH_SIZE :][:HASH_SIZE]
        for deep in (False, True):
            for each in self._candidates(tile, deep=deep):
                if root_over(each) == wanted:
                    return each
        return None

    def _find_edges(self) -> dict[TileKey, bytes]:
        """The partial tiles at the edge, which only together make the root."""
        keys = []
        for level in range(levels_at(self._tree.size)):
            index = (self._tree.size >> 8 * level) // WIDTH
            if width_at(level, index, self._tree.size):
                keys.append((level, index))
        tiles = [self._tile(*key) for key in keys]
        levels = range(levels_at(self._tree.size))
        for deep in (False, True):
            choices = [list(self._candidates(each, deep=deep)) for each in tiles]
            for chosen in product(*choices):
                edges = dict(zip(keys, chosen, strict=True))
                by_level = {level: hashes for (level, _), hashes in edges.items()}
                joined = [by_level.get(level, b"") for level in levels]
                if root_over_edges(joined) == self._tree.root:
                    return edges
        return {}

    def _candidates(self, tile: Tile, *, deep: bool) -> Iterator[bytes]:
        """What the hashes of `tile` may be, as many as it needs.

        If `deep`, what all entries below lead to as well, which takes longer.
        """
        length = tile.width * HASH_SIZE
        found = {self._stored((tile.level, tile.index))[:length], self._below(tile)}
        for copy in self._copies:
            found.add(_hashes_of(copy, tile))
            if tile.level == 0:
                entries = read_some(copy, tile.index, tile.width)
                found.add(b"".join(leaf_hashes(entries)))
        if deep:
            found.add(self._from_entries(tile))
        return (each for each in found if len(each) == length)

    def _below(self, tile: Tile) -> bytes:
        """The hashes that what is below `tile` leads to."""
        if tile.level == 0:
            return b"".join(leaf_hashes(self._own_entries(tile)))
        first = tile.index * WIDTH
        below = (
            self._stored((tile.level - 1, first + each)) for each in range(tile.width)
        )
        return b"".join(map(root_over, below))

    def _from_entries(self, tile: Tile) -> bytes:
        """The hashes that the entries under `tile` lead to, past all stored tiles."""
        if tile.level == 0:
            return self._below(tile)
        first = tile.index * WIDTH
        below = (Tile(tile.level - 1, first + each) for each in range(tile.width))
        return b"".join(root_over(self._from_entries(each)) for each in below)

    def _mend_entries(self, tile: Tile) -> tuple[str, bool]:
        hashes = self._right.get((0, tile.index)) or self._stored((0, tile.index))
        own = self._own_entries(tile)
        others = [
            own,
            *(read_some(each, tile.index, tile.width) for each in self._copies),
        ]
        chosen: list[bytes] = []
        for number in range(tile.width):
            wanted = hashes[number * HASH_SIZE :][:HASH_SIZE]
            fitting = (
                each[number]
                for each in others
                if number < len(each) and leaf_hash(each[number]) == wanted
            )
            entry = next(fitting, None)
            if entry is None:
                return tile.path(), False
            chosen.append(entry)
        if chosen != own:
            self._store.mend((ENTRIES, tile.index), encode_entries(chosen))
        return tile.path(), True

    def _tile(self, level: int, index: int) -> Tile:
        return Tile(level, index, width_at(level, index, self._tree.size))

    def _stored(self, key: TileKey) -> bytes:
        with self._store.snapshot() as snapshot:
            return snapshot.tile(*key)

    def _own_entries(self, tile: Tile) -> list[bytes]:
        """What is stored of the entries; where some are not there, others are."""
        start = tile.index * WIDTH
        with self._store.snapshot() as snapshot:
            with suppress(WrongBytes):
                return snapshot.entries(start, start + tile.width)
            return [_stored_entry(snapshot, start + each) for each in range(tile.width)]


def _over(tiles: Iterable[Tile], level: int) -> list[int]:
    """The tiles of `level` that are damaged, or above something that is."""
    return sorted(
        {
            tile.index >> 8 * (level - max(tile.level, 0))
            for tile in tiles
            if max(tile.level, 0) <= level
        }
    )


def _stored_entry(snapshot: Snapshot, index: int) -> bytes:
    """An entry, or bytes that are none: no entry has so many."""
    try:
        return snapshot.entries(index, index + 1)[0]
    except (WrongBytes, IndexError):
        return bytes(MAX_ENTRY_BYTES + 1)


def _hashes_of(copy: Source, tile: Tile) -> bytes:
    """What a copy has of `tile`; a copy may be damaged, too, or not answer."""
    try:
        return read_hashes(copy, tile) or b""
    except (MalformedError, Unavailable):
        return b""
