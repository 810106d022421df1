"""A front end's process: it speaks HTTP, reads the store, and holds no key."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.callers.budgets import Budgets
from ledger.callers.tokens import Tokens
from ledger.clock import read_clock, stopwatch
from ledger.config import Config
from ledger.http.connections import Connections
from ledger.http.express import express_of
from ledger.http.front import Front
from ledger.http.handshakes import Handshakes
from ledger.http.listening import is_local, parse_address, tls_of
from ledger.http.memory import Memory
from ledger.http.serving import Serving
from ledger.http.site import Site
from ledger.http.table import table_of
from ledger.http.writer import Writer
from ledger.index.lookup import Lookup
from ledger.log.admission import admission_of
from ledger.log.home import Home
from ledger.log.reading import Reading
from ledger.log.registry import Registry
from ledger.metrics import MEMORY_HELD_BYTES, PROCESS_BYTES
from ledger.metrics.counts import Counts
from ledger.publish.kept import Kept
from ledger.schema.profile import Profile
from ledger.server.desk import Signed
from ledger.server.link import Link
from ledger.server.processes import own_bytes
from ledger.store import LogStore
from verifier.keys import VerifierKey

_REPORT_EVERY_S: Final = 1.0
_ANSWERING: Final = 0.65
"""How much of `stop_s` requests have that are under way when a stop begins."""
_CLOSING: Final = 0.05
"""How much of it connections then have, to end by themselves and when they are told."""
_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a front end stands: what it was given before it began."""

    folder: Path
    config: Config
    keys: tuple[VerifierKey, ...]
    listening: socket.socket
    budgets: Budgets
    profiles: Sequence[Profile]
    """As they were when the log was opened, whatever has become of their files."""
    share: int
    """How many front ends share what is for all of them."""


class Facing:
    """The front of one log, over one listening socket."""

    def __init__(self, site: Site, place: Place) -> None:
        config = site.config
        self._place = place
        self._tls = tls_of(place.folder, config)
        table = table_of(site)
        self._front = Front(site, table)
        self._writer = site.writer
        connections = self._connections = Connections(
            self._front,
            site.counts,
            express_of(self._front, site, table),
            most=max(1, config.connections // place.share),
            most_of_one=max(1, config.connections_per_address // place.share),
            idle_s=config.header_timeout_s,
        )
        self._stop_s = config.stop_s
        self._serving = Serving(connections.server, _CLOSING * config.stop_s)

    async def start(self) -> None:
        """Listen."""
        listening = self._place.listening
        if self._tls:
            handshakes = Handshakes(self._connections, listening, self._tls)
            await self._serving.start_tls(handshakes)
        else:
            await self._serving.start(listening)

    async def stop(self) -> None:
        """Take nobody new, answer who is there, and end."""
        # What has begun to come is taken, and has to be seen for that.
        self._connections.hasten()
        await asyncio.sleep(_LOOK_S)
        self._front.stopping = True
        self._writer.end_waiting()
        # First what is under way: once stopped, aiohttp drops the rest of its bodies.
        began = set(self._front.under_way)
        # By the clock: on a busy machine each of the naps is longer than it should be.
        until = stopwatch() + _ANSWERING * self._stop_s
        left = until - stopwatch()
        while began & self._front.under_way and left > 0:
            await asyncio.sleep(min(_LOOK_S, left))
            left = until - stopwatch()
        ending = asyncio.create_task(self._serving.stop())
        until = stopwatch() + 3 * _CLOSING * self._stop_s
        while stopwatch() < until:
            await asyncio.wait([ending], timeout=_LOOK_S)
            if ending.done():
                return
            # Who came in the moment when it began waits for a request only now.
            self._connections.server.pre_shutdown()
        # Who does not read, or has not sent all, cannot keep us.
        for each in self._connections.server.connections:
            if each.transport:
                each.transport.abort()
        ending.cancel()


def site_of(
    place: Place,
    store: LogStore,
    *,
    reading: Reading,
    writer: Writer,
    counts: Counts,
) -> Site:
    """What the front of one log stands on."""
    charter = store.charter
    registry = Registry(store, lambda: writer.head)
    config, home = place.config, Home(place.folder, place.config)
    host, _ = parse_address(config.listen, "listen")
    return Site(
        charter=charter,
        config=config,
        keys=place.keys,
        admission=admission_of(config, charter, place.profiles, registry, read_clock),
        registry=registry,
        reading=reading,
        writer=writer,
        tokens=Tokens(place.folder, lambda: read_clock().wall_ms),
        budgets=place.budgets,
        memory=Memory(config.memory_bytes),
        counts=counts,
        lookup=Lookup(home.index, charter.genesis) if config.index else None,
        local=is_local(host),
        clock=stopwatch,
    )


async def serve(place: Place, end: socket.socket, ready: socket.socket) -> None:
    """Run a front end until it is told to stop, or the writer is gone."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    home, parent = Home(place.folder, place.config), os.getppid()
    with ExitStack() as parts:
        store = home.open_store(readonly=True)
        parts.callback(store.close)
        link = await Link.over(end, home.config)
        kept = Kept(place.folder, list(place.keys), store.charter.origin)
        link.signed = Signed(kept)
        site = site_of(
            place,
            store,
            reading=Reading(store, lambda: link.head),
            writer=link,
            counts=Counts(),
        )
        facing = Facing(site, place)
        hearing = asyncio.create_task(link.run())
        hearing.add_done_callback(lambda _: stopping.set())
        reporting = asyncio.create_task(_report(link, site))
        watching = asyncio.create_task(_orphaned(parent))
        watching.add_done_callback(lambda _: stopping.set())
        await facing.start()
        with suppress(OSError):
            ready.send(b"1")  # nobody waits for one that takes another's place
        await stopping.wait()
        await facing.stop()
        reporting.cancel()
        watching.cancel()
        link.report(list(site.counts.take()))
        await link.close()
        hearing.cancel()


async def _orphaned(parent: int) -> None:
    """Return when the supervisor is gone: it cannot tell us to stop any more."""
    while True:
        await asyncio.sleep(_REPORT_EVERY_S)
        if os.getppid() != parent:
            return


async def _report(link: Link, site: Site) -> None:
    counts = site.counts
    while True:
        await asyncio.sleep(_REPORT_EVERY_S)
        counts.set(MEMORY_HELD_BYTES, site.memory.used)
        counts.set(PROCESS_BYTES, own_bytes(), "front_end")
        link.report(list(counts.take()))
        link.give_up()
