"""A small server of this process, at the loopback, for as long as a test wants it."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from aiohttp import web


class Response(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@contextmanager
def serving(server_of: Callable[[], web.Server], *, at: int = 0) -> Iterator[int]:
    """Serve, in a thread with a loop of its own, at this port or any; the port."""
    ready: list[Any] = []
    begun = threading.Event()

    async def run() -> None:
        end, loop = asyncio.Event(), asyncio.get_running_loop()
        server = server_of()
        listening = await loop.create_server(server, "127.0.0.1", at)
        ready.extend([listening.sockets[0].getsockname()[1], loop, end])
        begun.set()
        await end.wait()
        listening.close()
        await server.shutdown(1)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert begun.wait(10)
    port, loop, end = ready
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


def ask(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Ask once, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return Response(answer.status, answer.headers, answer.read())
    finally:
        connection.close()
