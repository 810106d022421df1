"""The index's process: it follows the log, and nobody waits for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ledger.errors import Held, Refused, Unavailable
from ledger.events import INDEX_STOPPED, emit
from ledger.index.follower import Follower
from ledger.log.anchor import read_anchor
from ledger.log.home import Home
from ledger.log.reading import Reading, Tree
from ledger.store import LogStore

_EVERY_S: Final = 1.0


def follow(folder: Path, gone: Callable[[], bool]) -> None:
    """Index what is anchored until told to stop; `gone` says who started us is."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    home = Home.at(folder)
    store = home.open_store(readonly=True)
    try:
        follow_store(home, store, lambda: read_anchor(home.anchor), stopping, gone)
    finally:
        store.close()


def follow_store(
    home: Home,
    store: LogStore,
    newest: Callable[[], Tree],
    stopping: threading.Event,
    gone: Callable[[], bool] = lambda: False,
) -> None:
    """Follow `store` up to `newest` until `stopping`, or who started us is `gone`."""
    follower = Follower(
        home.index,
        Reading(store, newest),
        store.charter.kind,
        store.charter.genesis,
        min_free_bytes=home.config.min_free_bytes,
    )
    failing = False
    while not stopping.is_set() and not gone():
        try:
            worked = follower.step(newest().size)
        except (Held, Refused, Unavailable) as error:
            # It goes on when there is room again, or the other one has ended.
            if not failing:
                emit(INDEX_STOPPED, error=error)
            failing, worked = True, 0
        else:
            failing = False
        if not worked:
            stopping.wait(_EVERY_S)
