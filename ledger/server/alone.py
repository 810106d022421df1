"""The whole service in one process: for small machines, and without forking."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ledger.callers.budgets import Budgets
from ledger.config import Config
from ledger.http.listening import listen
from ledger.log.log import Log
from ledger.metrics.counts import Counts
from ledger.server.following import follow_store
from ledger.server.front import Facing, Place, site_of
from ledger.server.outside import Inside
from ledger.server.running import told_of
from ledger.server.writer import Writing


async def serve_alone(
    folder: Path,
    config: Config,
    *,
    without: Collection[str],
    ready: Callable[[dict[str, Any], socket.socket, socket.socket], None],
) -> None:
    """Serve until somebody wants an end."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    (listening,) = listen(config.listen, "listen", 1, config.body_timeout_s)
    (operations,) = listen(config.operations, "operations", 1, config.body_timeout_s)
    with Log.open(folder, without=without) as log:
        counts = Counts()
        outlet = Inside(log.home, log.store, log.keys, counts)
        writing = Writing(log, counts, outlet)
        writing.front_ends = lambda: 1
        await writing.start(operations)
        place = Place(
            folder=folder,
            config=config,
            keys=tuple(log.keys),
            listening=listening,
            budgets=Budgets(config),
            profiles=log.admission.profiles,
            share=1,
        )
        site = site_of(
            place,
            log.store,
            reading=log.reading,
            writer=writing.desk,
            counts=counts,
        )
        writing.held_bytes = lambda: site.memory.used
        facing = Facing(site, place)
        await facing.start()
        done = threading.Event()
        follower = threading.Thread(
            target=follow_store,
            args=(log.home, log.store, lambda: log.head, done),
            daemon=True,
        )
        if config.index:
            follower.start()
        ready(told_of(log, writing.hold, without), listening, operations)
        await stopping.wait()
        done.set()
        await facing.stop()
        if config.index:
            await asyncio.to_thread(follower.join)
        await writing.stop()
