"""The face of a mirror: the checkpoint, and the tiles that it covers.

The folder may hold more: tiles that are being fetched, the mirror's memory, what
somebody has laid there. Only the one spelling of a tile's path leads to a file.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from aiohttp import web

from ledger.http.answering import BYTES, IMMUTABLE, LOOK_AGAIN, TEXT, knows, tag_of
from ledger.http.small import Asking, Reply, small_server
from ledger.mirror.copying import tiles_there
from ledger.mirror.folder import Mirror
from verifier.errors import MalformedError
from verifier.source import CHECKPOINT
from verifier.tile import Tile

_AT_ONCE: Final = 4
"""Tiles in memory at a time: an entry tile may have 16 MB."""
_CONNECTIONS: Final = 64
"""Each may hold a tile until its peer has read it."""
_OPEN: Final = {"Access-Control-Allow-Origin": "*"}
_NOTHING: Final = Reply(status=404, body=b"there is nothing here\n", headers=_OPEN)


def mirror_server(folder: Path) -> web.Server:
    """What answers for a mirror, within a running loop."""
    answers = _Answers(Mirror(folder))
    return small_server(answers.answer, most_body=0, connections=_CONNECTIONS)


class _Answers:
    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._reading = asyncio.Semaphore(_AT_ONCE)

    async def answer(self, asking: Asking) -> Reply:
        """Answer one request."""
        if asking.method != "GET":
            headers = {**_OPEN, "Allow": "GET, HEAD"}
            return Reply(status=405, body=b"this can only be read\n", headers=headers)
        signed, tree = self._mirror.checkpoint(), self._mirror.tree()
        if signed is None or tree is None:
            headers = {**_OPEN, "Retry-After": "10"}
            says = b"nothing is mirrored yet\n"
            return Reply(status=503, body=says, headers=headers)
        if asking.path == f"/{CHECKPOINT}":
            return _shown(asking, signed, TEXT, LOOK_AGAIN)
        try:
            tile = Tile.parse(asking.path.removeprefix("/"))
        except MalformedError:
            return _NOTHING
        if not asking.path.startswith("/") or not tiles_there(tile, tree.size):
            return _NOTHING
        async with self._reading:
            data = await asyncio.to_thread(self._mirror.tile, tile)
        return _shown(asking, data, BYTES, IMMUTABLE) if data else _NOTHING


def _shown(asking: Asking, data: bytes, kind: str, cache: str) -> Reply:
    """These bytes, or that who asks has them already."""
    tag = tag_of(data)
    headers = {**_OPEN, "Cache-Control": cache, "ETag": tag}
    if knows(asking.headers.get("If-None-Match"), tag):
        return Reply(status=304, content_type=kind, headers=headers)
    return Reply(status=200, body=data, content_type=kind, headers=headers)
