"""python -m benchmarks [receipts append …]: all of them, or those."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import (
    append,
    audit,
    growth,
    http,
    index,
    mirror,
    overload,
    proofs,
    publication,
    receipts,
    records,
    schema,
    statements,
    witness,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How much is to be measured, and where."""

    entries: int
    rounds: int
    grown: int
    folder: Path
    quick: bool

    def append(self) -> None:
        """In the usual sizes of batches, or in the smallest."""
        sizes = append.SIZES[:1] if self.quick else append.SIZES
        append.run(self.folder, self.grown, self.rounds, sizes)


RUNS: Final[dict[str, Callable[[Run], None]]] = {
    "receipts": lambda run: receipts.run(run.rounds),
    "schema": lambda run: schema.run(run.rounds),
    "statements": lambda run: statements.run(run.folder, run.rounds),
    "audit": lambda run: audit.run(run.entries, run.rounds),
    "append": Run.append,
    "proofs": lambda run: proofs.run(run.folder, _sizes_up_to(run.grown), run.rounds),
    "index": lambda run: index.run(run.folder, [min(run.grown, 1_000_000)]),
    "http": lambda run: http.run(run.folder, run.rounds, quick=run.quick),
    "records": lambda run: records.run(run.folder, run.rounds, quick=run.quick),
    "overload": lambda run: overload.run(run.folder, 4 if run.quick else 20),
    "witness": lambda run: witness.run(run.folder, run.rounds),
    "mirror": lambda run: mirror.run(run.entries, run.rounds),
    "growth": lambda run: growth.run(
        run.folder,
        tuple(size for size in growth.SIZES if size <= run.grown),
        min(run.rounds, 3),
        4,
    ),
    "publication": lambda run: publication.run(run.folder, run.rounds, quick=run.quick),
}
"""Every benchmark, by its name."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("what", nargs="*", default=list(RUNS))
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
    if unknown := set(arguments.what) - set(RUNS):
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    quick = arguments.quick
    with _kept(arguments.folder) as folder:
        run = Run(
            entries=arguments.entries,
            rounds=arguments.rounds or (2 if quick else 5),
            grown=arguments.grown or (200_000 if quick else 10_000_000),
            folder=folder,
            quick=quick,
        )
        for name, begin in RUNS.items():
            if name in arguments.what:
                begin(run)


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
