"""The writer's end of the link to the process that publishes.

Where nobody outside is asked or told, there is no such process, and publishing is
done in a thread of this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Final

from ledger.errors import Unavailable
from ledger.metrics.counts import Counts
from ledger.publish.publishing import Proposal, Published
from ledger.server.messages import (
    Facts,
    FromPublisher,
    Made,
    NoMessage,
    NotMade,
    Proposed,
    error_of,
    frame,
    framed,
    parse_from_publisher,
    published_of,
)
from verifier.checkpoint import Checkpoint
from verifier.errors import MalformedError
from verifier.note import Note

_SOURCE: Final = "publisher"


class Outlet:
    """Hands proposals over, one at a time, and hears what has become of them."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._writer: asyncio.StreamWriter | None = None
        self._asked: asyncio.Future[Published] | None = None
        self._task: asyncio.Task[None] | None = None
        self._there = asyncio.Event()
        """Set while there is a process to publish, and when none will come."""

    @property
    def attached(self) -> bool:
        """Whether there was a process to publish before."""
        return self._task is not None

    def attach(self, end: socket.socket) -> None:
        """Take the end of a link to a process that has just begun."""
        if self._task:
            self._task.cancel()
        self._task = asyncio.create_task(self._hear(end))

    async def publish(self, proposal: Proposal) -> Published:
        """Have it published; raises what keeps it from being public."""
        await self._there.wait()
        if not self._writer:
            raise Unavailable("publisher", "the service ends")
        self._asked = asyncio.get_running_loop().create_future()
        message = Proposed(proposal.note, proposal.time, proposal.at_ms)
        self._writer.write(framed(message))
        try:
            made = await self._asked
        finally:
            self._asked = None
        # It parses what strangers answer, and so is believed no more than they are.
        if not _is_about(made, proposal):
            says = "the process that publishes speaks of another tree than it was given"
            raise Unavailable("publisher", says)
        return made

    def close(self) -> None:
        """Let it end, and wait for nothing from it."""
        if self._task:
            self._task.cancel()
        self._lose()
        self._there.set()

    async def _hear(self, end: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=end)
        self._writer = writer
        self._there.set()
        try:
            while True:
                self._take(parse_from_publisher(await frame(reader)))
        except (OSError, EOFError, ValueError, NoMessage):
            return  # it has died, or lost its mind; the supervisor starts another
        finally:
            writer.close()
            if self._writer is writer:
                self._lose()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _take(self, message: FromPublisher) -> None:
        asked = self._asked
        match message:
            case Facts():
                self._counts.merge(message.rows, _SOURCE)
            case Made() if asked and not asked.done():
                asked.set_result(published_of(message))
            case NotMade() if asked and not asked.done():
                asked.set_exception(error_of(message.wrong))

    def _lose(self) -> None:
        self._writer = None
        self._there.clear()
        self._counts.forget(_SOURCE)
        if self._asked and not self._asked.done():
            says = "the process that publishes has ended before it was done"
            self._asked.set_exception(Unavailable("publisher", says))


def _is_about(made: Published, proposal: Proposal) -> bool:
    """Whether what is said to be public is the tree that was proposed."""
    try:
        texts = {Note.parse(each).text for each in (made.note, made.plain)}
    except MalformedError:
        return False
    proposed = Note.parse(proposal.note).text
    return texts == {proposed} and made.size == Checkpoint.parse(proposed).size
