"""Checkpoints that a restore was shown, kept until a store has been found to have them.

One of our keys has signed each, so somebody was promised that tree. A store without
it is an older state, or another history, whatever the anchor beside it says: who was
told so once must not be able to write as if nothing had been said.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from ledger.errors import Held
from ledger.log.home import Home
from ledger.log.targets import hold_against, read_own
from ledger.store import LogStore
from ledger.store.disk import sync_path
from verifier import note
from verifier.checkpoint import Checkpoint
from verifier.durable import write_atomically
from verifier.errors import MalformedError, VerificationError
from verifier.keys import VerifierKey
from verifier.source import read_file


def remember(home: Home, data: bytes, tree: Checkpoint) -> None:
    """Keep the signed checkpoint `data`, which is of `tree`."""
    home.promised.mkdir(0o700, exist_ok=True)
    sync_path(home.folder)
    write_atomically(home.promised / f"{tree.size}-{tree.root.hex()}", data)


def remembered(
    home: Home, origin: str, keys: Sequence[VerifierKey]
) -> Iterator[tuple[Path, Checkpoint]]:
    """What is kept, each by its path; Held where it is not what was."""
    names = sorted(os.listdir(home.promised)) if home.promised.is_dir() else []
    for name in names:
        if name.startswith("."):
            continue  # what a crash has left, before anything was said
        path = home.promised / name
        try:
            yield path, read_own(read_file(path, note.MAX_BYTES), origin, keys)
        except (OSError, MalformedError, VerificationError) as error:
            raise Held(
                "rollback",
                f"{path} is no checkpoint of this log, as a restore was shown: {error}",
                mend=f"if it is of another log: rm {quote(str(path))}",
            ) from None


def check_promised(home: Home, store: LogStore, keys: Sequence[VerifierKey]) -> None:
    """Return if the log in `store` begins with all of them."""
    for path, tree in remembered(home, store.charter.origin, keys):
        hold_against(tree, store, f"a restore was shown {path}: somebody")


def forget(home: Home) -> None:
    """The store has all of them, and the anchor remembers from now on."""
    shutil.rmtree(home.promised, ignore_errors=True)
