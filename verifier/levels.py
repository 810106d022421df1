"""The levels above the spans, put together from left to right, up to the root."""

from __future__ import annotations

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
from verifier.progress import Progress
from verifier.source import read_hashes
from verifier.span import EARLIER, SPAN, Reading, Span
from verifier.tile import ENTRIES, WIDTH, Tile, levels_at, tiles_at, width_at

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
        progress = self._progress
        full = (span.number + 1) * SPAN <= self._reading.size
        # What is found at the right edge is found again when the log has grown.
        damage = progress.damage if full else self._last
        damage.extend(span.damage)
        self._join_times(span, damage)
        if full:
            progress.times = self.times
        if span.edge:
            index = self._reading.size // WIDTH
            self._edges[0] = (Tile(0, index, self._reading.size % WIDTH), *span.edge)
        if not full:
            if span.roots:
                tile = Tile(1, span.number, len(span.roots) // HASH_SIZE)
                self._edges[1] = (tile, span.roots, span.parents)
            return
        expected = self._expected(2, span.number)
        tile = Tile(1, span.number)
        chosen = settle(tile, span.roots, span.parents, expected, damage) or b""
        progress.roots.append(root_over(chosen))
        progress.spans += 1

    def close(self, root: bytes) -> list[Damage]:
        """Compute the tree above the spans; return what is wrong there."""
        damage = self._last
        computed = b"".join(self._progress.roots)
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
                    roots.append(
                        root_over(settle(tile, below, stored, expected, damage) or b"")
                    )
            computed = b"".join(roots)
        self._settle_edges(root, damage)
        if unanswered([*self._progress.damage, *damage]):
            # What could not be read leaves holes, of which nobody is guilty.
            return [each for each in damage if each.check not in {"root", "tile"}]
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

    def _join_times(self, span: Span, damage: list[Damage]) -> None:
        if span.times is None:
            return
        times = self.times
        if times and span.times[0] < times[1]:
            start = span.number * SPAN
            path = Tile(ENTRIES, start // WIDTH).path()
            damage.append(
                Damage(
                    check="time", path=path, says=EARLIER, indexes=((start, start + 1),)
                )
            )
        latest = max(times[1], span.times[1]) if times else span.times[1]
        self.times = (times[0] if times else span.times[0], latest)

    def _expected(self, level: int, position: int) -> bytes:
        """What `level` says of the tile at `position` below it, if it is there."""
        index = position // WIDTH
        width = width_at(level, index, self._reading.size)
        stored = self._read(Tile(level, index, width)) if width else None
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
