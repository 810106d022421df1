"""POST /v1/records:batch: a stream of records in, a result for each, in their order.

Some are read, handed over as one order, and answered while the next are read; at most
so many are under way, whatever the length of the body. What they take is counted, and
while there is no room for more, no more is read. Good ones are logged when others are
refused. Who sends much has to read the results as they come.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, Final, TypeAlias

from aiohttp import web

from ledger.errors import Halted, Held, Unavailable
from ledger.http import bodies
from ledger.http.accept import choose
from ledger.http.answering import PLAIN_HEADERS
from ledger.http.asked import Asked
from ledger.http.groups import LINES, Group, groups_of, splitter_of
from ledger.http.memory import Holding
from ledger.http.problems import UNKNOWN, Problem, problem_of
from ledger.http.receipts import Receipts
from ledger.http.sending import cut_off
from ledger.http.submitting import INDEX, entry_of, published_over, result
from ledger.log.pool import Admitted
from ledger.metrics import FLAGGED, SUBMITTED

OFFERED: Final = (LINES, INDEX)

UNDER_WAY: Final = 4
"""How many groups are waited for while the next is read."""
_RESULT_BYTES: Final = 1_536
_INDEX_BYTES: Final = 32
"""What a result takes beside the entry: most of it is the receipt, if there is one."""
_AHEAD_BYTES: Final = 1 << 18
"""How much of a batch is read from its connection at once."""


UnderWay: TypeAlias = "asyncio.Queue[tuple[asyncio.Task[bytes], int] | None]"
"""Groups whose results are awaited, with the memory they have; None at the end."""


class Batches:
    """The handler of batches."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts

    async def handle(self, asked: Asked) -> web.StreamResponse:
        """Log a stream of records."""
        wanted = choose(asked.header("Accept"), OFFERED)
        splitter, by_line = splitter_of(asked)
        await bodies.invite(asked.request)
        response = web.StreamResponse(
            headers={
                **PLAIN_HEADERS,
                "Content-Type": wanted,
                "Cache-Control": "no-store",
            }
        )
        # What is read before we look at it is ours to keep as well.
        length = asked.request.content_length
        ahead = _AHEAD_BYTES if length is None else min(length, _AHEAD_BYTES)
        with asked.site.memory.holding(ahead, asked.payer) as held:
            groups = groups_of(
                asked,
                splitter,
                held,
                by_line=by_line,
                result_bytes=_INDEX_BYTES if wanted == INDEX else _result_bytes(asked),
            )
            await self._stream(asked, response, groups, held, wanted)
        return response

    async def _stream(
        self,
        asked: Asked,
        response: web.StreamResponse,
        groups: AsyncIterator[Group],
        held: Holding,
        wanted: str,
    ) -> None:
        """Hand in what comes, and send the results, as long as both goes on."""
        under_way: UnderWay = asyncio.Queue(UNDER_WAY)

        async def hand_in() -> None:
            try:
                async for group in groups:
                    task = asyncio.create_task(self._log(asked, group, wanted))
                    await under_way.put((task, group.held_bytes))
            except Exception:
                await under_way.put(None)
                raise
            # Not when it was cancelled: then nobody takes anything out any more.
            await under_way.put(None)

        reader = asyncio.create_task(hand_in())
        try:
            await _tell(asked, response, under_way, held)
            await reader
            await _sent(asked, response.write_eof())
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            while not under_way.empty():
                if some := under_way.get_nowait():
                    some[0].cancel()

    async def _log(self, asked: Asked, group: Group, wanted: str) -> bytes:
        """Have a group logged; its results, a line each."""
        results: dict[int, Any] = dict(group.refused)
        places = [place for place, _ in group.admitted]
        try:
            found = await self._results(asked, [x for _, x in group.admitted], wanted)
            results |= zip(places, found, strict=True)
        except Exception as error:  # noqa: BLE001 - each of them is told the same
            if isinstance(error, Unavailable | Held | Halted):
                # What fails because of us does not use up anybody's share.
                amounts = {"entries": len(places), "bytes_": group.paid_bytes}
                asked.site.budgets.refund(asked.payer, **amounts)
            results |= dict.fromkeys(places, error)
        return b"".join([_line(results[place], wanted) for place in sorted(results)])

    async def _results(
        self, asked: Asked, admitted: Sequence[Admitted], wanted: str
    ) -> list[Any]:
        """A result for each, or what is wrong with it."""
        if not admitted:
            return []
        site = asked.site
        answer = await site.writer.hand_in(admitted)
        size, checkpoint = answer.head.size, answer.checkpoint
        new = [at for at, index in enumerate(answer.indexes) if index is not None]
        indexes = [index for index in answer.indexes if index is not None]
        repeated = answer.repeated
        counts = site.counts
        counts.add(SUBMITTED, len(indexes) - len(repeated), "new")
        counts.add(SUBMITTED, len(repeated), "repeated")
        counts.add(SUBMITTED, len(answer.refused), "refused")
        flagged = [at for at in new if admitted[at].flags and at not in repeated]
        if flagged:
            counts.add(FLAGGED, len(flagged))
        found: list[Any] = [answer.refused.get(at) for at in range(len(admitted))]
        try:
            # Who was refused waits for nothing, and is not told that it is logged.
            wait_s = asked.wait_s()
            if new and (published := await published_over(asked, size, wait_s)):
                size, checkpoint = published
        except Problem as problem:
            for at, index in zip(new, indexes, strict=True):
                found[at] = Problem(
                    UNKNOWN, str(problem), check="outcome_unknown", index=index
                )
            return found
        if wanted == INDEX:
            for at, index in zip(new, indexes, strict=True):
                found[at] = index
            return found
        receipts = await self._receipts.made(indexes, size, checkpoint)
        for at, receipt in zip(new, receipts, strict=True):
            old = at in repeated
            entry = entry_of(asked, admitted[at], receipt.index, answer, repeated=old)
            told = result(
                receipt.index,
                size,
                entry,
                receipt,
                repeated=old,
                witnessed=site.config.ack == "witnessed",
                flags=admitted[at].flags,
            )
            found[at] = {"status": 200 if old else 201} | told
        return found


def _result_bytes(asked: Asked) -> int:
    return _RESULT_BYTES + asked.site.admission.demands.flags_bytes


async def _tell(
    asked: Asked, response: web.StreamResponse, under_way: UnderWay, held: Holding
) -> None:
    """Send the results as they come."""
    await response.prepare(asked.request)
    while some := await under_way.get():
        task, held_bytes = some
        await _sent(asked, response.write(await task))
        held.have(-held_bytes)


async def _sent(asked: Asked, writing: Awaitable[None]) -> None:
    """Send some; who does not read is left."""
    try:
        async with asyncio.timeout(asked.site.config.body_timeout_s):
            await writing
    except TimeoutError:
        cut_off(asked.request)


def _line(found: Any, wanted: str) -> bytes:
    """One result: what was logged, or the problem, in one line."""
    if wanted == INDEX and type(found) is int:
        return b"%d\n" % found
    if isinstance(found, Exception):
        problem = problem_of(found)
        if wanted == INDEX:
            return f"- {problem.kind.status} {problem.document['check']}\n".encode()
        wait = problem.headers.get("Retry-After")
        more = {"retry_after_s": int(wait)} if wait else {}
        found = {**problem.document, **more}
    return json.dumps(found).encode() + b"\n"
