"""The levels above the spans, put together from left to right, up to the root."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from verifier.damage import (
    Damage,
    fetch,
    settle,
    unanswered,
    wrong_below,
    wrong_tile,
)
from verifier.hashing import HASH_SIZE, root_over
from verifier.progress import Done, Progress
from verifier.source import read_hashes
from verifier.span import SPAN, Reading, Span, check_span
from verifier.tile import WIDTH, Tile, levels_at, tiles_at, width_at

Edge = tuple[Tile, bytes | None, bytes | None]
"""A tile at the right edge of the tree: its hashes as computed, and as stored."""


class Levels:
    """Takes the spans in their order, and then closes the tree over them."""

    def __init__(self, reading: Reading, progress: Progress) -> None:
        self._reading = reading
        self._progress = progress
        self._edges: dict[int, Edge] = {}
        self._upper: dict[Tile, bytes | None] = {}
        self._last: list[Damage] = []
        self.times = progress.times
        """The first and the last time so far, those at the right edge included."""

    def add(self, span: Span) -> None:
        """Take the next span."""
        if span.times and self.times and span.times[0] < self.times[1]:
            # Only now is it known how late it was before: find all that are earlier.
            reading = replace(self._reading, record=span.record)
            span = check_span(reading, span.number, self.times[1])
        if span.times:
            latest = max(self.times[1], span.times[1]) if self.times else span.times[1]
            self.times = (self.times[0] if self.times else span.times[0], latest)
        if (span.number + 1) * SPAN <= self._reading.size:
            self._add_full(span)
        else:
            self._add_edge(span)

    def _add_full(self, span: Span) -> None:
        expected = self._expected(2, span.number)
        damage = span.damage
        tile = Tile(1, span.number)
        chosen = settle(tile, span.roots, span.parents, expected, damage)
        # Where nobody answered there is a hole, and of that nobody is guilty.
        hole = chosen is None or (unanswered(damage) and expected)
        root = expected if hole else root_over(chosen or b"")
        self._progress.done.append(Done(root, self.times, tuple(damage)))

    def _add_edge(self, span: Span) -> None:
        # What is found at the right edge is found again when the log has grown.
        self._last.extend(span.damage)
        if span.edge:
            width = self._reading.size % WIDTH
            tile = Tile(0, self._reading.size // WIDTH, width)
            self._edges[0] = (tile, *span.edge)
        if span.roots:
            tile = Tile(1, span.number, len(span.roots) // HASH_SIZE)
            self._edges[1] = (tile, span.roots, span.parents)

    def close(self, root: bytes) -> list[Damage]:
        """Compute the tree above the spans; return what is wrong there."""
        damage = self._last
        computed = self._progress.roots
        for level in range(2, levels_at(self._reading.size)):
            roots = []
            for index in range(tiles_at(level, self._reading.size)):
                tile = Tile(level, index, width_at(level, index, self._reading.size))
                below = computed[index * WIDTH * HASH_SIZE :][: tile.width * HASH_SIZE]
                stored = self._read(tile)
                if tile.width < WIDTH:
                    self._edges[level] = (tile, below, stored)
                else:
                    expected = self._expected(level + 1, index)
                    chosen = settle(tile, below, stored, expected, damage)
                    roots.append(root_over(chosen) if chosen else expected)
            computed = b"".join(roots)
        if not unanswered([*self._progress.damage, *damage]):
            self._settle_edges(root, damage)
        return damage

    def _settle_edges(self, root: bytes, damage: list[Damage]) -> None:
        """Tiles at the right edge have no parents; only the root vouches for them."""
        edges = [self._edges[level] for level in sorted(self._edges)]
        by_entries = _root([computed or stored or b"" for _, computed, stored in edges])
        by_tiles = _root([stored or computed or b"" for _, computed, stored in edges])
        for tile, computed, stored in edges:
            if computed is not None and stored is not None and computed != stored:
                wrong = wrong_tile if by_entries == root else wrong_below
                damage.append(wrong(tile, computed, stored))
        if root not in (by_entries, by_tiles):
            says = (
                f"the entries lead to root {by_entries.hex()}, "
                f"the checkpoint says {root.hex()}"
            )
            damage.append(Damage(check="root", path="checkpoint", says=says))

    def _expected(self, level: int, position: int) -> bytes:
        """What `level` says of the tile at `position` below it, if it is there."""
        index = position // WIDTH
        stored = self._read(
            Tile(level, index, width_at(level, index, self._reading.size))
        )
        return (stored or b"")[position % WIDTH * HASH_SIZE :][:HASH_SIZE]

    def _read(self, tile: Tile) -> bytes | None:
        if tile not in self._upper:
            read = partial(read_hashes, self._reading.source)
            self._upper[tile] = fetch(read, tile, self._last)
        return self._upper[tile]


def _root(edges: list[bytes]) -> bytes:
    """The root over the hashes at the right edge of each level, the lowest first."""
    whole = b""
    for hashes in edges:
        whole = root_over(hashes + whole) if hashes or whole else b""
    return whole or root_over(b"")
