"""Entries held against the tree, a tile at a time, wherever in the log they stand.

What is authentic comes down from the root. The partial tiles at the right edge give
the root together; a full tile is right if its hash stands in the one above it. So a
single old entry is held against the signed root by a few tiles, and who deletes or
changes it cannot hide that behind changed tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ledger.tree.frontier import Frontier
from verifier.checkpoint import Checkpoint
from verifier.damage import UNAVAILABLE, Damage, fetch
from verifier.hashing import HASH_SIZE, leaf_hashes, root_over
from verifier.source import Source, read_entries, read_hashes
from verifier.tile import ENTRIES, WIDTH, Tile, width_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An entry tile that was read: its entries if they are right, or what is not."""

    number: int
    entries: list[bytes] | None
    damage: tuple[Damage, ...] = ()


@dataclass(slots=True)
class Tree:
    """The tiles of a log as they are served, held against its checkpoint."""

    source: Source
    checkpoint: Checkpoint
    _right: dict[Tile, bytes] = field(default_factory=dict)
    _looked_at_edge: bool = False

    def visits(self, numbers: Sequence[int]) -> Iterator[Visit]:
        """Read the entry tiles with these numbers, in order."""
        if self.source.parallel == 1:
            for number in numbers:
                yield self._visit(number, *self._read(number))
            return
        with ThreadPoolExecutor(self.source.parallel) as pool:
            # A few at a time, since an entry tile may have 16 MB.
            for at in range(0, len(numbers), self.source.parallel):
                some = numbers[at : at + self.source.parallel]
                for number, read in zip(some, pool.map(self._read, some), strict=True):
                    yield self._visit(number, *read)

    def _read(
        self, number: int
    ) -> tuple[list[bytes] | None, bytes | None, list[Damage]]:
        width = width_at(0, number, self.checkpoint.size)
        damage: list[Damage] = []
        below, tile = Tile(ENTRIES, number, width), Tile(0, number, width)
        entries = fetch(partial(read_entries, self.source), below, damage)
        return entries, fetch(partial(read_hashes, self.source), tile, damage), damage

    def _visit(
        self,
        number: int,
        entries: list[bytes] | None,
        hashes: bytes | None,
        damage: list[Damage],
    ) -> Visit:
        tile = Tile(0, number, width_at(0, number, self.checkpoint.size))
        if hashes is not None and not damage:
            self._hold(tile, hashes, damage)
        if entries is not None and hashes is not None and not damage:
            computed = leaf_hashes(entries)
            wrong = [
                at
                for at, each in enumerate(computed)
                if each != hashes[at * HASH_SIZE : (at + 1) * HASH_SIZE]
            ]
            if wrong:
                first = number * WIDTH + wrong[0]
                says = f"entry {first} is not the one that is in the tree"
                path = Tile(ENTRIES, number, tile.width).path()
                damage.append(Damage(check="entry", path=path, says=says))
        whole = None if damage else entries
        return Visit(number=number, entries=whole, damage=tuple(damage))

    def _hold(self, tile: Tile, hashes: bytes, damage: list[Damage]) -> None:
        """Note it unless `hashes` of `tile` lead to the root."""
        self._look_at_edge(damage)
        if damage:
            return
        if tile.width < WIDTH:
            if hashes != self._right[tile]:
                damage.append(_changed(tile, "it changes while it is read"))
            return
        above = self._above(tile, damage)
        at = tile.index % WIDTH * HASH_SIZE
        if above is not None and above[at : at + HASH_SIZE] != root_over(hashes):
            says = "its hashes do not lead to the signed root"
            damage.append(_changed(tile, says))

    def _above(self, tile: Tile, damage: list[Damage]) -> bytes | None:
        """The hashes of the tile above `tile`, which lead to the root."""
        level, index = tile.level + 1, tile.index // WIDTH
        above = Tile(level, index, width_at(level, index, self.checkpoint.size))
        if above in self._right:
            return self._right[above]
        hashes = fetch(partial(read_hashes, self.source), above, damage)
        if hashes is not None:
            self._hold(above, hashes, damage)
        if damage:
            return None
        assert hashes is not None  # noqa: S101 - fetch has noted it otherwise
        self._right[above] = hashes
        return hashes

    def _look_at_edge(self, damage: list[Damage]) -> None:
        """Read the partial tiles of each level, which make the root."""
        if self._looked_at_edge:
            return
        edge: dict[Tile, bytes] = {}

        def read(level: int, index: int) -> bytes:
            tile = Tile(level, index, width_at(level, index, self.checkpoint.size))
            edge[tile] = fetch(partial(read_hashes, self.source), tile, damage) or b""
            return edge[tile]

        try:
            root = Frontier.load(self.checkpoint.size, read).root()
        except ValueError:
            return  # a tile was not read, which is noted
        if root == self.checkpoint.root:
            self._right |= edge
            self._looked_at_edge = True
            return
        lowest = min(edge) if edge else Tile(0, 0)
        damage.append(_changed(lowest, "the tiles at the edge do not make the root"))


def _changed(tile: Tile, says: str) -> Damage:
    return Damage(check="tile", path=tile.path(), says=says)


def kind_of(damage: Damage) -> str:
    """What the alarm for `damage` is called."""
    return _KINDS.get(damage.check, "altered")


_KINDS: Final = {"missing": "missing", UNAVAILABLE: "unreachable"}
