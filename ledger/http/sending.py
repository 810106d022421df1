"""Large answers: counted while they are under way, and not for ever."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from ledger.http.asked import Asked

LARGE_BYTES: Final = 1 << 16
"""What the socket's own buffers take without anybody's waiting."""


async def send_large(asked: Asked, response: web.Response) -> web.StreamResponse:
    """Send `response` within the time that a reader has, and with memory for it."""
    body = response.body
    if not isinstance(body, bytes) or len(body) <= LARGE_BYTES:
        return response
    if asked.request.method == "HEAD":
        return response
    with asked.site.memory.holding(len(body)):
        streamed = web.StreamResponse(status=response.status, headers=response.headers)
        streamed.content_length = len(body)
        await streamed.prepare(asked.request)
        view = memoryview(body)
        for start in range(0, len(body), LARGE_BYTES):
            try:
                async with asyncio.timeout(asked.site.config.body_timeout_s):
                    await streamed.write(view[start : start + LARGE_BYTES])
            except TimeoutError:
                if asked.request.transport:
                    asked.request.transport.abort()
                raise ConnectionResetError("the answer is not read") from None
        await streamed.write_eof()
    return streamed
