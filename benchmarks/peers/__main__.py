"""python -m benchmarks.peers: this log beside its strongest peer."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.measure import cores
from benchmarks.peers import reads, submits, untilproof
from benchmarks.peers.servers import BATCH


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks.peers", description=__doc__)
    parts = ("submits", "proof", "reads", "audit", "weights")
    parser.add_argument("what", nargs="*", default=list(parts), metavar="WHAT")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--seconds", type=int, default=5, metavar="N")
    parser.add_argument("--entries", type=int, default=1_000_000, metavar="N")
    given = parser.parse_args()
    if unknown := set(given.what) - set(parts):
        parser.error(f"there is no {', '.join(sorted(unknown))}; {', '.join(parts)}")
    print(f"{cores()} cores, wrk beside; rounds: {given.rounds} of {given.seconds} s")
    print(f"tessera v1.0.4, POSIX, {' '.join(BATCH)}; ours: two front ends")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "submits" in given.what:
            submits.run(folder, given.rounds, given.seconds)
        if "proof" in given.what:
            untilproof.run(folder, given.rounds, given.seconds)
        if "reads" in given.what:
            reads.run(folder, given.rounds, given.seconds)
        if "audit" in given.what:
            reads.audits(folder, given.entries, given.rounds)
        if "weights" in given.what:
            submits.weights(folder, given.seconds)


if __name__ == "__main__":
    main()
