"""The link of a front end to the writer; counterpart.py is its other end.

What a front end hands over in one turn of its loop goes in one frame and becomes
one order, so that the writer's work does not grow with the number of producers.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple, Self

from ledger.config import Config
from ledger.errors import Halted, Held, Refused, Unavailable
from ledger.http.writer import Told
from ledger.log.pool import Admitted, Answer
from ledger.publish.publishing import Published
from ledger.server.desk import Awaited, Signed, overdue, settle
from ledger.server.messages import (
    Answered,
    Facts,
    FromWriter,
    Handed,
    Made,
    NoMessage,
    Registering,
    Shown,
    error_of,
    frame,
    framed,
    head_of,
    parse_from_writer,
    published_of,
)
from ledger.store import Head
from verifier import cbor
from verifier.own import Own

_LOST: Final = "the writer has ended; it may or may not have been logged: ask again"


class Waiting(NamedTuple):
    """A submission that waits: what was admitted, who is told, and since when."""

    admitted: Sequence[Admitted]
    told: Told
    since: float


class Link:
    """A front end's end; see http.writer.Writer."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        config: Config,
    ) -> None:
        self.head = Head()
        self.checkpoint = b""
        self.hold: Held | None = None
        self.published: Published | None = None
        self.signed: Signed | None = None
        self._reader = reader
        self._writer = writer
        self._config = config
        self._awaited = Awaited()
        self._ready: list[Waiting] = []
        self._orders: dict[int, list[Waiting]] = {}
        self._number = 0
        self._lost = False
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def over(cls, end: socket.socket, config: Config) -> Self:
        """The link over one of a pair of sockets; returns when it knows the head."""
        link = cls(*await asyncio.open_unix_connection(sock=end), config)
        link._hear(parse_from_writer(await frame(link._reader)))
        return link

    async def hand_in(self, admitted: Sequence[Admitted]) -> Answer:
        """See Writer."""
        future: asyncio.Future[Answer] = self._loop.create_future()
        self.hand_over(admitted, partial(settle, future))
        return await future

    def hand_over(self, admitted: Sequence[Admitted], told: Told) -> None:
        """See Writer."""
        self._ready.append(Waiting(admitted, told, self._loop.time()))
        if len(self._ready) == 1:
            self._loop.call_soon(self._send_ready)

    async def register(self, own: Own) -> Answer:
        """See Writer."""
        if self._lost:
            raise _ending()
        future: asyncio.Future[Answer] = self._loop.create_future()
        told, since = partial(settle, future), self._loop.time()
        self._number += 1
        self._orders[self._number] = [Waiting((Admitted(None, b""),), told, since)]
        self._writer.write(framed(Registering(self._number, cbor.encode(own))))
        return await future

    async def until_published(self, size: int, *, witnessed: bool) -> Published:
        """See Writer."""
        return await self._awaited.until(size, self.published, witnessed=witnessed)

    def end_waiting(self) -> None:
        """See Writer."""
        self._awaited.end()

    def checkpoint_of(self, size: int) -> bytes | None:
        """See Writer."""
        if size == self.head.size and self.checkpoint:
            return self.checkpoint
        return self.signed.of_size(size) if self.signed else None

    def report(self, rows: list[object]) -> None:
        """Tell the writer what was counted."""
        if rows and not self._lost:
            self._writer.write(framed(Facts(rows)))

    def give_up(self) -> None:
        """Tell those who have waited too long. One timer for all costs nothing."""
        patience = self._config.answer_timeout_s
        since = self._loop.time() - patience
        for number, waiting in self._orders.items():
            if waiting and waiting[0].since < since:
                # Its answer may still come, and then there is nobody to be told.
                self._orders[number] = []
                _fail(waiting, overdue(patience))

    async def close(self) -> None:
        """Let the writer know that nothing more comes."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def run(self) -> None:
        """Hear what the writer says, until it ends."""
        try:
            while True:
                self._hear(parse_from_writer(await frame(self._reader)))
        except (OSError, EOFError, NoMessage) as error:
            self._lose(error)

    def _send_ready(self) -> None:
        """Send all that is ready, in as few orders as batches allow."""
        ready, self._ready = self._ready, []
        if self._lost:
            _fail(ready, _ending())
            return
        if self._writer.transport.get_write_buffer_size() > self._config.pool_bytes:
            says = "the writer does not read what was handed over before"
            _fail(ready, Unavailable("busy", says))
            return
        # More than that at once the log refuses, and it would refuse all of them.
        limits = self._config
        most = min(limits.batch_entries, limits.pool_entries)
        most_bytes = min(limits.batch_bytes, limits.pool_bytes)
        some: list[Waiting] = []
        entries = size_bytes = 0
        for each in ready:
            weight = sum([len(one.data) for one in each.admitted])
            entries, size_bytes = entries + len(each.admitted), size_bytes + weight
            if some and (entries > most or size_bytes > most_bytes):
                self._send(some)
                some, entries, size_bytes = [], len(each.admitted), weight
            some.append(each)
        self._send(some)

    def _send(self, waiting: list[Waiting]) -> None:
        self._number += 1
        self._orders[self._number] = waiting
        admitted = [one[:3] for each in waiting for one in each.admitted]
        self._writer.write(framed(Handed(self._number, admitted)))

    def _hear(self, message: FromWriter) -> None:
        match message:
            case Shown():
                self.head, self.checkpoint = head_of(message.head), message.checkpoint
                if self.signed and self.checkpoint:
                    self.signed.add(self.head.size, self.checkpoint)
                hold = message.hold
                self.hold = Held(hold[0], hold[1], mend=hold[2]) if hold else None
            case Made():
                self.published = published_of(message)
                self._awaited.tell(self.published)
            case Answered():
                self._answer(message)

    def _answer(self, message: Answered) -> None:
        waiting = self._orders.pop(message.order)
        if message.failed:
            _fail(waiting, error_of(message.failed))
            return
        head, start = head_of(message.head), 0
        repeated, refused = frozenset(message.repeated), message.refused
        for each in waiting:
            stop = start + len(each.admitted)
            answer = Answer(message.indexes[start:stop], head, message.checkpoint)
            if repeated or refused:
                here = range(start, stop)
                answer = answer._replace(
                    repeated=frozenset(at - start for at in here if at in repeated),
                    refused={
                        at - start: _refusal(refused[at])
                        for at in here
                        if at in refused
                    },
                )
            each.told(answer)
            start = stop

    def _lose(self, error: Exception) -> None:
        """Tell everyone the truth: nobody knows."""
        self._lost = True
        self.hold = Held("halted", "the writer has ended")
        halted = Halted(_LOST)
        halted.__cause__ = error
        for waiting in self._orders.values():
            _fail(waiting, halted)
        self._orders.clear()


def _ending() -> Unavailable:
    return Unavailable("writer", "the service is ending; nothing was logged")


def _refusal(wrong: tuple[str, str, str, float]) -> Refused | Unavailable:
    error = error_of(wrong)
    if not isinstance(error, Refused | Unavailable):
        return Unavailable("writer", str(error))
    return error


def _fail(waiting: list[Waiting], error: Exception) -> None:
    for each in waiting:
        each.told(error)
