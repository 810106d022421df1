"""The bare cost of what the engine cannot do without.

The bare cost of a batch is the sum of a SHA-256 for each leaf and each node, one
LMDB transaction with the same bytes, the same identity rows into a database that
already has as many, and a write as the anchor's. It is paid in a copy of the very
store that is measured.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

from ledger.log.pool import Admitted
from ledger.store import layout as at
from ledger.store.disk import sync_path
from ledger.store.environment import (
    DATA,
    MAP_BYTES,
    open_databases,
    open_environment,
)
from verifier.tile import WIDTH

FAR: Final = 1 << 40
"""Where the bare rows begin: behind all that are in the copy."""
_SLOT: Final = bytes(144)

Orders: TypeAlias = list[list[Admitted]]


@dataclass(slots=True)
class Cost:
    """Seconds, of the clock on the wall and of the processor, round by round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def begin(self) -> None:
        """Another round."""
        self.wall.append(0.0)
        self.cpu.append(0.0)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Add what happens in here to the round."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall[-1] += time.perf_counter() - wall
            self.cpu[-1] += time.process_time() - cpu


class Bare:
    """The same bytes, and nothing that makes a log of them."""

    def __init__(self, store: Path) -> None:
        self.folder = store
        self._env = open_environment(store, readonly=False, map_bytes=MAP_BYTES)
        self._databases = open_databases(self._env, store)
        self._next = FAR
        flags = os.O_RDWR | os.O_CREAT
        self._anchor = os.open(store / "anchor", flags | os.O_DSYNC)
        self._plain = os.open(store / "plain", flags)
        self.forget()

    def forget(self) -> None:
        """Measure anew."""
        self._sha, self._lmdb, self._rows = Cost(), Cost(), Cost()
        self._slots, self._disk = Cost(), Cost()

    def round(self, orders: Orders) -> None:
        """Pay for `orders` once."""
        for cost in (self._sha, self._lmdb, self._rows, self._slots, self._disk):
            cost.begin()
        with self._sha.taken():
            _hash(orders)
        for order in orders:
            where = at.index_key(FAR)
            rows = sorted((each.identity, where) for each in order if each.identity)
            with self._lmdb.taken():
                self._commit(order, rows)
        with self._slots.taken():
            for number, _ in enumerate(orders):
                os.pwrite(self._anchor, _SLOT, number % 2 * 4096)
        joined = [b"".join(each.data for each in order) for order in orders]
        with self._disk.taken():
            for data in joined:
                os.pwrite(self._plain, data, 0)
                os.fdatasync(self._plain)

    def _commit(self, order: list[Admitted], rows: list[tuple[bytes, bytes]]) -> None:
        """One transaction: what is new in one row a tile, its hashes in another."""
        with self._env.begin(write=True) as txn:
            for start in range(0, len(order), WIDTH):
                some = b"".join([each.data for each in order[start : start + WIDTH]])
                key, hashes = at.index_key(self._next), bytes(32 * WIDTH)
                txn.put(key, some, db=self._databases[at.ENTRIES], append=True)
                tile = at.tile_key((0, self._next))
                most = 32 * min(WIDTH, len(order) - start)
                txn.put(tile, hashes[:most], db=self._databases[at.TILES])
                self._next += 1
            if rows:
                with self._rows.taken():
                    cursor = txn.cursor(self._databases[at.IDENTITIES])
                    _, added = cursor.putmulti(rows, dupdata=False, overwrite=False)
                    assert added == len(rows)

    def wall(self, hashed: int) -> list[float]:
        """The whole cost, round by round; that of LMDB has the rows in it."""
        return _sums(*[self._sha.wall] * hashed, self._lmdb.wall, self._slots.wall)

    def cpu(self, hashed: int) -> list[float]:
        """The same of the processor."""
        return _sums(*[self._sha.cpu] * hashed, self._lmdb.cpu, self._slots.cpu)

    def text(self, entries: int) -> str:
        """What costs how much, and how long as many bytes take to the bare disk."""
        named = {
            "SHA-256": self._sha,
            "LMDB": self._lmdb,
            "rows in it": self._rows,
            "anchor": self._slots,
            "(fdatasync": self._disk,
        }
        each = [
            f"{name} {median(cost.wall) / entries * 1e6:.2f}"
            f"/{median(cost.cpu) / entries * 1e6:.2f}"
            for name, cost in named.items()
        ]
        return ", ".join(each) + ")"

    def close(self) -> None:
        """Let go of all files."""
        self._env.close()
        os.close(self._anchor)
        os.close(self._plain)


def _hash(orders: Orders) -> None:
    node = bytes(65)
    for order in orders:
        for each in order:
            sha256(b"\x00" + each.data).digest()
        for _ in order:
            sha256(node).digest()


def _sums(*costs: Sequence[float]) -> list[float]:
    return [sum(each) for each in zip(*costs, strict=True)]


@contextmanager
def bare_beside(log: Path, folder: Path) -> Iterator[Bare]:
    """The bare cost in a copy of the store of `log`, which nobody has open."""
    (folder / "bare").mkdir()
    shutil.copyfile(log / "store" / DATA, folder / "bare" / DATA)
    # Else the copy would be written while it is measured, and make us look good.
    sync_path(folder / "bare" / DATA)
    bare = Bare(folder / "bare")
    try:
        yield bare
    finally:
        bare.close()
