"""One connection, from its beginning to its end.

What can take the express lane does, one request at a time. The first that cannot goes
to aiohttp, and with it all that come later on this connection: where in a stream of
bytes aiohttp's parser stands is not to be seen from outside.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from ledger.http.answering import encode, http_date
from ledger.http.entrance import network_of
from ledger.http.express import MORE
from ledger.http.problems import BUSY, FORM, Problem

if TYPE_CHECKING:
    from ledger.http.connections import Server

_FULL: Final = Problem(
    BUSY, "too many connections", check="connections", retry_after_s=1
)
_LONG: Final = Problem(
    FORM, "the head of a request is longer than any is", check="http"
)
_QUEUED: Final = 2
"""With how many requests behind the one that is answered nothing more is read."""
_PATIENCE_S: Final = 0.05
"""How long a body is waited for on the express lane: many send it behind the head."""
MAX_HEAD_BYTES: Final = 1 << 15
"""All of a head; one that comes in one piece is not held up by its length."""


class Connection(web.RequestHandler):
    """One connection, counted among all."""

    __slots__ = (
        "_address",
        "_connections",
        "_counted",
        "_express",
        "_head_bytes",
        "_kept",
        "_patience",
        "_waits",
    )

    def __init__(self, server: Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._connections = server.connections_of
        self._express = self._connections.express
        self._waits = False
        """Whether an answer is under way on the express lane."""
        self._kept = b""
        """What has come behind it, or a head whose body has not come yet."""
        self._patience: asyncio.TimerHandle | None = None
        # Behind a request that is answered aiohttp holds 32 more, with their bodies.
        self._max_msg_queue_size, self._msg_queue_resume_size = _QUEUED, 0
        self._address = ""
        self._counted = False
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, or tell it that there is no room."""
        peer = transport.get_extra_info("peername")
        self._address = network_of(str(peer[0])) if peer else ""
        self._counted = self._connections.came(self._address)
        super().connection_made(transport)
        if not self._counted:
            self._turn_away(_FULL)

    def data_received(self, data: bytes) -> None:
        """Take what came, the short way or the long one."""
        if self._waits:
            # Nobody reads on meanwhile, so that this is the last piece.
            self._kept += data
            self._pause_transport_reading()
            return
        if self._kept:
            data, self._kept = self._kept + data, b""
        taken = self._takes(data)
        if taken == MORE:
            self._kept = data
            if self._patience is None:
                self._patience = self._loop.call_later(_PATIENCE_S, self._impatient)
            return
        self._patient()
        if not taken:
            self._express = None
            self._read(data)
        elif taken < len(data):
            self.data_received(data[taken:])

    def _takes(self, data: bytes) -> int:
        """Of how many bytes a request was that takes the express lane; 0, or MORE."""
        if self._express is None or self._paused or self._force_close or self._close:
            return 0
        taken = self._express.begin(data, self._address or "unknown", self._told)
        self._waits = taken > 0
        return taken

    def _patient(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def hasten(self) -> None:
        """Let aiohttp have what has begun to come, so that its end is waited for."""
        if self._patience:
            self._patient()
            self._impatient()

    def _impatient(self) -> None:
        """Leave a body that does not come to who has patience, and counts it."""
        data, self._kept, self._express = self._kept, b"", None
        self._patience = None
        self._read(data)

    def _told(self, answer: bytes, closes: bool) -> None:  # noqa: FBT001 - of Told
        """Send the answer; who is told something does not go on in the same breath."""
        if self._kept:
            self._loop.call_soon(self._go_on)
        else:
            self._waits = False
        self._next_keepalive_close_time = self._loop.time() + self.keepalive_timeout
        if self.transport is not None:
            self.transport.write(answer)
        if closes:
            self.force_close()

    def _go_on(self) -> None:
        """Take what has come behind a request that has its answer."""
        data, self._kept = self._kept, b""
        self._waits = False
        self._resume_transport_reading()
        self.data_received(data)

    def _read(self, data: bytes) -> None:
        """Have aiohttp read it, as long as a head does not grow beyond all heads.

        aiohttp has a bound for each header only: a thousand connections that send
        all of theirs, and never the empty line, would be a gigabyte.
        """
        super().data_received(data)
        waits = self._waiter is not None and not self._waiter.done()
        head = waits or not self._request_count
        self._head_bytes = self._head_bytes + len(data) if head else 0
        if self._head_bytes > MAX_HEAD_BYTES:
            self._turn_away(_LONG)

    def _process_keepalive(self) -> None:
        """End it where nothing happens; what is on the express lane does happen."""
        if self._waits or self._patience:
            idle_s, look = self.keepalive_timeout, self._process_keepalive
            self._keepalive_handle = self._loop.call_later(idle_s, look)
        else:
            super()._process_keepalive()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone, for whatever reason."""
        if self._counted:
            self._counted = False
            self._connections.went(self._address)
        self._patient()
        super().connection_lost(exc)
        # A request that is under way keeps this object; nobody asks for the others.
        self._messages.clear()

    def _turn_away(self, problem: Problem) -> None:
        if self.transport:
            response = problem.response()
            response.force_close()
            self.transport.write(encode(response, http_date()))
        self.force_close()

    def handle_error(self, *_: Any, **__: Any) -> web.StreamResponse:
        """What could not be read as HTTP is a problem as well, and names nothing."""
        says = "this is not HTTP/1.1 as it has to be"
        problem = Problem(FORM, says, check="http", headers={"Connection": "close"})
        response = problem.response()
        response.force_close()
        return response
