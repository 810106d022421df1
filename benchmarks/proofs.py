"""A log that has grown: how soon it proves and starts, and what memory it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from math import log2
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from statistics import median, quantiles

from benchmarks.grown import BATCH, ENTRY_BYTES, PROOFS, grown_log, load, submit
from benchmarks.measure import in_turn, rate_text
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.log.reading import Reading
from ledger.store import Head
from ledger.store.environment import DATA
from ledger.store.lmdb import LmdbStore
from ledger.tree import Prover


def run(folder: Path, sizes: Sequence[int], rounds: int) -> None:
    """Print what was measured of a log of each of `sizes`."""
    print(
        "proofs: wall p50, p99, and p99 of CPU time; a level is a doubling of the log"
    )
    for size in sizes:
        _prove(grown_log(folder, size), rounds)
    print("start-up: Log.open, then one append; the median, and the range")
    for size in sizes:
        _start(grown_log(folder, size), rounds)
    _remember(grown_log(folder, sizes[-1]), sizes[-1] // 10)


# Proofs


def _prove(folder: Path, rounds: int) -> None:
    store = Home.at(folder).open_store(readonly=True)
    try:
        with store.snapshot() as snapshot:
            head = snapshot.head()
        reading = Reading(store, lambda: head)
        draw = Random(2)
        places = [draw.randrange(head.size) for _ in range(rounds * PROOFS)]
        print(f"  a log of {head.size:,}, {log2(head.size):.1f} levels")
        levels = log2(head.size)
        _each("Reading.inclusion, verified", reading.inclusion, places, levels)
        _each("Prover.inclusion, alone", partial(_alone, store, head), places, levels)
        firsts = [place + 1 for place in places]
        _each("Reading.consistency, verified", reading.consistency, firsts, levels)
        _together(store, head, rounds)
    finally:
        store.close()


def _alone(store: LmdbStore, head: Head, index: int) -> None:
    with store.snapshot() as snapshot:
        Prover(head.size, snapshot.tile).inclusion(index)


def _each(
    name: str, prove: Callable[[int], object], places: Sequence[int], levels: float
) -> None:
    wall, cpu = [], []
    for place in places:
        start, start_cpu = time.perf_counter(), time.thread_time()
        prove(place)
        cpu.append(time.thread_time() - start_cpu)
        wall.append(time.perf_counter() - start)
    half, most, most_cpu = median(wall), _p99(wall), _p99(cpu)
    print(
        f"    {name:<30} {half * 1e3:7.3f} {most * 1e3:7.3f} {most_cpu * 1e3:7.3f} ms"
        f"   {half / levels * 1e6:5.1f} µs a level"
    )


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


def _together(store: LmdbStore, head: Head, rounds: int) -> None:
    """The proofs of all of a batch, as they are made when it is answered."""
    newest = range(head.size - min(BATCH, head.size), head.size)

    def prove() -> None:
        with store.snapshot() as snapshot:
            prover = Prover(head.size, snapshot.tile)
            for index in newest:
                prover.inclusion(index)

    (taken,) = in_turn(rounds, prove)
    print(f"    the newest {len(newest):,} together    {rate_text(len(newest), taken)}")


# Start-up


def _start(folder: Path, rounds: int) -> None:
    for name, stop in (("a clean stop", _stop), ("SIGKILL", _kill)):
        warm: list[float] = []
        cold: list[float] = []
        appended: list[float] = []
        size = 0
        for times in (warm, cold) * rounds:
            stop(folder)
            if times is cold:
                _forget(folder / "store" / DATA)
            start = time.perf_counter()
            with Log.open(folder) as log:
                opened = time.perf_counter()
                log.append([b"the first"])
                appended.append(time.perf_counter() - opened)
                size = log.head.size
            times.append(opened - start)
        print(
            f"  {size:>10,} after {name:<12} {_ms(warm)}"
            f"; out of the cache {_ms(cold)}; then an append {_ms(appended)}"
        )


def _ms(times: list[float]) -> str:
    least, most = min(times) * 1e3, max(times) * 1e3
    return f"{median(times) * 1e3:.1f} ms ({least:.1f} to {most:.1f})"


def _stop(folder: Path) -> None:
    with Log.open(folder) as log:
        log.append([b"the last"])


def _kill(folder: Path) -> None:
    """Let a process append, and kill it in the middle of that."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_append_on, args=(folder, theirs))
    process.start()
    ours.recv()
    process.kill()
    process.join()


def _append_on(folder: Path, said: Connection) -> None:
    with Log.open(folder) as log:
        for number in count():
            first = log.head.size
            submit(log, [load(first, 1, size=ENTRY_BYTES, identified=True)])
            if number == 5:
                said.send("well under way")


def _forget(path: Path) -> None:
    """Take a file out of the cache of the system, as far as it lets us."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
        os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(number)


# Memory


def _remember(folder: Path, more: int) -> None:
    with Log.open(folder) as log:
        _append(log, more // 10)
        before = _held_mb()
        _append(log, more)
        after = _held_mb()
    print(
        f"memory of the process: {before:.1f} MB, and {after:.1f} MB after {more:,} "
        "further entries; without the file's pages"
    )


def _append(log: Log, more: int) -> None:
    first = log.head.size
    submit(
        log,
        (
            load(first + at, min(BATCH, more - at), size=ENTRY_BYTES, identified=True)
            for at in range(0, more, BATCH)
        ),
    )


def _held_mb() -> float:
    """What is resident and belongs to no file: pages of the store can be dropped."""
    status = Path("/proc/self/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("RssAnon"))
    return int(line.split()[1]) / 1024
