"""The index's process: it follows the log, and nobody waits for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ledger.errors import Unavailable
from ledger.index.follower import Follower
from ledger.log.home import Home
from ledger.log.reading import Reading
from ledger.store import Head, LogStore

_EVERY_S: Final = 1.0


def follow(folder: Path, gone: Callable[[], bool]) -> None:
    """Index what is committed until told to stop; `gone` says who started us is."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    store = Home.at(folder).open_store(readonly=True)
    try:
        follow_store(
            folder, store, lambda: _head(store), lambda: stopping.is_set() or gone()
        )
    finally:
        store.close()


def follow_store(
    folder: Path, store: LogStore, newest: Callable[[], Head], done: Callable[[], bool]
) -> None:
    """Follow `store` up to `newest`, as long as nothing is `done`."""
    reading = Reading(store, newest)
    follower = Follower(folder, reading, store.charter.kind, store.charter.genesis)
    pause = threading.Event()
    while not done():
        try:
            worked = follower.step(newest().size)
        except Unavailable:
            worked = 0  # the disk is full, or too many read: it goes on later
        if not worked:
            pause.wait(_EVERY_S)


def _head(store: LogStore) -> Head:
    with store.snapshot() as snapshot:
        return snapshot.head()
