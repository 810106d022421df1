"""Bodies: as long as they may be, as fast as they must be, and never compressed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import HttpVersion11, web

from ledger.http.problems import FORM, MEDIA, SIZE, SLOW, Problem

_PIECE_BYTES: Final = 1 << 16


def check_head(request: web.BaseRequest, most: int | None) -> None:
    """Return if the body may come: looked at before a byte of it is read."""
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise Problem(MEDIA, f"a body is not compressed, and this is {encoding[:40]!a}")
    coding = request.headers.get("Transfer-Encoding")
    if coding is not None:
        _check_coding(coding, request)
    length = request.content_length
    if most is not None and length is not None and length > most:
        raise Problem(SIZE, f"{length} bytes, and at most {most} are read here")


def _check_coding(coding: str, request: web.BaseRequest) -> None:
    """Return if all on the way have to see the same end of the body: RFC 9112, 6.1."""
    close = {"Connection": "close"}
    if coding.lower() != "chunked":
        says = f"a body is sent as it is, or chunked, and not {coding[:40]!a}"
        raise Problem(MEDIA, says, headers=close)
    if request.version < HttpVersion11:
        says = "HTTP/1.0 has no Transfer-Encoding"
        raise Problem(FORM, says, check="http", headers=close)


async def invite(request: web.BaseRequest) -> None:
    """Let a body come for which somebody waits to be asked: RFC 9110, 10.1.1."""
    expects = request.headers.get("Expect", "").lower() == "100-continue"
    if expects and request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


async def read(request: web.BaseRequest, *, most: int, within_s: float) -> bytes:
    """The whole body, of at most `most` bytes, in `within_s` seconds."""
    if request.content.is_eof():
        # All of it has come along with the head, as short ones do.
        whole = request.content.read_nowait(-1)
        if len(whole) > most:
            raise Problem(SIZE, f"more than the {most} bytes that are read")
        return whole
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within_s):
            async for part in request.content.iter_any():
                size += len(part)
                if size > most:
                    raise Problem(SIZE, f"more than the {most} bytes that are read")
                parts.append(part)
    except TimeoutError:
        says = f"{size} bytes came in {within_s} seconds, and there were more to come"
        raise Problem(SLOW, says, headers={"Connection": "close"}) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def pieces(
    request: web.BaseRequest, *, bytes_per_s: int, patience_s: float
) -> AsyncIterator[bytes]:
    """The body as it comes, for as long as it comes fast enough.

    Only the time in which we wait for it counts, not what we do meanwhile.
    """
    loop = asyncio.get_running_loop()
    waited, received = 0.0, 0
    while True:
        began = loop.time()
        try:
            async with asyncio.timeout(patience_s):
                piece = await request.content.readany()
        except TimeoutError:
            raise _slow(received) from None
        waited += loop.time() - began
        received += len(piece)
        if not piece:
            return
        if waited > patience_s and received < (waited - patience_s) * bytes_per_s:
            raise _slow(received)
        for at in range(0, len(piece), _PIECE_BYTES):
            yield piece[at : at + _PIECE_BYTES]


def _slow(received: int) -> Problem:
    return Problem(
        SLOW, f"the body came too slowly, after {received} bytes of it", check="slow"
    )
