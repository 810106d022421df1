"""Durable single submissions, and batches, which only one of the two has."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks import http
from benchmarks.measure import spread
from benchmarks.peers.servers import Server, ours, theirs
from benchmarks.wrk import ONE, Load, answered, wrk

CONNECTIONS: Final = (16, 64, 256, 1_024)
SIZES: Final = (300, 1_000)


def run(folder: Path, rounds: int, seconds: int) -> None:
    """Print what was measured."""
    best = 0.0
    for size in SIZES:
        print(f"POST /add, {size} bytes, durable when answered, entries/s")
        for connections in CONNECTIONS:
            found = _in_turn(folder, size, connections, rounds, seconds)
            best = max(best, *(each.rate for each in found["tessera"]))
            _say(connections, found)
    _batches(folder, rounds, seconds, best)


def _in_turn(
    folder: Path, size: int, connections: int, rounds: int, seconds: int
) -> dict[str, list[Load]]:
    found: dict[str, list[Load]] = {"ours": [], "tessera": []}
    script = ONE % (size, "/add", "nil")
    for _ in range(rounds):
        for begin in (ours, theirs):
            with begin(folder) as server:
                found[server.name].append(wrk(server.url, script, connections, seconds))
    return found


def _say(connections: int, found: dict[str, list[Load]]) -> None:
    rates = {name: [each.rate for each in loads] for name, loads in found.items()}
    ratios = [a / b for a, b in zip(rates["ours"], rates["tessera"], strict=True)]
    print(
        f"  {connections:>5} connections  ours/tessera {spread(ratios, '.2f')}"
        f"   ours {spread(rates['ours'], ',.0f')}"
        f"   tessera {spread(rates['tessera'], ',.0f')}"
    )
    failed = {name: sum(each.failed for each in each_) for name, each_ in found.items()}
    if any(failed.values()):
        print(f"        failed: {failed}")


def _batches(folder: Path, rounds: int, seconds: int, best: float) -> None:
    """The peer has no batches: its best single submissions stand beside them."""
    found: list[float] = []
    script = http.batch_script("opaque", "text/plain")
    for _ in range(rounds):
        with ours(folder) as server:
            found.append(answered(server.url, script, 16, seconds) * http.BATCH)
    ratios = [each / best for each in found]
    print(
        f"POST /v1/records:batch, {http.BATCH} a request, 16 connections, 300 bytes\n"
        f"  ours/the peer's best {spread(ratios, '.2f')}   ours {spread(found, ',.0f')}"
    )


def weights(folder: Path, seconds: int) -> None:
    """Bytes on disk and in memory, after a load of entries of 1 kB."""
    print("after a load of entries of 1,000 bytes, 256 connections")
    for begin in (ours, theirs):
        with begin(folder) as server:
            _weigh(server, seconds)


def _weigh(server: Server, seconds: int) -> None:
    held = [server.resident() >> 20]
    for _ in range(3):
        wrk(server.url, ONE % (1_000, "/add", "nil"), 256, seconds)
        held.append(server.resident() >> 20)
    size = server.size()
    print(
        f"  {server.name:<8} {server.on_disk() / size / 1_000:.3f} bytes on disk a "
        f"byte, {size:,} entries; held before, and after each third: {held} MiB"
    )
