"""What this folder knows to have been public, held against its store.

Store and anchor can be put back by themselves, and agree with each other then. Beside
them is kept what was published, and nobody else can have signed it: a store that does
not begin with the newest of that is an older state, or another history.

It can be lost, and then says nothing; ledger/publish/kept.py writes it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ledger.log.home import Home
from ledger.log.targets import hold_against, read_own
from ledger.store import LogStore
from verifier import note
from verifier.errors import VerificationError
from verifier.keys import VerifierKey

NAME: Final = "published"
ROW: Final = struct.Struct(">QQQ")
"""Of each checkpoint: its size, where it ends in the other file, when it was shown."""
TORN: Final = 16
"""More rows than a crash can leave without their notes; more are another log's."""


def check_published(home: Home, store: LogStore, keys: Sequence[VerifierKey]) -> None:
    """Return if the log in `store` begins with the newest tree that was published."""
    for data in _newest_first(home.folder / NAME):
        try:
            tree = read_own(data, store.charter.origin, keys)
        except VerificationError:
            continue  # torn, or another log's
        hold_against(tree, store, f"{home.folder / NAME}, where it was published,")
        return


def _newest_first(folder: Path) -> Iterator[bytes]:
    """What may be the last notes; nothing where they cannot be read."""
    try:
        with (
            open(folder / "sizes", "rb") as sizes,
            open(folder / "notes", "rb") as all_,
        ):
            rows = os.stat(sizes.fileno()).st_size // ROW.size
            for number in range(rows, max(0, rows - TORN), -1):
                start = _end(sizes.fileno(), number - 2) if number > 1 else 0
                length = _end(sizes.fileno(), number - 1) - start
                if 0 < length <= note.MAX_BYTES:
                    yield os.pread(all_.fileno(), length, start)
    except (OSError, OverflowError, struct.error):
        return


def _end(number: int, row: int) -> int:
    """Where the note of a row ends."""
    end: int = ROW.unpack(os.pread(number, ROW.size, row * ROW.size))[1]
    return end
