"""A whole log: every entry re-hashed, every tile recomputed, the root, the checkpoint.

The checkpoint comes first and is believed under the policy; all else is held
against its root. Spans of 65,536 entries go to as many processes as asked for;
here the levels above them are put together. Damage is noted with its place and
the audit goes on, so that one report has all of it. Only a source that does not
answer any more ends it, and what was done by then can be resumed.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import BaseContext
from typing import Final

from verifier.checkpoint import Checkpoint
from verifier.entry import PREFIX
from verifier.errors import MalformedError, Unavailable
from verifier.hashing import HASH_SIZE, root_over
from verifier.progress import Progress, load, save
from verifier.source import Source, read_entries, read_hashes
from verifier.span import (
    SPAN,
    Damage,
    Reading,
    Span,
    check_span,
    earlier_text,
    fetch,
    settle,
    wrong_below,
    wrong_tile,
)
from verifier.tile import ENTRIES, WIDTH, Tile, levels_at, tiles_at, width_at

MAX_UNANSWERED: Final = 8
"""After so many reads without an answer the source is taken to be gone."""
SAVE_EVERY: Final = 16
"""Spans between two writings of the progress file: a million entries."""

Watch = Callable[[int, int], None]
Edge = tuple[Tile, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an audit has found."""

    record: bool
    damage: list[Damage]
    times: tuple[int, int] | None
    resumed_at: int


def audit(
    source: Source,
    checkpoint: Checkpoint,
    *,
    kind: str = "auto",
    strict: bool = False,
    processes: int = 1,
    keep: Callable[[bytes], None] | None = None,
    kept: bytes | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Hold the log in `source` against `checkpoint`, which the caller believes.

    `keep` is given the progress from time to time; `kept` is what it was given
    last, to go on from there. `watch` is told how many entries are done.
    """
    size = checkpoint.size
    record = kind == "record" or (kind == "auto" and _looks_like_records(source, size))
    reading = Reading(source=source, size=size, record=record, strict=strict)
    progress = load(kept, checkpoint, reading) if kept else Progress()
    start = progress.spans
    first = min(start * SPAN, size)
    tree = _Tree(reading, progress)
    watch = watch or _ignore
    watch(first, size)
    for span in _spans(reading, range(start, -(-size // SPAN)), processes):
        tree.add(span)
        watch(min((span.number + 1) * SPAN, size), size)
        if keep and progress.spans > start and progress.spans % SAVE_EVERY == 0:
            keep(save(progress, checkpoint, reading))
        _check_answers(progress.damage)
    if keep:
        keep(save(progress, checkpoint, reading))
    damage = [*progress.damage, *tree.close(checkpoint.root)]
    return Outcome(record=record, damage=damage, times=progress.times, resumed_at=first)


def _ignore(_done: int, _size: int) -> None:
    pass


def _looks_like_records(source: Source, size: int) -> bool:
    """Whether entry 0 is a record log's: there it is the log's own first word."""
    if not size:
        return False
    try:
        entries = read_entries(source, Tile(ENTRIES, 0, width_at(ENTRIES, 0, size)))
    except (MalformedError, Unavailable):
        return False
    return bool(entries) and entries[0].startswith(PREFIX)  # type: ignore[index]


def _spans(reading: Reading, numbers: range, processes: int) -> Iterator[Span]:
    """The checked spans in their order, a few ahead of the reader."""
    check = partial(check_span, reading)
    if processes == 1 or len(numbers) < 2:
        yield from map(check, numbers)
        return
    with ExitStack() as stack:
        pool: Executor = stack.enter_context(ProcessPoolExecutor(processes, _context()))
        ahead: deque[Future[Span]] = deque()
        stack.callback(lambda: [each.cancel() for each in ahead])
        try:
            for number in numbers:
                ahead.append(pool.submit(check, number))
                if len(ahead) > 2 * processes:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        except BrokenProcessPool:
            raise Unavailable(
                "a process of the audit died; is there enough memory?"
            ) from None


def _context() -> BaseContext:
    # A fork is ready at once; but it copies whatever locks other threads hold.
    forks = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if forks else "spawn")


def _check_answers(damage: list[Damage]) -> None:
    if sum(each.check == "unavailable" for each in damage) >= MAX_UNANSWERED:
        last = next(each for each in reversed(damage) if each.check == "unavailable")
        raise Unavailable(f"{last.says}; given up after {MAX_UNANSWERED} such reads")


class _Tree:
    """The levels above the spans, put together from left to right."""

    def __init__(self, reading: Reading, progress: Progress) -> None:
        self._reading = reading
        self._progress = progress
        self._edges: dict[int, Edge] = {}
        self._upper: dict[Tile, bytes | None] = {}
        self._last: list[Damage] = []

    def add(self, span: Span) -> None:
        """Take the next span."""
        progress = self._progress
        full = (span.number + 1) * SPAN <= self._reading.size
        # What is found at the right edge is found again when the log has grown.
        damage = progress.damage if full else self._last
        damage.extend(span.damage)
        self._join_times(span, damage)
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
        times = self._progress.times
        if times and span.times[0] < times[1]:
            start = span.number * SPAN
            says = earlier_text(times[1] - span.times[0])
            path = Tile(ENTRIES, start // WIDTH).path()
            damage.append(
                Damage(
                    check="time", path=path, says=says, indexes=((start, start + 1),)
                )
            )
        latest = max(times[1], span.times[1]) if times else span.times[1]
        self._progress.times = (times[0] if times else span.times[0], latest)

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
