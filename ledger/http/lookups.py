"""Finding entries by record id, or by the digest of what was logged.

An index follows the log and may be behind or wrong: what it finds is looked at
before it is said, what it has not come to is looked through here as far as that is
a moment's work, and `covered` says how far the answer goes. Whoever asks can go on
from there, so that nobody hides an entry by logging many others like it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Final

from aiohttp import web

from ledger.errors import WrongBytes
from ledger.http import answering
from ledger.http.asked import Asked
from ledger.http.problems import NOT_FOUND, Problem
from ledger.index.keys import DIGEST, RECORD, digest_name, has_name, record_name
from ledger.index.lookup import MOST, Lookup
from ledger.log.reading import Reading
from verifier.tile import WIDTH

DIGEST_PATTERN: Final = "[0-9a-f]{64}"
RECORD_PATTERN: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
"""The one spelling of a UUID in a record."""

_TAIL: Final = 4 * WIDTH
"""How many entries are looked through that the index has not come to."""


class Lookups:
    """The handlers of lookups."""

    def __init__(self, reading: Reading, lookup: Lookup | None) -> None:
        self._reading = reading
        self._lookup = lookup
        self._reader = asyncio.Semaphore(1)

    async def digest(self, asked: Asked) -> web.Response:
        """GET /v1/lookup/digest/{sha256}: the entries that have, or name, the bytes."""
        name = digest_name(bytes.fromhex(asked.path["sha256"]))
        return await self._answer(asked, DIGEST, name)

    async def record(self, asked: Asked) -> web.Response:
        """GET /v1/lookup/record/{id}: the entries whose record has this id."""
        return await self._answer(asked, RECORD, record_name(asked.path["id"]))

    async def _answer(self, asked: Asked, kind: str, name: bytes) -> web.Response:
        size, kind_of_log = asked.site.writer.head.size, asked.site.charter.kind
        first = min(asked.number("first"), size) if "first" in asked.path else 0
        # Hundreds of entries to read and to hash: others are answered meanwhile.
        async with self._reader:
            found, covered = await asyncio.to_thread(
                self._find, kind, name, range(first, size), kind_of_log
            )
        if not found:
            says = f"no entry from {first} up to {covered} is known by that"
            raise Problem(NOT_FOUND, says, check="unknown", covered=covered, size=size)
        return answering.document(
            {"indexes": found, "covered": covered, "more": covered < size}
        )

    def _find(
        self, kind: str, name: bytes, where: range, kind_of_log: str
    ) -> tuple[list[int], int]:
        """At most MOST entries of `where` that have `name`, and how far it looked."""
        covered = where.start
        hints: list[int] = []
        if self._lookup:
            covered = max(covered, min(self._lookup.covered, where.stop))
            hints = self._lookup.find(kind, name[1:17], first=where.start, most=MOST)
            hints = [index for index in hints if index < covered]
        if len(hints) == MOST:
            covered, tail = hints[-1] + 1, range(0)
        else:
            tail = range(covered, min(covered + _TAIL, where.stop))
            covered = tail.stop
        found: list[int] = []
        for index, entry in chain(self._each(hints), self._all(tail)):
            if has_name(entry, kind_of_log, name):
                found.append(index)
                if len(found) == MOST:
                    return found, index + 1
        return found, covered

    def _each(self, indexes: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """The entries at `indexes`; what is damaged is for the scrubber to tell of."""
        for index in indexes:
            with suppress(WrongBytes):
                yield index, self._reading.entry(index)

    def _all(self, tail: range) -> Iterator[tuple[int, bytes]]:
        """All entries of `tail`, a tile of them at a time."""
        for start in range(tail.start, tail.stop, WIDTH):
            stop = min(start + WIDTH, tail.stop)
            try:
                entries = self._reading.entries(start, stop)
            except WrongBytes:
                yield from self._each(range(start, stop))
            else:
                yield from enumerate(entries, start)
