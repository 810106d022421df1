"""How fast the engine appends, beside the bare cost of what it cannot do without."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.bare import Bare, Cost, bare_beside
from benchmarks.grown import grown_log, load, new_log, submit
from benchmarks.measure import cores, rate_text, ratio_text
from ledger.log.log import Log
from ledger.store.environment import (
    DATA,
)

BATCHES: Final = {1: 400, 16: 400, 256: 128, 4096: 12}
"""How many entries are in a batch, and how many batches in a round."""
SIZES: Final = (300, 1000)


def run(folder: Path, entries: int, rounds: int, sizes: Sequence[int] = SIZES) -> None:
    """Print what was measured, on an empty log and on one of `entries`."""
    print(
        f"append, in process, two orders in flight, {cores()} cores; CPU of all threads"
    )
    cases = list(product(sizes, BATCHES, (False, True)))
    for size, batch, identified in cases:
        with tempfile.TemporaryDirectory(dir=folder) as name:
            log = new_log(Path(name) / "log")
            with bare_beside(log, Path(name)) as bare, Log.open(log) as ours:
                _case(ours, bare, size, batch, rounds, identified=identified)
    log = grown_log(folder, entries)
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        bare_beside(log, Path(name)) as bare,
        Log.open(log) as ours,
    ):
        for size, batch, identified in cases:
            _case(ours, bare, size, batch, rounds, identified=identified)
    print("disk, of the raw bytes of the entries, tree included")
    for size, identified in product(sizes, (False, True)):
        _room(folder, size, identified=identified)


# Speed


def _case(
    log: Log, bare: Bare, size: int, batch: int, rounds: int, *, identified: bool
) -> None:
    kind = "identities" if identified else "opaque"
    print(f"  {kind}, batches of {batch:,} × {size} bytes, log of {log.head.size:,}")
    number = BATCHES[batch]
    ours = Cost()
    bare.forget()
    for _ in range(rounds):
        first = log.head.size
        orders = [
            load(first + at * batch, batch, size=size, identified=identified)
            for at in range(number)
        ]
        ours.begin()
        # What waits for its turn here is ours, and no work for the engine's collector.
        gc.collect()
        gc.freeze()
        with ours.taken():
            submit(log, orders)
        gc.unfreeze()
        assert log.head.size == first + batch * number
        bare.round(orders)
    entries = batch * number
    print(f"    wall {rate_text(entries, ours.wall)}")
    print(f"    CPU  {rate_text(entries, ours.cpu)}")
    for hashed, says in ((1, "hashed once"), (2, "hashed twice, as we do")):
        wall = ratio_text(ours.wall, bare.wall(hashed))
        cpu = ratio_text(ours.cpu, bare.cpu(hashed))
        print(f"    of the bare cost, {says}: wall {wall}, CPU {cpu}")
    print(f"    bare µs an entry, wall/CPU: {bare.text(entries)}")


# Disk


def _room(folder: Path, size: int, *, identified: bool) -> None:
    """Small batches too: what of their tiles is rewritten has to be reused."""
    found = []
    for batch in (1, 2, 3, 4, 5, 6, 7, 8, 16, 256, 4096):
        batches = max(16, 4096 // batch)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            where = new_log(Path(name) / "log")
            with Log.open(where) as log:
                submit(
                    log,
                    (
                        load(at * batch, batch, size=size, identified=identified)
                        for at in range(batches)
                    ),
                )
            used = (where / "store" / DATA).stat().st_size / (batch * batches)
        found.append(f"{batch:,}: {used / size:.3f}")
    kind = "identities" if identified else "opaque"
    print(f"  {size:>5} bytes, {kind:<10} batches of " + "  ".join(found))
