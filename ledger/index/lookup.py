"""Looking up: where to look for an entry, from its name.

What is answered are places and no facts. Whoever asks reads the entries there,
checked, and asks `has_name` whether each of them has the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ledger.index.follower import Entries
from ledger.index.keys import has_name, key
from ledger.index.shelf import Shelf
from verifier.tile import WIDTH

MOST: Final = 100
"""How many places are given at once: somebody may log one digest a million times."""


class Lookup:
    """Reads the index of one log in `folder`, while a follower goes on with it.

    Any thread may ask: what is open stays as it is for as long as one reads it.
    """

    def __init__(self, folder: Path, genesis: bytes) -> None:
        self._folder = folder
        self._genesis = genesis
        self._shelf = Shelf()

    @property
    def covered(self) -> int:
        """Up to which entry everything can be found."""
        return self._look().covered

    @property
    def skipped(self) -> int:
        """How many of these could not be read, and are found by nothing."""
        return self._look().skipped

    def find(
        self, kind: str, start: bytes, *, first: int = 0, most: int = MOST
    ) -> list[int]:
        """The indexes, ascending, at which something may have the name.

        `kind` is "digest" or "record", `start` the first 16 bytes of the hash or the
        id. If there are `most`, there may be more: ask again with `first` above the
        last one. Unavailable if the index cannot be read now.
        """
        wanted = key(kind, start)
        found: list[int] = []
        for run in self._look().runs:
            if len(found) >= most:
                break
            found += run.find(wanted, start=first, most=most - len(found))
        return found

    def _look(self) -> Shelf:
        # Two threads may look at once: each goes on with what it has seen itself.
        self._shelf = shelf = self._shelf.look(self._folder, self._genesis)
        return shelf


def scan(
    reading: Entries,
    size: int,
    name: bytes,
    *,
    kind: str,
    watch: Callable[[int, int], None] | None = None,
) -> Iterator[int]:
    """The indexes, ascending, of all entries with `name`, from the entries alone.

    For a log without an index: all of it is read, and the whole name compared.
    `kind` is that of the log's entries. `watch` is told how many of them were read.
    """
    for start in range(0, size, WIDTH):
        stop = min(start + WIDTH, size)
        for index, entry in enumerate(reading.entries(start, stop), start):
            if has_name(entry, kind, name):
                yield index
        if watch:
            watch(stop, size)
