"""One stretch of a log, re-hashed: up to 65,536 entries, in 256 entry tiles.

Spans are what an audit hands to its processes. Everything is computed from the
entries upwards and compared with the tiles as they are stored. Where the two
differ, the hash one level up, which the root vouches for, says which is wrong;
and the right one goes up, so that one fault is one finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import groupby
from typing import Final, TypeVar

from verifier.entry import PREFIX, PREFIX_BYTES, Entry, entry_time
from verifier.errors import MalformedError, Unavailable
from verifier.hashing import HASH_SIZE, root_over
from verifier.record import MEDIA_TYPE, parse_record
from verifier.source import Source, read_entries, read_hashes
from verifier.tile import ENTRIES, WIDTH, Tile, width_at

SPAN: Final = WIDTH * WIDTH
"""The entries of a span: those under one full tile of level 1."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Something that is not as it has to be, and where."""

    check: str
    path: str
    says: str
    indexes: tuple[tuple[int, int], ...] = ()
    """The entries concerned, as half-open ranges; empty for all under the path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the entries of this log are to be read."""

    source: Source
    size: int
    record: bool
    strict: bool


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
    """The first and the last `at`."""
    damage: list[Damage] = field(default_factory=list)


def check_span(reading: Reading, number: int) -> Span:
    """Read and re-hash the entries from `number` · 65,536 on."""
    span = Span(number)
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
        computed = None
        if entries is not None:
            computed = b"".join([sha256(b"\x00" + entry).digest() for entry in entries])
            if reading.record:
                _check_times(span, tile, entries)
                if reading.strict:
                    _check_forms(span, tile, entries)
        at = tile.index % WIDTH * HASH_SIZE
        if tile.width == WIDTH:
            expected = (span.parents or b"")[at : at + HASH_SIZE]
            chosen = settle(tile, computed, stored, expected, span.damage)
            roots.append(root_over(chosen) if chosen else expected or bytes(HASH_SIZE))
        else:
            span.edge = (computed, stored)
    span.roots = b"".join(roots)
    return span


def settle(
    tile: Tile,
    computed: bytes | None,
    stored: bytes | None,
    expected: bytes,
    damage: list[Damage],
) -> bytes | None:
    """The hashes that go up from `tile`: those for which `expected` vouches.

    `computed` comes from below, `stored` is the tile as it is kept, `expected` what
    the level above says. Each may be missing, which was noted when it was read.
    Only a difference between the first two is noted: if both are wrong together,
    the level above differs.
    """
    if computed is None or stored is None or computed == stored:
        return stored if computed is None else computed
    if expected and root_over(stored) == expected:
        damage.append(wrong_below(tile, computed, stored))
        return stored
    if expected and root_over(computed) == expected:
        damage.append(wrong_tile(tile, computed, stored))
    else:
        damage.append(wrong_below(tile, computed, stored))
    return computed


def wrong_tile(tile: Tile, computed: bytes, stored: bytes) -> Damage:
    """The tree vouches for what is below `tile`, and not for `tile`."""
    says = "it has other hashes than what is below, for which the tree vouches"
    return Damage(
        check="tile",
        path=tile.path(),
        says=says,
        indexes=_differing(tile, computed, stored),
    )


def wrong_below(tile: Tile, computed: bytes, stored: bytes) -> Damage:
    """What is below `tile` is not what `tile` says."""
    indexes = _differing(tile, computed, stored)
    if tile.level == 0:
        path = Tile(ENTRIES, tile.index, tile.width).path()
        says = f"entries whose hashes are not those in {tile.path()}"
        return Damage(check="entry", path=path, says=says, indexes=indexes)
    says = "it has other hashes than the tiles below, rewritten with all their entries"
    return Damage(check="tile", path=tile.path(), says=says, indexes=indexes)


def _differing(
    tile: Tile, computed: bytes, stored: bytes
) -> tuple[tuple[int, int], ...]:
    """The entries under the hashes of `tile` that differ."""
    under = WIDTH**tile.level
    first = tile.index * WIDTH
    differ = (
        first + at
        for at in range(tile.width)
        if computed[at * HASH_SIZE :][:HASH_SIZE]
        != stored[at * HASH_SIZE :][:HASH_SIZE]
    )
    return tuple((start * under, stop * under) for start, stop in ranges(differ))


def fetch(
    read: Callable[[Tile], _T | None], tile: Tile, damage: list[Damage]
) -> _T | None:
    """What `read` gives for `tile`; if that is nothing or malformed, note it."""
    try:
        value = read(tile)
    except MalformedError as error:
        damage.append(Damage(check="form", path=tile.path(), says=str(error)))
        return None
    except Unavailable as error:
        damage.append(Damage(check="unavailable", path=tile.path(), says=str(error)))
        return None
    if value is None:
        damage.append(Damage(check="missing", path=tile.path(), says="it is not there"))
    return value


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
    """Note entries whose `at` lies before the one before them, or that have none."""
    heads = [entry[:PREFIX_BYTES] for entry in entries]
    before = span.times[1] if span.times else 0
    try:
        first, last = entry_time(heads[0]), entry_time(heads[-1])
    except MalformedError:
        first = last = -1
    # Sorted heads whose ends have the prefix all have it; times are big-endian.
    if (
        before <= first
        and heads == sorted(heads)
        and min(map(len, heads)) == PREFIX_BYTES
    ):
        span.times = (span.times[0] if span.times else first, last)
        return
    for index, head in enumerate(heads, start=tile.index * WIDTH):
        try:
            at = entry_time(head)
        except MalformedError as error:
            _note_entry(span, tile, "form", index, str(error))
            continue
        if at < before:
            _note_entry(span, tile, "time", index, earlier_text(before - at))
        before = max(before, at)
        span.times = (span.times[0] if span.times else at, before)


def earlier_text(step_ms: int) -> str:
    """What is wrong with an entry whose time lies before that of an earlier one."""
    return f"its time is {step_ms} ms before that of an earlier entry"


def _check_forms(span: Span, tile: Tile, entries: list[bytes]) -> None:
    """Note entries that are not what a record log may hold."""
    for index, data in enumerate(entries, start=tile.index * WIDTH):
        if not data.startswith(PREFIX):
            continue  # noted already, with its time
        try:
            entry = Entry.parse(data)
            if entry.type == MEDIA_TYPE:
                parse_record(entry.body)
        except MalformedError as error:
            _note_entry(span, tile, "form", index, str(error))


def _note_entry(span: Span, tile: Tile, check: str, index: int, says: str) -> None:
    path = Tile(ENTRIES, tile.index, tile.width).path()
    span.damage.append(
        Damage(check=check, path=path, says=says, indexes=((index, index + 1),))
    )


def ranges(indexes: Iterator[int]) -> tuple[tuple[int, int], ...]:
    """Rising numbers as half-open ranges."""
    found = []
    for _, run in groupby(enumerate(indexes), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        found.append((numbers[0], numbers[-1] + 1))
    return tuple(found)
