"""The log for auditors, mirrors and monitors: c2sp.org/tlog-tiles.

A tile is checked against the root before it is first shown, and then kept for a
while: what is full never changes. Nothing here waits for a write.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from typing import Final, NamedTuple

from aiohttp import web

from ledger.http import answering
from ledger.http.accept import accepts_gzip
from ledger.http.asked import Asked
from ledger.http.problems import HELD, NOT_FOUND, Problem
from ledger.http.sending import send_large
from ledger.log.reading import Reading
from verifier.errors import MalformedError
from verifier.tile import ENTRIES, Tile

LEVEL: Final = "(?:0|[1-9][0-9]?)"
NUMBER: Final = "(?:x[0-9]{3}/){0,6}[0-9]{3}"
PART: Final = "[1-9][0-9]{0,2}"
"""Looks like the number of a tile; whether it is spelled as it must be, Tile says."""

_KEPT_BYTES: Final = 8 << 20
_MOST_OF_ONE: Final = _KEPT_BYTES // 4
"""What is larger is not kept; to pack it for each who asks would take too long."""
_KEPT_TAGS: Final = 4_096
_GZIP_LEVEL: Final = 1
"""Entries are text for the most part: higher levels cost more than they save."""


class Shown(NamedTuple):
    """What is sent for a tile: as it is, packed if that is worth it, and its tag."""

    data: bytes
    packed: bytes
    tag: str


class Tiles:
    """The handlers of checkpoint and tiles."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._kept: OrderedDict[Tile, Shown] = OrderedDict()
        self._kept_bytes = 0
        self._large: OrderedDict[Tile, tuple[int, str]] = OrderedDict()
        """Of those that are too large to be kept: how long they are, and their tags."""
        self._reader = asyncio.Semaphore(1)

    async def checkpoint(self, asked: Asked) -> web.Response:
        """GET /checkpoint: the newest published one."""
        published = asked.site.writer.published
        if published is None:
            hold = asked.site.writer.hold
            says = "there is no published checkpoint yet"
            state = hold.state if hold else "starting"
            raise Problem(HELD, says, check=state, retry_after_s=1, state=state)
        note = published.note
        cache = answering.LOOK_AGAIN
        return answering.unless_known(
            asked.request,
            note,
            answering.tag_of(note),
            content_type=answering.TEXT,
            cache=shared(asked, cache),
        )

    async def tile(self, asked: Asked) -> web.StreamResponse:
        """GET /tile/…: hashes, or entries, in one spelling."""
        try:
            tile = Tile.parse(asked.request.raw_path.removeprefix("/"))
        except MalformedError as error:
            raise Problem(NOT_FOUND, str(error)) from None
        if known := self._known_already(asked, tile):
            return known
        shown = await self._shown(tile)
        headers = {}
        data, tag, cache = shown.data, shown.tag, answering.IMMUTABLE
        if tile.level == ENTRIES:
            headers["Vary"] = "Accept-Encoding"
            if shown.packed and accepts_gzip(asked.header("Accept-Encoding")):
                # Other bytes have another tag, also when they say the same.
                data, tag = shown.packed, f'{tag[:-1]}-gzip"'
                headers["Content-Encoding"] = "gzip"
                # A cache that looks at the path alone would give them to everybody.
                cache = answering.PACKED
        response = answering.unless_known(
            asked.request,
            data,
            tag,
            content_type=answering.BYTES,
            cache=shared(asked, cache),
            headers=headers,
        )
        return await send_large(asked, response)

    async def _shown(self, tile: Tile) -> Shown:
        if found := self._kept.get(tile):
            self._kept.move_to_end(tile)
            return found
        if tile.level == ENTRIES:
            # Megabytes to read, to hash, to pack: others are answered meanwhile.
            async with self._reader:
                shown = await asyncio.to_thread(self._read, tile)
        else:
            shown = self._read(tile)
        if tile == tile.full():
            self._keep(tile, shown)
        return shown

    def _read(self, tile: Tile) -> Shown:
        entries = tile.level == ENTRIES
        data = (self._reading.entry_tile if entries else self._reading.hashes)(tile)
        packed = b""
        if entries and len(data) <= _MOST_OF_ONE:
            packed = gzip.compress(data, _GZIP_LEVEL, mtime=0)
            if len(packed) >= len(data):
                packed = b""
        return Shown(data, packed, answering.tag_of(data))

    def _known_already(self, asked: Asked, tile: Tile) -> web.Response | None:
        """The answer to who does not want the bytes of a tile too large to be kept."""
        length, tag = self._large.get(tile, (0, ""))
        request = asked.request
        known = answering.knows(request.headers.get("If-None-Match"), tag)
        if not tag or not (known or request.method == "HEAD"):
            return None
        headers = {
            **answering.PLAIN_HEADERS,
            "ETag": tag,
            "Vary": "Accept-Encoding",
            "Cache-Control": shared(asked, answering.IMMUTABLE),
        }
        if known:
            return web.Response(status=304, headers=headers)
        headers |= {"Content-Type": answering.BYTES, "Content-Length": str(length)}
        return web.Response(headers=headers)

    def _keep(self, tile: Tile, shown: Shown) -> None:
        size = len(shown.data) + len(shown.packed)
        if size > _MOST_OF_ONE:
            self._large[tile] = len(shown.data), shown.tag
            if len(self._large) > _KEPT_TAGS:
                self._large.popitem(last=False)
            return
        self._kept[tile] = shown
        self._kept_bytes += size
        while self._kept_bytes > _KEPT_BYTES:
            _, old = self._kept.popitem(last=False)
            self._kept_bytes -= len(old.data) + len(old.packed)


def shared(asked: Asked, cache: str) -> str:
    """How long who may keep an answer: nobody shares what needs a token."""
    return cache if asked.site.config.reads == "public" else answering.PRIVATE
