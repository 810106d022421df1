"""The writer's end of a link: what a front end hands over, and what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Coroutine
from typing import Any, Final

from ledger.log.own import is_own
from ledger.log.pool import Admitted, Answer
from ledger.metrics.counts import Counts
from ledger.publish.publishing import Published
from ledger.server.desk import Desk
from ledger.server.messages import (
    Answered,
    Facts,
    FromFront,
    Handed,
    Made,
    NoMessage,
    Registering,
    Shown,
    frame,
    framed,
    made_of,
    parse_from_front,
    row_of,
    wrong_of,
)
from verifier import cbor
from verifier.errors import MalformedError
from verifier.own import Own

UNREAD_BYTES: Final = 64 << 20
"""What the writer keeps for a front end that stands still, before it gives it up."""


class Counterpart:
    """The writer's end of one link."""

    def __init__(self, desk: Desk, counts: Counts, source: str) -> None:
        self._desk = desk
        self._counts = counts
        self._source = source
        self._tasks: set[asyncio.Task[None]] = set()
        self._registering = asyncio.Lock()
        self._published: Published | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, end: socket.socket) -> None:
        """Serve one front end until it ends."""
        reader, self._writer = await asyncio.open_unix_connection(sock=end)
        self._desk.changed.append(self._show)
        try:
            self._show()
            while True:
                await self._hear(parse_from_front(await frame(reader)))
        except (OSError, EOFError, ValueError, NoMessage, MalformedError):
            return  # it has died, or lost its mind; the supervisor starts another
        finally:
            self._desk.changed.remove(self._show)
            self._counts.forget(self._source)
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def _hear(self, message: FromFront) -> None:
        match message:
            case Handed():
                admitted = [Admitted(*each) for each in message.admitted]
                kind = self._desk.log.charter.kind
                if any(is_own(each, kind) for each in admitted):
                    # What the log says of itself it says here, and in no front end.
                    raise ValueError("one of the log's own entries")
                self._begin(self._answer(message.order, self._desk.hand_in(admitted)))
            case Registering():
                own = cbor.decode(message.own, text_keys=True)
                if not isinstance(own, dict):
                    raise ValueError("no map")  # noqa: TRY004 - of who speaks to us
                self._begin(self._answer(message.order, self._register(own)))
            case Facts():
                self._counts.merge(message.rows, self._source)

    def _begin(self, answering: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(answering)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _register(self, own: Own) -> Answer:
        # One at a time: each takes a thread, and there are few for all of us.
        async with self._registering:
            return await self._desk.register(own)

    async def _answer(self, order: int, asked: Awaitable[Answer]) -> None:
        try:
            answer = await asked
        except Exception as error:  # noqa: BLE001 - it belongs to who waits there
            answered = Answered(
                order, row_of(self._desk.head), b"", [], [], {}, wrong_of(error)
            )
        else:
            answered = Answered(
                order,
                row_of(answer.head),
                answer.checkpoint,
                list(answer.indexes),
                sorted(answer.repeated),
                {at: wrong_of(error) for at, error in answer.refused.items()},
            )
        self._send(answered)

    def _show(self) -> None:
        """Tell of the newest head and checkpoint; always before what is about it."""
        desk = self._desk
        hold = (desk.hold.state, str(desk.hold), desk.hold.mend) if desk.hold else None
        self._send(Shown(row_of(desk.head), desk.checkpoint, hold))
        if (made := desk.published) and made is not self._published:
            self._published = made
            self._send(made_of(made))

    def _send(self, message: Shown | Made | Answered) -> None:
        if self._writer and not self._writer.is_closing():
            self._writer.write(framed(message))
            if self._writer.transport.get_write_buffer_size() > UNREAD_BYTES:
                self._writer.transport.abort()  # it does not read; nobody waits for it
