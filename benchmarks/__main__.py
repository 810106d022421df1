"""python -m benchmarks [receipts] [audit]: all, or those that are named."""

from __future__ import annotations

import argparse

from benchmarks import audit, receipts


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("what", nargs="*", default=["receipts", "audit"])
    parser.add_argument("--entries", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    arguments = parser.parse_args()
    if unknown := set(arguments.what) - {"receipts", "audit"}:
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    if "receipts" in arguments.what:
        receipts.run(arguments.rounds)
    if "audit" in arguments.what:
        audit.run(arguments.entries, arguments.rounds)


if __name__ == "__main__":
    main()
