"""What is wrong with a log, and where; and whose fault a difference is.

Where entries and tiles disagree, the level above, for which the root vouches,
says which of the two is wrong, and the right one goes up: one fault is one
finding. What could not be read at all is told apart from what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeVar

from verifier.errors import MalformedError, Unavailable
from verifier.hashing import HASH_SIZE, root_over
from verifier.tile import ENTRIES, WIDTH, Tile

UNAVAILABLE: Final = "unavailable"
"""The check of a Damage that is none: nobody answered."""

MAX_UNANSWERED: Final = 8
"""After so many reads without an answer the source is taken to be gone."""

MAX_FINDINGS: Final = 100_000
"""More than anybody reads; a log that is not there at all must not be looked for."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Something that is not as it has to be, and where."""

    check: str
    path: str
    says: str
    indexes: tuple[tuple[int, int], ...] = ()
    """The entries concerned, as half-open ranges; empty for all under the path."""


def settle(
    tile: Tile,
    computed: bytes | None,
    stored: bytes | None,
    expected: bytes,
    damage: list[Damage],
) -> bytes | None:
    """The hashes that go up from `tile`; None if `expected` itself has to.

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
        return computed
    if expected:
        # At least two of the three are wrong; which, nobody can tell from here. The
        # level above is not to be blamed for it, so what it says goes up.
        damage.append(_conflict(tile, computed, stored))
        return None
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
    says = "it has other hashes than the tiles below, and those were changed"
    return Damage(check="tile", path=tile.path(), says=says, indexes=indexes)


def _conflict(tile: Tile, computed: bytes, stored: bytes) -> Damage:
    says = "what is below it, it, and the hash above it disagree: two of them are wrong"
    indexes = _differing(tile, computed, stored)
    return Damage(check="conflict", path=tile.path(), says=says, indexes=indexes)


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
        damage.append(Damage(check=UNAVAILABLE, path=tile.path(), says=str(error)))
        return None
    if value is None:
        damage.append(Damage(check="missing", path=tile.path(), says="it is not there"))
    return value


def unanswered(damage: list[Damage]) -> list[Damage]:
    """The reads among `damage` that nobody answered."""
    return [each for each in damage if each.check == UNAVAILABLE]


def give_up(damage: list[Damage]) -> None:
    """Raise Unavailable if too many reads were not answered, or too much is wrong."""
    if len(damage) > MAX_FINDINGS:
        raise Unavailable(
            f"given up after {len(damage)} findings; the rest was not looked at"
        )
    lost = unanswered(damage)
    if len(lost) >= MAX_UNANSWERED:
        raise Unavailable(f"{lost[-1].says}; given up after {len(lost)} such reads")


def ranges(indexes: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Rising numbers as half-open ranges."""
    found = []
    for _, run in groupby(enumerate(indexes), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        found.append((numbers[0], numbers[-1] + 1))
    return tuple(found)


def joined(
    damage: Iterable[Damage],
) -> Iterator[tuple[Damage, str, list[tuple[int, int]]]]:
    """Alike findings of neighbours as one: the first, the last path, all entries."""
    for _, run in groupby(enumerate(damage), _likeness):
        alike = [each for _, each in run]
        indexes: list[tuple[int, int]] = []
        for start, stop in (pair for each in alike for pair in each.indexes):
            if indexes and indexes[-1][1] == start:
                indexes[-1] = (indexes[-1][0], stop)
            else:
                indexes.append((start, stop))
        yield alike[0], alike[-1].path, indexes


def _likeness(numbered: tuple[int, Damage]) -> tuple[object, ...]:
    """What findings of neighbouring tiles, one behind the other, have in common."""
    number, damage = numbered
    try:
        tile = Tile.parse(damage.path)
    except MalformedError:
        return (number, damage.path)
    return (damage.check, damage.says, tile.level, tile.index - number)
