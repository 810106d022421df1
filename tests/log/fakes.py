"""What tests of the engine share: a clock set by hand, and a log without a disk.

`Bench` is the sequencer on a store in memory, with a real anchor and real keys. It
is audited when it is closed, as LiveLog is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from ledger.clock import Instant
from ledger.config import Config
from ledger.errors import Held
from ledger.keys.signer import Signer
from ledger.log.anchor import Anchor, Anchored, write_anchor
from ledger.log.pool import Admitted, Answer, Order
from ledger.log.sequencer import Sequencer
from ledger.store import Batch, Head, LogStore, layout
from ledger.store.memory import MemoryStore
from ledger.upkeep.birth import new_charter, new_keys
from ledger.upkeep.source import StoreSource
from tests.recordlog import record_id
from tests.records import SMALLEST
from tests.spoiling import flipped
from verifier import Checkpoint, cbor, verify_log
from verifier.record import encode_record
from verifier.tile import ENTRIES

ORIGIN = "log.example/bench"
NOW_MS = 1_790_000_000_000
"""A time in 2026."""
LONG_S = 20
"""Longer than anything takes that is going to happen."""


@dataclass
class SetClock:
    """Both clocks of a machine, as a test sets them."""

    wall_ms: int = NOW_MS
    boot_ms: int = 1_000_000

    def __call__(self) -> Instant:
        return Instant(self.wall_ms, self.boot_ms)

    def go_on(self, by_ms: int) -> None:
        """Time passes."""
        self.wall_ms += by_ms
        self.boot_ms += by_ms


class SlowStore(MemoryStore):
    """Stands still in each append, until the test lets it go on."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.entered = threading.Semaphore(0)
        self.released = threading.Semaphore(0)
        self.batches: list[Batch] = []

    def append(self, batch: Batch, check: Callable[..., None]) -> None:
        self.batches.append(batch)
        self.entered.release()
        assert self.released.acquire(timeout=LONG_S)
        super().append(batch, check)


class Spoiled:
    """A store of which one tile is read otherwise than it was written."""

    def __init__(self, store, tile, data):
        self._store, self._wrong = store, {tile: data}

    def snapshot(self):
        self._lent = self._store.snapshot()
        return self

    def __enter__(self):
        self._snapshot = self._lent.__enter__()
        return self

    def __exit__(self, *_):
        self._lent.__exit__(None, None, None)

    def tile(self, level, index):
        return self._wrong.get((level, index), self._snapshot.tile(level, index))

    def entries(self, start, stop):
        if entries := self._wrong.get(ENTRIES):
            return entries[start:stop]
        return self._snapshot.entries(start, stop)


@dataclass
class Bench:
    """A sequencer that appends to a store in memory."""

    folder: Path
    kind: str = "opaque"
    store_class: type[MemoryStore] = MemoryStore
    clock: SetClock = field(default_factory=SetClock)
    config: Config = field(default_factory=Config)

    def __post_init__(self) -> None:
        charter = new_charter(ORIGIN, kind=self.kind)
        self.store = self.store_class(charter)
        path = self.folder / "anchor"
        write_anchor(path, Anchored(genesis=charter.genesis, data=bytes(16)))
        self.anchor = Anchor(path)
        self.signer = Signer(new_keys(charter), charter.kind)
        self.sequencer = Sequencer(
            store=self.store,
            anchor=self.anchor,
            signer=self.signer,
            clock=self.clock,
            config=self.config,
            head=Head(),
        )

    def __enter__(self) -> Self:
        self.sequencer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sequencer.close()
        self.anchor.close()
        head = head_of(self.store)
        newest = Checkpoint(origin=ORIGIN, size=head.size, root=head.root)
        verify_log(StoreSource(self.store), newest, kind="opaque")

    def hand_in(self, *entries: bytes, freeze: bool = False) -> Order:
        """One order, which waits for its batch."""
        order = Order([Admitted(None, each) for each in entries], freeze=freeze)
        self.sequencer.pool.put(order)
        return order

    def append(self, *entries: bytes) -> Answer:
        """One order, and its answer."""
        return self.hand_in(*entries).wait(LONG_S)


def head_of(store: LogStore) -> Head:
    """The head that is stored."""
    with store.snapshot() as snapshot:
        return snapshot.head()


def entries_of(store: LogStore) -> list[bytes]:
    """All entries that are stored."""
    with store.snapshot() as snapshot:
        return snapshot.entries(0, snapshot.head().size)


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Entries that are all different."""
    return [b"entry %d" % number for number in range(start, start + count)]


def body(number: int, **members: Any) -> bytes:
    """The canonical form of record `number`."""
    return encode_record({**SMALLEST, "id": record_id(number), **members})


def sign1(payload: object = b"payload", unprotected: object = None) -> bytes:
    """A COSE_Sign1; nobody looks at its signature here."""
    parts = [b"\xa0", unprotected or {}, payload, bytes(64)]
    return cbor.encode(cbor.Tag(18, parts), tags={18})


def spoil_next(store: Any, change: Callable[[Batch], Batch]) -> None:
    """Let the next append to `store` get what `change` makes of its batch."""
    append = store.append

    def spoiled(batch: Batch, check: Callable[..., None]) -> None:
        store.append = append
        append(change(batch), check)

    store.append = spoiled


def flip_in_tile(store: LogStore, tile: tuple[int, int], bit: int) -> None:
    """Flip one bit, counted from the end, of a stored tile of hashes."""
    with store.snapshot() as snapshot:
        hashes = snapshot.tile(*tile)
    store.mend(tile, flipped(hashes, bit))


def hold_of(live, **options):
    """The state in which the log opens; it is read all the same, and not written."""
    with live.open(**options) as log:
        hold = log.hold
        assert hold.mend
        with pytest.raises(Held) as caught:
            log.append([b"entry"])
        assert caught.value.state == hold.state
        return hold.state


def put_entry_tile(store, index, data):
    """Write the row of an entry tile as no log would."""
    with store._env.begin(write=True) as txn:
        database = store._databases[layout.ENTRIES]
        txn.put(layout.index_key(index), data, db=database)
