"""A writer that is killed at one step of a commit, told by name.

python -m tests.faults.remote_writer FOLDER STEP ENTRY
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import ledger.log.sequencer
from ledger.log.anchor import Anchor
from ledger.log.log import Log
from ledger.log.pool import Order
from ledger.log.remote import RemoteAnchors, _Remote
from ledger.outbound import Line
from ledger.store.lmdb import LmdbStore

STEPS = {
    "before the commit": (LmdbStore, "append", 0),
    "after the commit": (LmdbStore, "append", 1),
    "before our own anchor": (Anchor, "advance", 0),
    "after our own anchor": (Anchor, "advance", 1),
    "before the anchors elsewhere": (RemoteAnchors, "hold", 0),
    "before the question": (Line, "post", 0),
    "with the answer": (Line, "post", 1),
    "between two anchors elsewhere": (_Remote, "put", 1),
    "after the anchors elsewhere": (RemoteAnchors, "hold", 1),
    "before the signature": (ledger.log.sequencer, "sign_anchored", 0),
    "after the signature": (ledger.log.sequencer, "sign_anchored", 1),
    "before the answer": (Order, "settle", 0),
}
"""Whose step it is, its name, and whether it is done."""


def arm(step: str) -> None:
    """From now on this process dies there."""
    owner, name, done = STEPS[step]
    real = getattr(owner, name)

    def deadly(*arguments: Any, **options: Any) -> None:
        if done:
            real(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, deadly)


if __name__ == "__main__":
    folder, step, entry = sys.argv[1:]
    with Log.open(Path(folder)) as log:
        if log.hold:
            raise log.hold
        arm(step)
        log.append([entry.encode()])
