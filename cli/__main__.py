"""`python -m cli` is the console script, where none is installed."""

from __future__ import annotations

from cli.main import run

if __name__ == "__main__":
    run()
