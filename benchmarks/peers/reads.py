"""Reads of tiles and checkpoints, and the whole log checked for integrity."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.measure import cores, in_turn, rate_text, ratio_text, spread
from benchmarks.peers.servers import Server, ours, theirs
from benchmarks.wrk import ONE, answered, wrk
from capture import Client

_ENTRIES: Final = 100_000
_PATHS: Final = ("/checkpoint", "/tile/0/000", "/tile/entries/000")


def run(folder: Path, rounds: int, seconds: int) -> None:
    """Print how fast both are read, each filled with as many entries."""
    print("reads, 64 connections, requests/s")
    with ours(folder) as mine, theirs(folder) as other:
        _fill(mine, other, folder)
        for path in _PATHS:
            script = f'wrk.method = "GET"; wrk.path = "{path}"'
            rates: dict[str, list[float]] = {"ours": [], "tessera": []}
            for _ in range(rounds):
                for server in (mine, other):
                    rates[server.name].append(answered(server.url, script, 64, seconds))
            ratios = [a / b for a, b in zip(*rates.values(), strict=True)]
            print(
                f"  {path:<20} ours/tessera {spread(ratios, '.2f')}   ours "
                f"{spread(rates['ours'], ',.0f')}   tessera "
                f"{spread(rates['tessera'], ',.0f')}"
            )


def _fill(mine: Server, other: Server, folder: Path) -> None:
    client = Client(mine.url, None, folder / "served" / "policy.txt")
    for _ in client.submit_batch(b"entry %0300d" % each for each in range(_ENTRIES)):
        pass
    while other.size() < _ENTRIES:
        wrk(other.url, ONE % (300, "/add", "nil"), 1_024, 2)


def audits(folder: Path, entries: int, rounds: int) -> None:
    """Hold `provlog audit` against the peer's fsck, on the same log from a folder."""
    log, key = folder / "checked", folder / "key"
    stranger = Path(os.environ["PEERS"]) / "stranger"
    if not log.exists():
        made = [str(stranger), "log-key", "log.example/checked", str(key)]
        vkey = subprocess.run(made, check=True, capture_output=True, text=True).stdout
        subprocess.run(
            [f"{stranger}", "write", f"{log}", f"{key}", f"{entries}"], check=True
        )
        (folder / "policy").write_text(f"log {vkey.strip()}\nquorum none\n")
    vkey = (folder / "policy").read_text().split()[1]
    policy = ("--policy", f"{folder / 'policy'}", "--processes", f"{cores()}")

    def audit() -> None:
        command = [sys.executable, "-m", "cli", "audit", *policy, f"{log}"]
        subprocess.run(command, check=True, capture_output=True)

    def fsck() -> None:
        subprocess.run([stranger, "fsck", log, vkey], check=True, capture_output=True)

    mine, theirs_ = in_turn(rounds, audit, fsck)
    print(f"integrity of {entries:,} entries from a folder, entries/s, {cores()} cores")
    print(f"  provlog audit  {rate_text(entries, mine)}")
    print(f"  fsck           {rate_text(entries, theirs_)}")
    print(f"  audit/fsck     {ratio_text(mine, theirs_)}")
