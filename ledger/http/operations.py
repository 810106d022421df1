"""The listener for those who run the log: does it work, does it write, what it counts.

It has an address of its own, so that no producer reaches it, and no flood of theirs
keeps a probe out. Nothing here changes anything, and of a request nothing is read
but its head. One request to a connection: probes come seldom, and a connection that
stays open would have to be watched.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from ledger.events import REQUEST_FAILED, emit
from ledger.http.problems import FORM, INTERNAL, METHOD, NOT_FOUND, Problem
from ledger.metrics.counts import CONTENT_TYPE, Counts

CONNECTION_S: Final = 10.0
"""How long a request may take to come and its answer, some kilobytes, to go."""
CONNECTIONS: Final = 64
"""How many may be open; a probe and whatever scrapes need one each."""
RETRY_AFTER_S: Final = 5
"""When to ask again: a start takes seconds, and people take longer in any case."""
_METHODS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the log is, when it was looked at."""

    ready: bool
    """Whether it takes submissions now."""
    state: str
    """`writes`, or why it does not: a name of `ledger.log.states`."""
    says: str
    mend: str
    size: int
    front_ends: int


def operations_server(look: Callable[[], Health], counts: Counts) -> web.Server:
    """What answers on each connection; `look` is asked anew for each request."""
    routes: dict[str, Callable[[], web.Response]] = {
        "/healthz": lambda: _healthz(look()),
        "/readyz": lambda: _readyz(look()),
        "/metrics": lambda: web.Response(
            body=counts.render(), headers={"Content-Type": CONTENT_TYPE}
        ),
    }

    async def handle(request: web.BaseRequest) -> web.Response:
        path = request.rel_url.raw_path
        if path not in routes:
            says = f"there is nothing here but {', '.join(routes)}"
            answer = Problem(NOT_FOUND, says).response()
        elif request.method not in _METHODS:
            allow = {"Allow": ", ".join(_METHODS)}
            says = f"this can only be read, by {' or '.join(_METHODS)}"
            answer = Problem(METHOD, says, headers=allow).response()
        else:
            try:
                answer = routes[path]()
            except Exception as error:  # noqa: BLE001 - who watches has to hear of any
                answer = _failed(path, error)
        return _finished(answer)

    # No body is wanted here, so none is waited for either: lingering_time.
    return _Server(handle, lingering_time=0, access_log=None)


class _Server(web.Server):
    """A server of few and short connections."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ends: dict[web.RequestHandler, asyncio.TimerHandle] = {}

    def __call__(self) -> web.RequestHandler:
        """A protocol for one connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(
        self, handler: web.RequestHandler, transport: asyncio.Transport
    ) -> None:
        """Let it live for its time, whatever it does or waits for."""
        # The oldest go, not the newest: idle connections keep no probe out, and
        # take no descriptors from the log.
        for oldest in self.connections[: 1 - CONNECTIONS]:
            if oldest.transport:
                oldest.transport.abort()
        self._ends[handler] = self._loop.call_later(CONNECTION_S, transport.abort)
        super().connection_made(handler, transport)

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Nothing is left to be ended."""
        self._ends.pop(handler).cancel()
        super().connection_lost(handler, exc)


class _Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(self, *_: Any, **__: Any) -> web.StreamResponse:
        """What could not be read as HTTP; nothing of it is said again."""
        says = "this is not HTTP/1.1 as it has to be"
        return _finished(Problem(FORM, says, check="http").response())


def _healthz(health: Health) -> web.Response:
    # 200 also where nothing is written: whoever watches processes ends one that is
    # not healthy, and a held log can still be read. No restart mends it; /readyz
    # says what does. Only a process that hangs gives no answer.
    return _json(
        {"state": health.state, "size": health.size, "front_ends": health.front_ends}
    )


def _readyz(health: Health) -> web.Response:
    members = {
        "ready": health.ready,
        "state": health.state,
        "says": health.says,
        "mend": health.mend,
    }
    answer = _json(members)
    if not health.ready:
        answer.set_status(HTTPStatus.SERVICE_UNAVAILABLE)
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _json(members: dict[str, Any]) -> web.Response:
    # ASCII: no terminal, and no page that shows it, can be made to show another thing.
    body = json.dumps(members, ensure_ascii=True).encode() + b"\n"
    return web.Response(body=body, content_type="application/json")


def _failed(path: str, error: Exception) -> web.Response:
    id_ = secrets.token_hex(8)
    emit(REQUEST_FAILED, id=id_, route=path, fault=repr(error))
    return Problem(INTERNAL, f"id {id_}").response()


def _finished(answer: web.Response) -> web.Response:
    # An answer from before would hide that the log has stopped.
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Server"] = "provlog"
    answer.force_close()
    return answer
