"""A service on a bad machine: `python faulty.py FILE PYTHON -m cli serve …`.

While FILE says `bit`, memory changes a batch between computing and storing; `slow`:
the disk takes its time; `fault`: a request meets a fault of the program.
"""

from __future__ import annotations

import runpy
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ledger.log.reading import Reading
from ledger.store.lmdb import LmdbStore

SLOW_S = 4.0
WISH = Path(sys.argv[1])
APPEND, ENTRY = LmdbStore.append, Reading.entry


def wished(what: str) -> bool:
    """Whether that is what the test wants just now."""
    return WISH.read_text() == what


def append(store: LmdbStore, batch: Any, check: Any) -> None:
    """See LmdbStore."""
    if wished("bit"):
        first, *rest = batch.entries
        batch = replace(batch, entries=[bytes([first[0] ^ 1]) + first[1:], *rest])
    if wished("slow"):
        time.sleep(SLOW_S)
    APPEND(store, batch, check)


def entry(reading: Reading, index: int) -> bytes:
    """See Reading."""
    if wished("fault"):
        raise ZeroDivisionError
    return ENTRY(reading, index)


LmdbStore.append = append  # type: ignore[method-assign, assignment]
Reading.entry = entry  # type: ignore[method-assign, assignment]
sys.argv = sys.argv[4:]
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
runpy.run_module("cli", run_name="__main__", alter_sys=True)
