"""The writer's process: the log, its publisher, its links, and its health."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from ledger.clock import read_clock, stopwatch
from ledger.errors import Held, Refused, Unavailable
from ledger.events import MEASURE_FAILED, RULES_LEFT_OUT, emit
from ledger.http.operations import Health, operations_server
from ledger.http.problems import KINDS
from ledger.http.serving import Serving
from ledger.index.lookup import Lookup
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.log.room import check_room
from ledger.metrics import (
    BATCH_ENTRIES,
    BATCHES,
    BATCHES_REFUSED,
    CHECKPOINTS_SIGNED,
    COMMIT_SECONDS,
    DISK_FLOOR_BYTES,
    DISK_FREE_BYTES,
    FRONT_END_RESTARTS,
    FRONT_ENDS,
    HEAD_SIZE,
    HELD,
    INDEX_COVERED,
    MEASURES_FAILED,
    MEMORY_HELD_BYTES,
    POOL_BYTES,
    POOL_ENTRIES,
    POOL_LIMIT_ENTRIES,
    PROCESS_BYTES,
    PUBLISH_AGE_SECONDS,
    PUBLISHED_SIZE,
    PUBLISHER_RESTARTS,
    REFUSALS,
    SCRUB_AGE_SECONDS,
    SCRUB_FOUND,
    SCRUB_POSITION,
    SCRUB_ROUNDS,
    START_TIME_SECONDS,
    STORE_LIMIT_BYTES,
    STORE_USED_BYTES,
)
from ledger.metrics.counts import Counts
from ledger.publish.publishing import Publisher
from ledger.server.counterpart import Counterpart
from ledger.server.desk import Desk, Signed
from ledger.server.outlet import Outlet
from ledger.server.outside import Inside, goes_outside, kept_of
from ledger.server.processes import own_bytes
from ledger.store import Usage
from ledger.upkeep.meaning import missing_rules

FIRST: Final = b"+"
AGAIN: Final = b"!"
"""With what the supervisor brings the link of a front end: a new one, another one."""
PUBLISHER: Final = b"p"
"""With what it brings that of the process that publishes."""
FRONTS_SHARE: Final = 0.9
"""How much of `stop_s` the front ends have; they need less, and the writer little."""
_LOOK_EVERY_S: Final = 1.0
_FIRST_S: Final = 1.0
_LAST_S: Final = 0.5
"""How long a start and a stop wait until the newest tree is public."""
_NO_FRONT: Final = "no front end takes requests just now"


class Writing:
    """The log, open, with all that goes on around it.

    `outlet` makes public what is proposed.
    """

    def __init__(self, log: Log, counts: Counts, outlet: Outlet | Inside) -> None:
        kept = kept_of(log.home, log.charter.origin, log.keys)
        policy = log.home.whom_to_believe()
        asks = policy.asks_witnesses and any(x.url for x in policy.witnesses.values())
        self.log = log
        self.counts = counts
        self.publisher = Publisher(log, kept, read_clock, asks=asks)
        self.desk = Desk(log, self.publisher, Signed(kept), outlet.publish)
        self._outlet = outlet
        self.front_ends: Callable[[], int] = lambda: 0
        self.held_bytes: Callable[[], int] | None = None
        """What a front end in this process holds; others report it themselves."""
        self._scrubber = log.scrub()
        index, genesis = log.home.index, log.charter.genesis
        self._lookup = Lookup(index, genesis) if log.home.config.index else None
        self._serving = Serving(operations_server(self.health, counts))
        self._publishing: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._full: Held | None = None
        self._signed = self._refused = 0
        self._state = ""
        self._ruled = False
        """Whether all rules for records stand in the log, as far as they can."""
        self._left_out: set[bytes | None] = set()
        counts.set(START_TIME_SECONDS, read_clock().wall_ms / 1000)
        counts.set(DISK_FLOOR_BYTES, log.home.config.min_free_bytes)
        counts.set(POOL_LIMIT_ENTRIES, log.home.config.pool_entries)
        for kind in KINDS:
            # Else the first refusal of a kind is no rise that an alert could see.
            counts.add(REFUSALS, 0, kind.name)

    async def start(self, operations: socket.socket) -> None:
        """Begin to publish, to look, and to answer those who watch."""
        self._full = _full(self.log.usage(), self.log.home)
        self._enter_rules()
        self._publishing = asyncio.create_task(self.desk.publish())
        if isinstance(self._outlet, Inside):
            # So that there is a checkpoint from the first moment, if that can be.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_S):
                    await self.desk.begun.wait()
        self._measuring = asyncio.create_task(self._measure())
        await self._serving.start(operations)

    async def stop(self) -> None:
        """Finish what waits, and answer everyone who asked in this process."""
        self.desk.stop()
        if self._measuring:
            self._measuring.cancel()
        if self._publishing:
            # What was answered last is published, too, if that does not take long.
            await asyncio.wait([self._publishing], timeout=_LAST_S)
            self._outlet.close()
            # Not cancelled: what it keeps just now it keeps under the log's lock.
            await asyncio.wait([self._publishing])
        # It waits for a batch that is being written; the loop hands out its answers.
        await asyncio.to_thread(self.log.close)
        await self._serving.stop()

    def health(self) -> Health:
        """How it is, for those who watch."""
        hold, front_ends = self.hold, self.front_ends()
        return Health(
            ready=not hold and front_ends > 0,
            state=hold.state if hold else "writes",
            says=str(hold) if hold else "" if front_ends else _NO_FRONT,
            mend=hold.mend if hold else "",
            size=self.desk.head.size,
            front_ends=front_ends,
        )

    @property
    def hold(self) -> Held | None:
        """Why nothing is written, or would be if somebody came."""
        return self.log.hold or self._full

    def _enter_rules(self) -> None:
        """Enter what records are judged by, before any; until it is there."""
        if self._ruled or self.hold:
            return
        missing = [
            each
            for each in missing_rules(self.log)
            if each.identity not in self._left_out
        ]
        # Where a hold has just begun there is nothing missing, and nothing there.
        self._ruled = not missing and not self.hold
        for each in missing:
            try:
                self.log.submit([each])
            except Refused as error:
                self._left_out.add(each.identity)
                emit(RULES_LEFT_OUT, error=error)
            except (Held, Unavailable):
                pass  # it is tried again, as long as the log is served

    async def _measure(self) -> None:
        failing = False
        while True:
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - what is watched goes on
                self.counts.add(MEASURES_FAILED)
                if not failing:
                    emit(MEASURE_FAILED, error=type(error).__name__)
                failing = True
            else:
                failing = False
            await asyncio.sleep(_LOOK_EVERY_S)

    def _look(self) -> None:
        counts, log, published = self.counts, self.log, self.desk.published
        entries, bytes_ = log.waiting
        usage = log.usage()
        self._full = _full(usage, log.home)
        self._enter_rules()
        counts.set(POOL_ENTRIES, entries)
        counts.set(POOL_BYTES, bytes_)
        counts.set(HEAD_SIZE, self.desk.head.size)
        counts.set(FRONT_ENDS, self.front_ends())
        counts.set(PROCESS_BYTES, own_bytes(), "writer")
        if self.held_bytes:
            counts.set(MEMORY_HELD_BYTES, self.held_bytes())
        if isinstance(self._outlet, Inside):
            self._outlet.count()
        if self._lookup:
            counts.set(INDEX_COVERED, self._lookup.covered)
        counts.set(STORE_USED_BYTES, usage.used_bytes)
        counts.set(STORE_LIMIT_BYTES, usage.limit_bytes)
        counts.set(DISK_FREE_BYTES, usage.free_bytes)
        if published:
            counts.set(PUBLISHED_SIZE, published.size)
            age_ms = read_clock().wall_ms - published.at_ms
            counts.set(PUBLISH_AGE_SECONDS, max(0.0, age_ms / 1000))
        self._count_scrubbing()
        self._count_batches()
        self._count_hold()

    def _count_scrubbing(self) -> None:
        counts, scrubber = self.counts, self._scrubber
        counts.set(SCRUB_POSITION, scrubber.position)
        counts.set(SCRUB_ROUNDS, scrubber.rounds)
        counts.set(SCRUB_FOUND, len(scrubber.found))
        if self.log.home.config.scrub_entries_per_s:
            counts.set(SCRUB_AGE_SECONDS, stopwatch() - scrubber.whole_at_s)

    def _count_batches(self) -> None:
        counts, log = self.counts, self.log
        for entries, seconds in log.committed():
            counts.add(BATCHES)
            counts.observe(BATCH_ENTRIES, entries)
            counts.observe(COMMIT_SECONDS, seconds)
        counts.add(CHECKPOINTS_SIGNED, log.signed - self._signed)
        counts.add(BATCHES_REFUSED, log.refused_batches - self._refused)
        self._signed, self._refused = log.signed, log.refused_batches

    def _count_hold(self) -> None:
        state = self.hold.state if self.hold else ""
        if self._state and self._state != state:
            self.counts.set(HELD, 0, self._state)
        if state:
            self.counts.set(HELD, 1, state)
        self._state = state


def _full(usage: Usage, home: Home) -> Held | None:
    """Why there is no room, if there is none: the log finds it out by refusing."""
    try:
        check_room(usage, home.config, home.folder)
    except Held as hold:
        return hold
    return None


class Links:
    """The links to front ends, as the supervisor brings them."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, end: socket.socket) -> None:
        """Serve one more front end."""
        self._number += 1
        counterpart = Counterpart(
            self._writing.desk, self._writing.counts, f"front end {self._number}"
        )
        task = asyncio.create_task(counterpart.serve(end))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def gone(self) -> None:
        """Return when all of them have ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def write(
    folder: Path,
    *,
    without: Collection[str],
    operations: socket.socket,
    control: socket.socket,
    ready: Callable[[Log, Held | None], None],
) -> None:
    """Run the writer until the supervisor says stop, or is gone."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    with Log.open(folder, without=without) as log:
        counts, policy = Counts(), log.home.whom_to_believe()
        outlet: Outlet | Inside = (
            Outlet(counts)
            if goes_outside(log.home.config, policy)
            else Inside(log.home, log.store, log.keys, counts)
        )
        writing = Writing(log, counts, outlet)
        links = Links(writing)
        writing.front_ends = lambda: len(links)
        await writing.start(operations)

        def bring() -> None:
            """Take what the supervisor sends: the end of a link, or its own end."""
            try:
                data, ends, _, _ = socket.recv_fds(control, 1, 1)
            except BlockingIOError:
                return
            except OSError:
                data, ends = b"", []
            if data == AGAIN:
                writing.counts.add(FRONT_END_RESTARTS)
            for each in ends:
                end = socket.socket(fileno=each)
                if data == PUBLISHER and isinstance(outlet, Outlet):
                    if outlet.attached:
                        counts.add(PUBLISHER_RESTARTS)
                    writing.publisher.begin_again()
                    outlet.attach(end)
                else:
                    links.add(end)
            if not data:
                loop.remove_reader(control)
                stopping.set()

        control.settimeout(0)
        loop.add_reader(control, bring)
        ready(log, writing.hold)
        await stopping.wait()
        # Front ends were told first or at once, and have to answer everyone.
        with suppress(TimeoutError):
            async with asyncio.timeout(FRONTS_SHARE * log.home.config.stop_s):
                await links.gone()
        await writing.stop()
