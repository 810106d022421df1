"""Connections: at most so many, from one address and in all, and none for ever.

aiohttp ends those on which no request has come to an end for a while. Beyond the
cap a connection is told so and closed: one that waits in a queue learns nothing.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from ledger.http.entrance import network_of
from ledger.http.front import Front
from ledger.http.problems import BUSY, FORM, Problem
from ledger.metrics import CONNECTIONS
from ledger.metrics.counts import Counts

_FULL: Final = Problem(
    BUSY, "too many connections", check="connections", retry_after_s=1
)
_LONG: Final = Problem(
    FORM, "the head of a request is longer than any is", check="http"
)
SILENT: Final = logging.getLogger("provlog-http")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
"""What aiohttp says would have parts of requests in it; ours are in ledger.events."""
MAX_LINE_BYTES: Final = 8_190
MAX_HEADER_BYTES: Final = 8_190
MAX_HEAD_BYTES: Final = 1 << 15
"""All of a head; one that comes in one piece is not held up by its length."""
_BUFFER_BYTES: Final = 1 << 16
"""How much of a body is read before somebody wants it."""
_OWN_FILES: Final = 64
"""How many files, and sockets of ours, a front end has open beside connections."""


class Connections:
    """Makes the protocol of each new connection: for a loop's `create_server`."""

    def __init__(
        self,
        front: Front,
        counts: Counts,
        *,
        most: int,
        most_of_one: int,
        idle_s: int,
    ) -> None:
        self.open = 0
        self.of_one: Counter[str] = Counter()
        self.most = _openable(most)
        self.most_of_one = most_of_one
        self.shaking: Counter[str] = Counter()
        """The addresses of those whose TLS handshake is under way."""
        self.idle_s = idle_s
        self.counts = counts
        self.server = _Server(
            front.handle,
            access_log=None,
            logger=SILENT,
            keepalive_timeout=idle_s,
            lingering_time=1,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=64,
            read_bufsize=_BUFFER_BYTES,
            auto_decompress=False,
        )
        self.server.connections_of = self

    def came(self, address: str) -> bool:
        """Count one, if there is room for it."""
        if self.open >= self.most or self.of_one[address] >= self.most_of_one:
            return False
        self.open += 1
        self.of_one[address] += 1
        self.counts.set(CONNECTIONS, self.open)
        return True

    def begins(self, address: str) -> bool:
        """Count one whose handshake begins, if there would be room for it."""
        under_way = self.open + self.shaking.total()
        of_one = self.of_one[address] + self.shaking[address]
        if under_way >= self.most or of_one >= self.most_of_one:
            return False
        self.shaking[address] += 1
        return True

    def ends(self, address: str) -> None:
        """Its handshake has ended, well or not."""
        self.shaking[address] -= 1
        if not self.shaking[address]:
            del self.shaking[address]

    def went(self, address: str) -> None:
        """One that was counted has gone."""
        self.open -= 1
        self.of_one[address] -= 1
        if not self.of_one[address]:
            del self.of_one[address]
        self.counts.set(CONNECTIONS, self.open)


class _Server(web.Server):
    """aiohttp's, whose connections are counted."""

    connections_of: Connections

    def __call__(self) -> web.RequestHandler:
        """A protocol for one connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """One connection, from its beginning to its end."""

    __slots__ = ("_address", "_connections", "_counted", "_head_bytes")

    def __init__(self, server: _Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._connections = server.connections_of
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
        """Take what came, as long as a head does not grow beyond all heads.

        aiohttp has a bound for each header only: a thousand connections that send
        all of theirs, and never the empty line, would be a gigabyte.
        """
        super().data_received(data)
        waits = self._waiter is not None and not self._waiter.done()
        head = waits or not self._request_count
        self._head_bytes = self._head_bytes + len(data) if head else 0
        if self._head_bytes > MAX_HEAD_BYTES:
            self._turn_away(_LONG)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone, for whatever reason."""
        if self._counted:
            self._counted = False
            self._connections.went(self._address)
        super().connection_lost(exc)

    def _turn_away(self, problem: Problem) -> None:
        if self.transport:
            self.transport.write(_raw(problem))
        self.force_close()

    def handle_error(self, *_: Any, **__: Any) -> web.StreamResponse:
        """What could not be read as HTTP is a problem as well, and names nothing."""
        says = "this is not HTTP/1.1 as it has to be"
        problem = Problem(FORM, says, check="http", headers={"Connection": "close"})
        response = problem.response()
        response.force_close()
        return response


def _openable(most: int) -> int:
    """How many connections there can be; the limit of open files is raised for them.

    Above that limit the kernel would refuse them without a word.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _OWN_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return most
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(most, soft - _OWN_FILES))


def _raw(problem: Problem) -> bytes:
    """A problem as bytes, for whom no request is read."""
    response = problem.response()
    body = response.body
    assert isinstance(body, bytes)  # noqa: S101 - every problem is text
    phrase = HTTPStatus(problem.kind.status).phrase
    headers = "".join(
        f"{name}: {value}\r\n" for name, value in response.headers.items()
    )
    head = (
        f"HTTP/1.1 {problem.kind.status} {phrase}\r\n{headers}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
