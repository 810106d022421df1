"""Logs to be measured: entries that differ, identities as records have them."""

from __future__ import annotations

import shutil
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Final

from ledger.config import NAME as SETTINGS
from ledger.log.log import Log
from ledger.log.pool import Admitted, Order
from ledger.upkeep.birth import init, new_charter, new_keys

ORIGIN: Final = "bench.example/log"
BORN_MS: Final = 1_790_000_000_000
ENTRY_BYTES: Final = 300
LARGEST_BATCH: Final = 16_384
BATCH: Final = 4096
PROOFS: Final = 1000
IN_FLIGHT: Final = 2
"""Orders: one that is committed, and one that waits behind it."""
_SUBMITTERS: Final = [sha256(b"%d" % each).digest()[:16] for each in range(16)]
_ODD: Final = 0x9E3779B97F4A7C15


def identity(number: int) -> bytes:
    """As in a record log: one of 16 submitters, and a UUIDv7, 200 each millisecond."""
    mixed = number * _ODD & (1 << 74) - 1
    at = BORN_MS + number // 200
    id_ = at << 80 | 7 << 76 | mixed >> 62 << 64 | 2 << 62 | mixed & (1 << 62) - 1
    return _SUBMITTERS[number % 16] + id_.to_bytes(16, "big")


def load(first: int, count: int, *, size: int, identified: bool) -> list[Admitted]:
    """Different entries of `size` bytes, of which none is given twice."""
    filler = _filler(size - 8)
    return [
        Admitted(
            identity(number) if identified else None, number.to_bytes(8, "big") + filler
        )
        for number in range(first, first + count)
    ]


@cache
def _filler(size: int) -> bytes:
    return Random(1).randbytes(size)


def submit(log: Log, orders: Iterable[list[Admitted]]) -> None:
    """Hand over `orders`, two in flight, and wait for all of them."""
    waiting: deque[Order] = deque()
    for each in orders:
        waiting.append(log.submit(each))
        if len(waiting) == IN_FLIGHT:
            waiting.popleft().wait()
    for order in waiting:
        order.wait()


def new_log(folder: Path) -> Path:
    """An empty opaque log, which writes to the end of the disk."""
    charter = new_charter(ORIGIN, kind="opaque")
    init(folder, charter, new_keys(charter))
    (folder / SETTINGS).write_text("min_free_bytes = 1048576\n")
    return folder


def grown_log(folder: Path, entries: int) -> Path:
    """A log of `entries` in `folder`, with identities; kept there, and used again.

    What is measured appends to it; one that has become half as large again is made
    anew.
    """
    where = folder / f"log-{entries}"
    if where.is_dir():
        with Log.open(where) as log:
            if log.charter.origin != ORIGIN:
                raise SystemExit(
                    f"{where} is no log of a benchmark; name another folder"
                )
            if entries <= log.head.size <= entries * 3 // 2:
                return where
        shutil.rmtree(where)
    # A log that was not made to its end has another name.
    beside = folder / f"log-{entries}.part"
    shutil.rmtree(beside, ignore_errors=True)
    with Log.open(new_log(beside)) as log:
        submit(log, _growth(entries))
    beside.rename(where)
    return where


def _growth(entries: int) -> Iterator[list[Admitted]]:
    for first in range(0, entries, LARGEST_BATCH):
        if first * 10 // entries != (first - LARGEST_BATCH) * 10 // entries:
            says = f"  making a log of {entries:,}: {first:,} …"
            print(says, file=sys.stderr, flush=True)
        count = min(LARGEST_BATCH, entries - first)
        yield load(first, count, size=ENTRY_BYTES, identified=True)
