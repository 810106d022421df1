"""One stretch of a log, re-hashed: up to 65,536 entries, in 256 entry tiles.

Spans are what an audit hands to its processes. Everything is computed from the
entries upwards and compared with the tiles as they are stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from verifier.cose import PREFIX as COSE_PREFIX
from verifier.damage import Damage, fetch, give_up, ranges, settle
from verifier.entry import PREFIX, PREFIX_BYTES, Entry, entry_time
from verifier.errors import MalformedError
from verifier.hashing import HASH_SIZE, leaf_hashes, root_over
from verifier.record import MEDIA_TYPE, parse_record
from verifier.source import Source, read_entries, read_hashes
from verifier.statement import Statement, check_bare, is_statement
from verifier.tile import ENTRIES, WIDTH, Tile, width_at

SPAN: Final = WIDTH * WIDTH
"""The entries of a span: those under one full tile of level 1."""

EARLIER: Final = "its time lies before that of an earlier entry"

_Found: TypeAlias = defaultdict[tuple[str, str], list[int]]
"""Entries by the check that they fail and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the entries of this log are to be read."""

    source: Source
    size: int
    record: bool | None
    """None: as the first entry looks, which is the log's own word in a record log."""
    strict: bool
    statement: bool = False
    """Whether every entry has to be a bare statement, as those of a statement log."""


@dataclass(slots=True)
class Span:
    """What came of a span."""

    number: int
    edge: tuple[bytes | None, bytes | None] | None = None
    """Leaf hashes of the partial tile at the log's right edge: computed, and stored."""
    roots: bytes = b""
    """The roots of the full level-0 tiles."""
    parents: bytes | None = None
    """What the tile of level 1 above them says of them."""
    times: tuple[int, int] | None = None
    """The first and the latest `at`."""
    floor: int = 0
    """The latest `at` before this span, if that is known."""
    record: bool | None = None
    """Whether its entries were read as a record log's."""
    damage: list[Damage] = field(default_factory=list)


def check_span(reading: Reading, number: int, floor: int = 0) -> Span:
    """Read and re-hash the entries from `number` · 65,536 on."""
    span = Span(number, floor=floor, record=reading.record)
    size = reading.size
    tiles = [
        Tile(0, index, width_at(0, index, size))
        for index in range(number * WIDTH, (number + 1) * WIDTH)
        if width_at(0, index, size)
    ]
    if width := width_at(1, number, size):
        above = Tile(1, number, width)
        span.parents = fetch(partial(read_hashes, reading.source), above, span.damage)
    roots = []
    for tile, (entries, stored) in zip(
        tiles, _contents(reading, tiles, span), strict=True
    ):
        give_up(span.damage)
        computed = None
        if entries is not None:
            computed = b"".join(leaf_hashes(entries))
            if span.record is None:
                # From the very bytes that were hashed: a second look could differ.
                span.record = entries[0].startswith(PREFIX)
            if span.record:
                _check_times(span, tile, entries)
                if reading.strict:
                    _check_forms(span, tile, entries, _check_recorded)
            elif reading.statement:
                check = check_bare if reading.strict else _check_begins
                _check_forms(span, tile, entries, check)
        at = tile.index % WIDTH * HASH_SIZE
        if tile.width == WIDTH:
            expected = (span.parents or b"")[at : at + HASH_SIZE]
            chosen = settle(tile, computed, stored, expected, span.damage)
            roots.append(root_over(chosen) if chosen else expected or bytes(HASH_SIZE))
        else:
            span.edge = (computed, stored)
    span.roots = b"".join(roots)
    return span


def _contents(
    reading: Reading, tiles: Sequence[Tile], span: Span
) -> Iterator[tuple[list[bytes] | None, bytes | None]]:
    """The entries and the hashes of each of `tiles`, in order."""

    def contents(tile: Tile) -> tuple[list[bytes] | None, bytes | None]:
        below = Tile(ENTRIES, tile.index, tile.width)
        return (
            fetch(partial(read_entries, reading.source), below, span.damage),
            fetch(partial(read_hashes, reading.source), tile, span.damage),
        )

    if reading.source.parallel == 1:
        yield from map(contents, tiles)
        return
    with ThreadPoolExecutor(reading.source.parallel) as pool:
        # A few at a time, since an entry tile may have 16 MB.
        for at in range(0, len(tiles), reading.source.parallel):
            yield from pool.map(contents, tiles[at : at + reading.source.parallel])


def _check_times(span: Span, tile: Tile, entries: list[bytes]) -> None:
    """Note entries whose `at` lies before that of an earlier one, or that have none."""
    heads = [entry[:PREFIX_BYTES] for entry in entries]
    before = span.times[1] if span.times else span.floor
    try:
        first, last = entry_time(heads[0]), entry_time(heads[-1])
    except MalformedError:
        first = last = -1
    # Sorted heads whose ends have the prefix all have it; times are big-endian.
    whole = min(map(len, heads)) == PREFIX_BYTES
    if before <= first and whole and heads == sorted(heads):
        span.times = (span.times[0] if span.times else first, last)
        return
    found: _Found = defaultdict(list)
    for index, head in enumerate(heads, start=tile.index * WIDTH):
        try:
            at = entry_time(head)
        except MalformedError as error:
            found["form", str(error)].append(index)
            continue
        if at < before:
            found["time", EARLIER].append(index)
        before = max(before, at)
        span.times = (span.times[0] if span.times else at, before)
    _note_entries(span, tile, found)


def _check_forms(
    span: Span, tile: Tile, entries: list[bytes], check: Callable[[bytes], object]
) -> None:
    """Note entries that `check` refuses."""
    found: _Found = defaultdict(list)
    for index, data in enumerate(entries, start=tile.index * WIDTH):
        try:
            check(data)
        except MalformedError as error:
            found["form", str(error)].append(index)
    _note_entries(span, tile, found)


def _check_begins(data: bytes) -> None:
    """Return if `data` looks like what a statement log holds."""
    if not data.startswith(COSE_PREFIX):
        raise MalformedError("a statement log's entry is a COSE_Sign1 under tag 18")


def _check_recorded(data: bytes) -> None:
    """Return if `data` is what a record log may hold."""
    try:
        entry_time(data)
    except MalformedError:
        return  # noted already
    entry = Entry.parse(data)
    if entry.type == MEDIA_TYPE:
        parse_record(entry.body)
    elif is_statement(entry.type):
        Statement.parse(entry.body)


def _note_entries(span: Span, tile: Tile, found: _Found) -> None:
    path = Tile(ENTRIES, tile.index, tile.width).path()
    for (check, says), indexes in found.items():
        span.damage.append(
            Damage(check=check, path=path, says=says, indexes=ranges(indexes))
        )
