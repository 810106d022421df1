"""Large answers: counted while they are under way, and not for ever.

Who reads slowly has memory of ours meanwhile. One that takes a few bytes now and then
would have it for hours, so the whole of an answer has its time as well.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Final, NoReturn

from aiohttp import web

from ledger.http.asked import Asked
from ledger.http.memory import ANSWERS

LARGE_BYTES: Final = 1 << 16
"""What the socket's own buffers take without anybody's waiting."""
_BYTES_PER_S: Final = 1 << 18
"""How fast a large answer is read at least: the largest tile in about a minute."""

_AT_ONCE: Final = struct.pack("ii", 1, 0)


async def send_large(asked: Asked, response: web.Response) -> web.StreamResponse:
    """Send `response` within the time that a reader has, and with memory for it."""
    body = response.body
    if not isinstance(body, bytes) or len(body) <= LARGE_BYTES:
        return response
    if asked.request.method == "HEAD":
        return response
    with asked.site.memory.holding(len(body), asked.payer, ANSWERS):
        streamed = web.StreamResponse(status=response.status, headers=response.headers)
        streamed.content_length = len(body)
        await streamed.prepare(asked.request)
        patience_s = asked.site.config.body_timeout_s
        try:
            async with asyncio.timeout(patience_s + len(body) / _BYTES_PER_S):
                await _write(streamed, body, patience_s)
        except TimeoutError:
            cut_off(asked.request)
    return streamed


async def _write(streamed: web.StreamResponse, body: bytes, patience_s: float) -> None:
    view = memoryview(body)
    for start in range(0, len(body), LARGE_BYTES):
        async with asyncio.timeout(patience_s):
            await streamed.write(view[start : start + LARGE_BYTES])
    async with asyncio.timeout(patience_s):
        await streamed.write_eof()


def cut_off(request: web.BaseRequest) -> NoReturn:
    """End the connection at once: who has part of an answer has to see that it is."""
    if transport := request.transport:
        # Nor does the kernel go on sending what it has: some megabytes, for hours.
        taken = transport.get_extra_info("socket")
        with suppress(OSError):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        transport.abort()
    raise ConnectionResetError("the answer is not read")
