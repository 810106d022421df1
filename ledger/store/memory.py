"""A store in memory, which fails when it is told to. For tests, and nothing else.

It keeps the promises of LogStore except the one about power failures: what is
appended is gone with the object. `order` makes a step fail, once, as a disk would.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ledger.errors import Halted, Held, WrongBytes
from ledger.store import COPY, WRITER, Batch, Charter, Check, Head, TileKey, Usage
from verifier.tile import ENTRIES, WIDTH, Tile, parse_entries, width_at

STEPS: Final = ("begin", "write", "commit", "committed")
"""Where a fault can be ordered: before the last two nothing is visible."""


@dataclass
class _State:
    head: Head = field(default_factory=Head)
    entries: list[bytes] = field(default_factory=list)
    tiles: dict[TileKey, bytes] = field(default_factory=dict)
    identities: dict[bytes, int] = field(default_factory=dict)


class MemoryStore:
    """A store that forgets, and that can be told to fail."""

    def __init__(self, charter: Charter, *, role: str = WRITER) -> None:
        self.charter = charter
        self.role = role
        self.spoil: Callable[[Batch], Batch] = lambda batch: batch
        """What a faulty memory makes of a batch between computing and storing."""
        self._state = _State()
        self._orders: dict[str, list[Exception]] = {step: [] for step in STEPS}

    def order(self, step: str, error: Exception) -> None:
        """Let `step` of the next append raise `error`."""
        self._orders[step].append(error)

    def append(self, batch: Batch, check: Check) -> None:
        """See LogStore."""
        if self.role == COPY:
            raise Held("copy", "this is a copy, which is never appended to")
        self._reach("begin")
        if self._state.head != batch.previous:
            raise Halted("somebody else has written to the store")
        batch = self.spoil(batch)
        new = self._with(batch)
        self._reach("write")
        check(MemorySnapshot(new))
        self._reach("commit")
        self._state = new
        self._reach("committed")

    def _with(self, batch: Batch) -> _State:
        old = self._state
        for tile, hashes in batch.tiles.items():
            if not hashes.startswith(old.tiles.get(tile, b"")):
                path = Tile(*tile).path()
                raise WrongBytes(
                    path, "the stored tile is not the beginning of the new"
                )
        known = [each for each, _ in batch.identities if each in old.identities]
        if known or len(dict(batch.identities)) != len(batch.identities):
            raise Halted("the store has a key that it cannot have yet")
        return _State(
            head=batch.head,
            entries=[*old.entries, *batch.entries],
            tiles={**old.tiles, **batch.tiles},
            identities={**old.identities, **dict(batch.identities)},
        )

    def _reach(self, step: str) -> None:
        if self._orders[step]:
            raise self._orders[step].pop(0)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[MemorySnapshot]:
        """See LogStore."""
        yield MemorySnapshot(self._state)

    def mend(self, tile: TileKey, data: bytes) -> None:
        """See LogStore."""
        level, index = tile
        if level != ENTRIES:
            tiles = {**self._state.tiles, tile: data}
            self._state = replace(self._state, tiles=tiles)
            return
        start, width = index * WIDTH, width_at(ENTRIES, index, self._state.head.size)
        entries = list(self._state.entries)
        entries[start : start + width] = parse_entries(
            data, Tile(ENTRIES, index, width)
        )
        self._state = replace(self._state, entries=entries)

    def index(self, identities: Iterable[tuple[bytes, int]], *, drop: bool) -> None:
        """See LogStore."""
        rows = {} if drop else dict(self._state.identities)
        for identity, index in identities:
            rows[identity] = rows.get(identity, index) if drop else index
        self._state = replace(self._state, identities=rows)

    def usage(self) -> Usage:
        """See LogStore."""
        return Usage(used_bytes=0, limit_bytes=1 << 40, free_bytes=1 << 40)

    def close(self) -> None:
        """See LogStore."""


class MemorySnapshot:
    """A state that nobody changes any more: each append makes a new one."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def head(self) -> Head:
        """See Snapshot."""
        return self._state.head

    def tile(self, level: int, index: int) -> bytes:
        """See Snapshot."""
        return self._state.tiles.get((level, index), b"")

    def entries(self, start: int, stop: int) -> list[bytes]:
        """See Snapshot."""
        return self._state.entries[start:stop]

    def find(self, identities: Iterable[bytes]) -> dict[bytes, int]:
        """See Snapshot."""
        known = self._state.identities
        return {each: known[each] for each in identities if each in known}

    def identities(self) -> Iterable[tuple[bytes, int]]:
        """See Snapshot."""
        return list(self._state.identities.items())
