"""python -m benchmarks [receipts append …]: all of them, or those."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import (
    append,
    audit,
    http,
    index,
    overload,
    proofs,
    receipts,
    witness,
)

ALL = ("receipts", "audit", "append", "proofs", "index", "http", "overload", "witness")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("what", nargs="*", default=ALL)
    parser.add_argument("--entries", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, metavar="N", help="5, or 2 if --quick")
    parser.add_argument(
        "--grown", type=int, metavar="N", help="10,000,000, or 200,000 if --quick"
    )
    parser.add_argument(
        "--folder", type=Path, help="where grown logs are, and are kept"
    )
    parser.add_argument("--quick", action="store_true", help="about a minute each")
    arguments = parser.parse_args()
    if unknown := set(arguments.what) - set(ALL):
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    rounds = arguments.rounds or (2 if arguments.quick else 5)
    grown = arguments.grown or (200_000 if arguments.quick else 10_000_000)
    if "receipts" in arguments.what:
        receipts.run(rounds)
    if "audit" in arguments.what:
        audit.run(arguments.entries, rounds)
    with _kept(arguments.folder) as folder:
        if "append" in arguments.what:
            sizes = append.SIZES[:1] if arguments.quick else append.SIZES
            append.run(folder, grown, rounds, sizes)
        if "proofs" in arguments.what:
            proofs.run(folder, _sizes_up_to(grown), rounds)
        if "index" in arguments.what:
            index.run(folder, [min(grown, 1_000_000)])
        if "http" in arguments.what:
            http.run(folder, rounds, quick=arguments.quick)
        if "overload" in arguments.what:
            overload.run(folder, 4 if arguments.quick else 20)
        if "witness" in arguments.what:
            witness.run(folder, rounds)


def _sizes_up_to(grown: int) -> list[int]:
    return [size for size in (10_000, 100_000, 1_000_000) if size < grown] + [grown]


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path]:
    """The folder that was named, or one that is gone afterwards."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


if __name__ == "__main__":
    main()
