"""A small HTTP server: a few paths, short bodies, plain answers.

A witness, an anchor and a mirror are asked by few, and by programs. What answers
them knows nothing of HTTP but method, path, headers and body; here are the limits
that keep a stranger from using up the machine: of bytes, of time, of connections.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from ledger.config import Config
from ledger.events import REQUEST_FAILED, emit
from ledger.http.bodies import check_head, invite, read
from ledger.http.connections import SILENT
from ledger.http.entrance import network_of
from ledger.http.listening import address_text, listen
from ledger.http.problems import Problem
from ledger.http.serving import Serving

PATIENCE_S: Final = 10.0
"""How long a body may take; a connection that asks nothing stays for twice that."""
_HEADERS: Final = 48
_HEADER_BYTES: Final = 4_096
"""A head that never ends is held for each connection: 200 kB of it, and no more."""
_END_S: Final = 5.0
"""How long answers may take when somebody wants an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What somebody asks; HEAD is a GET, whose answer has no body."""

    method: str
    path: str
    """As it was sent, its query included: nothing is decoded, joined or left out."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Asking], Awaitable[Reply]]


def small_server(
    answer: Answer,
    *,
    most_body: int,
    patience_s: float = PATIENCE_S,
    connections: int = 256,
) -> web.Server:
    """What answers on each connection, within a running loop.

    A body has `patience_s` to come, a request with its answer twice that, and so has
    the next one on a connection that is kept.
    """

    async def handle(request: web.BaseRequest) -> web.Response:
        try:
            check_head(request, most_body)
            await invite(request)
            body = await read(request, most=most_body, within_s=patience_s)
        except Problem as problem:
            return _refused(problem)
        asking = Asking(
            method="GET" if request.method == "HEAD" else request.method,
            path=request.raw_path,
            headers=request.headers,
            body=body,
        )
        try:
            return _response(await answer(asking))
        except Exception as error:  # noqa: BLE001 - every fault has an answer
            return _failed(error)

    server = _Server(
        handle,
        access_log=None,
        logger=SILENT,
        keepalive_timeout=2 * patience_s,
        lingering_time=1,
        max_line_size=_HEADER_BYTES,
        max_field_size=_HEADER_BYTES,
        max_headers=_HEADERS,
        auto_decompress=False,
    )
    server.most, server.request_s = connections, 2 * patience_s
    return server


def run_small(
    server_of: Callable[[], web.Server],
    listen_at: str,
    *,
    started: Callable[[str], None],
) -> None:
    """Serve at `listen_at` until somebody wants an end; Held if that cannot be."""
    asyncio.run(_run(server_of, listen_at, started))


async def _run(
    server_of: Callable[[], web.Server], listen_at: str, started: Callable[[str], None]
) -> None:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, end.set)
    [listening] = listen(listen_at, "--listen", 1, round(2 * PATIENCE_S))
    serving = Serving(server_of(), _END_S)
    try:
        await serving.start(listening)
        started(address_text(listening, Config()))
        await end.wait()
    finally:
        await serving.stop()
        listening.close()


class _Server(web.Server):
    """Of at most so many connections; which one has to go is decided by what it does.

    The newest stays: a crowd that does nothing keeps nobody out. Of whoever has the
    most connections one goes that has asked nothing yet, or nothing any more.
    """

    most: int
    request_s: float

    def __call__(self) -> web.RequestHandler:
        """A protocol for one connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(
        self, handler: web.RequestHandler, transport: asyncio.Transport
    ) -> None:
        """Take it, and let another go if there are too many."""
        others = [
            each
            for each in self.connections
            if isinstance(each, _Connection) and each.wire
        ]
        if len(others) >= self.most:
            crowd = Counter(each.address for each in others)
            goes = min(others, key=lambda each: (-crowd[each.address], each.busy))
            goes.abort()
        super().connection_made(handler, transport)


class _Connection(web.RequestHandler):
    """One connection, whose requests have an end."""

    __slots__ = ("_end", "_server", "address", "busy", "wire")

    def __init__(self, server: _Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._end: asyncio.TimerHandle | None = None
        self.address = ""
        self.busy = False
        self.wire: asyncio.BaseTransport | None = None
        """As long as it is there: aiohttp forgets a transport that it has closed, and
        which may still wait for a peer that reads nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It has as long as a request, to begin one."""
        self.wire = transport
        peer = transport.get_extra_info("peername")
        self.address = network_of(str(peer[0])) if peer else ""
        super().connection_made(transport)
        self._ends_in(self._server.request_s)

    def data_received(self, data: bytes) -> None:
        """The first bytes of a request: it has its time from now on."""
        if not self.busy:
            self.busy = True
            self._ends_in(self._server.request_s)
        super().data_received(data)

    async def finish_response(
        self, *arguments: Any, **options: Any
    ) -> tuple[web.StreamResponse, bool]:
        """The answer has gone, and there is time until the next request."""
        finished = await super().finish_response(*arguments, **options)
        self.busy = False
        # No longer: half a head may have come behind this request, and aiohttp does
        # not tell. Who has asked once would hold it for as long as nothing else comes.
        self._ends_in(self._server.request_s)
        return finished

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone, for whatever reason."""
        if self._end:
            self._end.cancel()
        self._end = self.wire = None
        super().connection_lost(exc)

    def abort(self) -> None:
        """End it now, whatever it does or waits for."""
        if isinstance(self.wire, asyncio.Transport):
            self.wire.abort()

    def handle_error(self, *_: Any, **__: Any) -> web.StreamResponse:
        """What could not be read as HTTP; nothing of it is said again."""
        says = b"this is not HTTP/1.1 as it has to be\n"
        answer = _response(Reply(status=400, body=says))
        answer.force_close()
        return answer

    def _ends_in(self, seconds: float) -> None:
        if self._end:
            self._end.cancel()
        if self.wire:
            self._end = self._loop.call_later(seconds, self.abort)


def _response(reply: Reply) -> web.Response:
    headers = {
        "Content-Type": reply.content_type,
        "Server": "provlog",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        **reply.headers,
    }
    return web.Response(status=reply.status, body=reply.body, headers=headers)


def _refused(problem: Problem) -> web.Response:
    """What is said of a body that is not read to its end; the connection ends, too."""
    says = f"{problem}\n".encode()
    answer = _response(Reply(status=problem.kind.status, body=says))
    answer.force_close()
    return answer


def _failed(error: Exception) -> web.Response:
    id_ = secrets.token_hex(8)
    where = traceback.extract_tb(error.__traceback__)[-1]
    emit(
        REQUEST_FAILED,
        id=id_,
        route="small",
        fault=type(error).__name__,
        line=f"{where.name}:{where.lineno}",
    )
    return _response(Reply(status=500, body=f"a fault of ours, id {id_}\n".encode()))
