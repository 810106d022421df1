"""The express lane: a plain `POST /add`, read by its head.

For a short entry, aiohttp's request, its stream and its task are more work than all
the rest. So what a producer usually sends is read here, and becomes nothing but a
submission. Whatever is unusual, or would be refused, is left to aiohttp, with the
same bytes and before anything was paid: there is one place that says no.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Final

from ledger.http.answering import NOT_KEPT, PLAIN_HEADERS, TEXT, encode, http_date
from ledger.http.entrance import caller_of
from ledger.http.front import Front
from ledger.http.plainhead import Head, plain_head
from ledger.http.routes import Route, Table
from ledger.http.site import Site
from ledger.http.submitting import holder_of, settled
from ledger.log.pool import Answer

MORE: Final = -1
_MAX_HEAD_BYTES: Final = 2_048
_BEGIN: Final = "HTTP/1.1 200 OK\r\n" + "".join(
    f"{name}: {value}\r\n"
    for name, value in {
        **PLAIN_HEADERS,
        "Content-Type": TEXT,
        "Cache-Control": NOT_KEPT,
    }.items()
)
_END: Final = b"\r\n\r\n"
_MAX_HEADS: Final = 256
"""How many heads are known again: each is of one kind of client, and one length."""
_SAME_DATE_S: Final = 0.5
"""How long the date of an answer is not looked up again."""

Told = Callable[[bytes, bool], None]
"""Gets the bytes of the answer, and whether the connection ends with it."""


class Express:
    """Takes what it can of the requests to one front."""

    def __init__(self, front: Front, site: Site, route: Route) -> None:
        self._front = front
        self._site = site
        self._route = route
        self._most = route.max_body_bytes or 0
        self._loop = asyncio.get_running_loop()
        self._marks = count(-1, -1)
        """Other numbers than those of aiohttp's requests, which are addresses."""
        self._heads: dict[bytes, Head] = {}
        self._date, self._date_until = "", 0.0

    def begin(self, data: bytes, address: str, told: Told) -> int:
        """Begin the request that `data` begins with, and say how long it was.

        0 if it is not for here, MORE if it may be when its body is there: then nothing
        has happened, and `told` is not called. Else it is, in a later turn of the loop.
        """
        head = self._head(data)
        if head is None or head.path != self._route.path or self._front.stopping:
            return 0
        site, size, end = self._site, head.body_bytes, head.bytes_ + head.body_bytes
        if size > self._most:
            return 0
        if end > len(data):
            return MORE
        try:
            caller, payer = caller_of(head.headers, address, self._route, site)
            admitted = site.admission.admit(data[head.bytes_ : end], by=caller.by)
        except Exception:  # noqa: BLE001 - it comes again, on the way of all others
            return 0
        holder = (holder_of(payer),)
        if not site.memory.fits(size, holder) or site.budgets.spend(
            payer, entries=1, bytes_=size, requests=1, now=site.clock()
        ):
            return 0
        site.memory.count(size, holder)
        began, mark = self._loop.time(), next(self._marks)
        self._front.under_way.add(mark)

        def settle(outcome: Answer | Exception) -> None:
            site.memory.count(-size, holder)
            self._front.under_way.discard(mark)
            status, answer, closes = self._answer(outcome, payer, size)
            self._front.count(self._route, status, self._loop.time() - began)
            told(answer, closes)

        site.writer.hand_over([admitted], settle)
        return end

    def _head(self, data: bytes) -> Head | None:
        """The head that `data` begins with; a producer's is mostly the same again."""
        stop = data.find(_END, 0, _MAX_HEAD_BYTES)
        if stop < 0:
            return None
        stop += len(_END)
        if known := self._heads.get(data[:stop]):
            return known
        head = plain_head(data[:stop])
        # One with a token in it is not kept in memory.
        if head and "Authorization" not in head.headers:
            if len(self._heads) >= _MAX_HEADS:
                self._heads.clear()
            self._heads[data[:stop]] = head
        return head

    def _answer(
        self, outcome: Answer | Exception, payer: str, size: int
    ) -> tuple[int, bytes, bool]:
        """What is answered, its status, and whether the connection ends with it."""
        front = self._front
        try:
            index = settled(self._site, payer, outcome, paid_bytes=size).indexes[0]
        except Exception as error:  # noqa: BLE001 - every fault has an answer
            front.give_back(payer, error)
            response = front.told(error, self._route, self._route.path)
            if front.stopping:
                response.force_close()
            closes = response.keep_alive is False
            return response.status, encode(response, self._now()), closes
        ends = "Connection: close\r\n" if front.stopping else ""
        body = str(index)
        head = f"{_BEGIN}Content-Length: {len(body)}\r\nDate: {self._now()}\r\n{ends}"
        return 200, f"{head}\r\n{body}".encode(), front.stopping

    def _now(self) -> str:
        """The time as HTTP says it, to the second."""
        if (now := self._loop.time()) >= self._date_until:
            self._date, self._date_until = http_date(), now + _SAME_DATE_S
        return self._date


def express_of(front: Front, site: Site, table: Table) -> Express | None:
    """The express lane of a front, where what takes it is answered by the writer.

    Where an answer waits until a checkpoint is published, nothing is gained.
    """
    routes, _ = table.find("/add")
    route = routes.get("POST")
    if route is None or site.config.ack != "committed":
        return None
    return Express(front, site, route)
