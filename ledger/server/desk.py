"""The desk: the log, open for writing, among tasks that may not block.

The sequencer has a thread of its own; here its answers come back into the event
loop, and everyone who shows the log to others is told of each new head before any
answer that is about it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from ledger.errors import Halted, Held
from ledger.http.writer import Told
from ledger.log.log import Log
from ledger.log.pool import Admitted, Answer, Order
from ledger.publish.kept import Kept
from ledger.publish.publishing import Proposal, Published, Publisher
from ledger.store import Head
from verifier.own import Own

REMEMBERED: Final = 4_096
"""How many signed checkpoints are remembered beside those that were published."""


def overdue(patience_s: int) -> Halted:
    """What is said of a submission to which there is no answer."""
    says = f"there was no answer in {patience_s} s"
    return Halted(f"it may or may not have been logged: {says}")


def settle(future: asyncio.Future[Answer], outcome: Answer | Exception) -> None:
    """Wake who waits for `future`, if he still does."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


class Signed:
    """The checkpoints that were signed for recent sizes."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._recent: OrderedDict[int, bytes] = OrderedDict()

    def add(self, size: int, checkpoint: bytes) -> None:
        """Remember one, and forget the oldest."""
        self._recent[size] = checkpoint
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def of_size(self, size: int) -> bytes | None:
        """The one for this size, if there was one and it is known."""
        return self._recent.get(size) or self._kept.of_size(size)


class Awaited:
    """Those who wait until something of a size is public."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[Published], tuple[int, bool]] = {}

    async def until(
        self, size: int, last: Published | None, *, witnessed: bool
    ) -> Published:
        """Return when `tell` was called with what is enough, or `last` is."""
        wanted = size, witnessed
        if last and _enough(last, wanted):
            return last
        future: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        self._waiting[future] = wanted
        try:
            return await future
        finally:
            self._waiting.pop(future, None)

    def end(self) -> None:
        """Wake all of them: nothing more is published that they could wait for."""
        for future in self._waiting:
            if not future.done():
                future.set_exception(TimeoutError())

    def tell(self, published: Published) -> None:
        """Wake those for whom it is enough."""
        for future, wanted in self._waiting.items():
            if _enough(published, wanted) and not future.done():
                future.set_result(published)


def _enough(published: Published, wanted: tuple[int, bool]) -> bool:
    size, witnessed = wanted
    return published.size >= size and (published.witnessed or not witnessed)


class Desk:
    """The writer for whoever is in the same process; see http.writer.Writer."""

    def __init__(
        self,
        log: Log,
        publisher: Publisher,
        signed: Signed,
        publish: Callable[[Proposal], Awaitable[Published]],
    ) -> None:
        self.log = log
        self.changed: list[Callable[[], None]] = []
        """Called when head, hold or what is published are other ones."""
        self._publisher = publisher
        self._publish = publish
        self._signed = signed
        self._awaited = Awaited()
        self._loop = asyncio.get_running_loop()
        self._settled: deque[tuple[Told, Order]] = deque()
        self._tasks: set[asyncio.Task[Answer]] = set()
        self._scheduled = False
        self._stopping = asyncio.Event()
        self.begun = asyncio.Event()
        """Set when it was tried once to publish."""
        self.head, self.checkpoint = self._newest()
        self.hold: Held | None = log.hold
        self.published: Published | None = None
        """The newest published checkpoint of what may be shown."""
        self._signed.add(self.head.size, self.checkpoint)
        self._look()

    async def hand_in(self, admitted: Sequence[Admitted]) -> Answer:
        """See Writer."""
        future: asyncio.Future[Answer] = self._loop.create_future()
        told = partial(settle, future)
        self.log.submit(admitted, told=lambda order: self._told(told, order))
        patience = self.log.home.config.answer_timeout_s
        try:
            async with asyncio.timeout(patience):
                return await future
        except TimeoutError:
            raise overdue(patience) from None

    def hand_over(self, admitted: Sequence[Admitted], told: Told) -> None:
        """See Writer."""
        task = self._loop.create_task(self.hand_in(admitted))
        self._tasks.add(task)

        def end(done: asyncio.Task[Answer]) -> None:
            self._tasks.discard(done)
            if not done.cancelled():
                told(done.exception() or done.result())  # type: ignore[arg-type]

        task.add_done_callback(end)

    async def register(self, own: Own) -> Answer:
        """See Writer."""
        answer = await asyncio.to_thread(self.log.register, own)
        self._come_to(answer.head, answer.checkpoint)
        return answer

    async def until_published(self, size: int, *, witnessed: bool) -> Published:
        """See Writer."""
        return await self._awaited.until(size, self.published, witnessed=witnessed)

    def end_waiting(self) -> None:
        """See Writer."""
        self._awaited.end()

    def checkpoint_of(self, size: int) -> bytes | None:
        """See Writer."""
        return self._signed.of_size(size)

    async def publish(self) -> None:
        """Publish again and again, until `stop`."""
        interval = self.log.home.config.publish_interval_ms / 1000
        while True:
            # What came before a stop is published after it, once.
            ending = self._stopping.is_set()
            # From beginning to beginning: how long it takes does not add up.
            until = self._loop.time() + interval
            await self.publish_once()
            self.begun.set()
            if ending:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._stopping.wait()

    async def publish_once(self) -> None:
        """Close the gap between what is durable and what is public."""
        # Signing waits for the anchor when a batch is just being written.
        proposal = await asyncio.to_thread(self._publisher.propose)
        if proposal:
            try:
                self._publisher.made(await self._publish(proposal))
            except Exception as error:  # noqa: BLE001 - it is tried again, whatever it is
                self._publisher.failed(error)
        self._answer()

    def stop(self) -> None:
        """End `publish`."""
        self._stopping.set()

    def _told(self, told: Told, order: Order) -> None:
        """In the sequencer's thread: hand `order` over, once for all that wait."""
        self._settled.append((told, order))
        # Set before the loop looks, and reset before it takes: none is left lying.
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        """Give everyone the answer that is there, and look at what is new besides."""
        self._scheduled = False
        while self._settled:
            told, order = self._settled.popleft()
            try:
                answer = order.wait(0)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs
                told(error)
                continue
            # More are settled while we are here: each brings the head it is about.
            self._come_to(answer.head, answer.checkpoint)
            told(answer)
        self._look()

    def _look(self) -> None:
        """See how far the log has come, and tell if it is another state."""
        if self.log.head != self.head:
            self._come_to(*self._newest())
        hold, made = self.log.hold, self._publisher.last
        # What is anchored can be published a moment before it may be shown.
        if made and made.size > self.head.size:
            made = self.published
        if hold is self.hold and made == self.published:
            return
        self.hold, self.published = hold, made
        self._tell()
        if made:
            self._awaited.tell(made)

    def _come_to(self, head: Head, checkpoint: bytes) -> None:
        """Show a head, if it is newer. Of each one all are told, in their order."""
        self._signed.add(head.size, checkpoint)
        if head.batch > self.head.batch:
            self.head, self.checkpoint = head, checkpoint
            self._tell()

    def _newest(self) -> tuple[Head, bytes]:
        """The log's head and the checkpoint of it, though it may go on meanwhile."""
        while True:
            head = self.log.head
            try:
                checkpoint = self.log.checkpoint()
            except Held:
                checkpoint = b""  # it cannot be signed; nothing newer is answered
            if self.log.head == head:
                return head, checkpoint

    def _tell(self) -> None:
        for each in self.changed:
            each()
