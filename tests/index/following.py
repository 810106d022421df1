"""What tests of the index share: entries to follow, and the answers that are right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ledger.index.follower import PIECE, Follower
from ledger.index.keys import KEY_BYTES, keys_of
from ledger.index.lookup import Lookup
from ledger.index.shelf import FAN
from tests.spoiling import flipped
from verifier.tile import WIDTH

GENESIS = bytes(range(16))
NARROW = range(WIDTH, PIECE, WIDTH)
"""Sizes at which one run after the other is written, one tile wide."""
ALIKE = 97
"""So many entries differ; the others repeat them."""

MANY = 1_000
"""More steps than there is work for."""


def numbered(index: int) -> bytes:
    """The entry at `index`; every 97th is the same."""
    return b"entry %d" % (index % ALIKE)


@dataclass
class Numbered:
    """Entries without a log, where a test is about files alone."""

    size: int

    def entries(self, start: int, stop: int) -> list[bytes]:
        assert stop <= self.size
        return [numbered(index) for index in range(start, stop)]


def follower_of(folder: Path, size: int, **options) -> Follower:
    """A follower of numbered entries."""
    return Follower(folder, Numbered(size), "opaque", GENESIS, **options)


def follow(follower: Follower, *sizes: int) -> None:
    """Go on until nothing is left to do at each of `sizes`."""
    for size in sizes:
        steps = iter(range(MANY))
        while follower.step(size):
            assert next(steps, None) is not None, "it does not come to an end"


def settle(follower: Follower, size: int) -> None:
    """Go on until every file was read, too, and nothing was found."""
    idle, steps = 0, iter(range(MANY))
    while idle <= len(list(follower._folder.iterdir())):
        idle = 0 if follower.step(size) else idle + 1
        assert next(steps, None) is not None, "it does not come to an end"


def model(entries: Sequence[bytes], kind: str = "opaque") -> dict[bytes, list[int]]:
    """Where every key of `entries` is."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for index, entry in enumerate(entries):
        for key in keys_of(entry, kind):
            places[key].append(index)
    return places


def places_of(entry: bytes, lookup: Lookup, **options) -> list[int]:
    """Where the index says that `entry` is."""
    return lookup.find("digest", sha256(entry).digest()[:16], **options)


def check_answers(folder: Path, size: int, *, genesis: bytes = GENESIS) -> None:
    """Every key of the first `size` numbered entries, and one that is nowhere."""
    lookup = Lookup(folder, genesis)
    assert lookup.covered == size
    for key, indexes in model([numbered(index) for index in range(size)]).items():
        assert len(key) == KEY_BYTES
        assert lookup.find("digest", key[1:], most=size) == indexes
        assert lookup.find("record", key[1:]) == []
    assert places_of(b"nowhere", lookup) == []


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def widths(folder):
    """How wide the runs are, in order."""
    spans = [each.removesuffix(".run").split("-") for each in sorted(files(folder))]
    return [int(stop, 16) - int(start, 16) for start, stop in spans]


def sixteen(folder):
    """A folder with sixteen runs that the next step makes one of."""
    follow(follower_of(folder, PIECE), *NARROW)
    follower_of(folder, PIECE).step(PIECE)
    assert widths(folder) == [WIDTH] * FAN
    return folder


def spoil(path, how):
    """Do something to a file; nobody writes into one that is there."""
    data = path.read_bytes()
    if how:
        path.unlink()
    if how == "short":
        path.write_bytes(data[: len(data) // 2])
    elif how == "flipped":
        path.write_bytes(flipped(data, len(data) * 3))
    elif how == "foreign":
        path.write_bytes(data[:16] + bytes(16) + data[32:])
    elif how == "renamed":
        path.with_name("0000000000000000-0000000000000003.run").write_bytes(data)
