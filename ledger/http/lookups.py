"""Finding entries by record id, or by the digest of what was logged.

An index follows the log and may be behind or wrong: what it finds is looked at
before it is said, what it has not come to is looked through here as far as that is
a moment's work, and `covered` says how far the answer goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from aiohttp import web

from ledger.errors import WrongBytes
from ledger.http import answering
from ledger.http.asked import Asked
from ledger.http.problems import NOT_FOUND, Problem
from ledger.index.keys import DIGEST, RECORD, digest_name, names_of, record_name
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

    async def digest(self, asked: Asked) -> web.Response:
        """GET /v1/lookup/digest/{sha256}: the entries that have, or name, the bytes."""
        name = digest_name(bytes.fromhex(asked.path["sha256"]))
        return self._answer(asked, DIGEST, name)

    async def record(self, asked: Asked) -> web.Response:
        """GET /v1/lookup/record/{id}: the entries whose record has this id."""
        return self._answer(asked, RECORD, record_name(asked.path["id"]))

    def _answer(self, asked: Asked, kind: str, name: bytes) -> web.Response:
        size, kind_of_log = asked.site.writer.head.size, asked.site.charter.kind
        found: list[int] = []
        covered = 0
        if self._lookup:
            covered = min(self._lookup.covered, size)
            found = self._lookup.find(kind, name[1:17], most=MOST)
        full = len(found) >= MOST
        tail = range(covered, covered if full else min(covered + _TAIL, size))
        right = [
            index
            for index, entry in (*self._each(found, size), *self._all(tail))
            if name in names_of(entry, kind_of_log)
        ][:MOST]
        covered = tail.stop
        if not right:
            says = f"nothing of the first {covered} entries is known by that"
            raise Problem(NOT_FOUND, says, check="unknown", covered=covered, size=size)
        return answering.document(
            {"indexes": right, "covered": covered, "more": full or len(right) >= MOST}
        )

    def _each(self, indexes: Iterable[int], size: int) -> Iterator[tuple[int, bytes]]:
        """The entries at `indexes`; what is damaged is for the scrubber to tell of."""
        for index in indexes:
            if index < size:
                with suppress(WrongBytes):
                    yield index, self._reading.entry(index)

    def _all(self, tail: range) -> Iterator[tuple[int, bytes]]:
        """All entries of `tail`, a tile of them at a time."""
        for start in range(tail.start, tail.stop, WIDTH):
            stop = min(start + WIDTH, tail.stop)
            try:
                entries = self._reading.entries(start, stop)
            except WrongBytes:
                yield from self._each(range(start, stop), stop)
            else:
                yield from enumerate(entries, start)
