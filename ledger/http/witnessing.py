"""The face of a witness: two paths, and the same again below /witness.

What takes a processor or the disk is done by threads, so that a signature of one
log does not hold up the others, and many requests become one write.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from aiohttp import web

from ledger.errors import Halted, Held, Unavailable
from ledger.http.small import Asking, Reply, small_server
from ledger.witness.cosigner import Cosigner

MAX_BODY: Final = 128 * 1024
"""As sunlight's; a checkpoint with 30 lines of ML-DSA-44 fits."""
THREADS: Final = 32
"""As many requests become durable together."""
_ADD: Final = ("/add-checkpoint", "/witness/add-checkpoint")
_READ: Final = re.compile(r"(?:/witness)?/([0-9a-f]{64})/checkpoint")
_T = TypeVar("_T")
_OPEN: Final = {"Access-Control-Allow-Origin": "*"}


def witness_server(cosigner: Cosigner, threads: ThreadPoolExecutor) -> web.Server:
    """What answers for a witness, within a running loop."""
    answers = _Answers(cosigner, threads)
    return small_server(answers.answer, most_body=MAX_BODY)


class _Answers:
    def __init__(self, cosigner: Cosigner, threads: ThreadPoolExecutor) -> None:
        self._cosigner = cosigner
        self._threads = threads
        vkeys = " ".join(key.text() for key in cosigner.keys)
        self._says = f"this is the witness {cosigner.name}: {vkeys}\n".encode()

    async def answer(self, asking: Asking) -> Reply:
        """Answer one request."""
        if asking.path in _ADD:
            return await self._add(asking)
        found = _READ.fullmatch(asking.path)
        if not found and asking.path != "/":
            return Reply(status=404, body=b"there is nothing here\n", headers=_OPEN)
        if asking.method != "GET":
            return _wrong_method("GET, HEAD")
        if not found:
            return Reply(status=200, body=self._says, headers=_OPEN)
        return await self._read(bytes.fromhex(found[1]))

    async def _add(self, asking: Asking) -> Reply:
        if asking.method != "POST":
            return _wrong_method("POST")
        answer = await self._aside(self._cosigner.add, asking.body)
        if isinstance(answer, Reply):
            return answer
        return Reply(
            status=answer.status, body=answer.body, content_type=answer.content_type
        )

    async def _read(self, digest: bytes) -> Reply:
        newest = await self._aside(self._cosigner.newest, digest)
        if isinstance(newest, Reply):
            return newest
        if newest is None:
            return Reply(status=404, body=b"nothing was cosigned yet\n", headers=_OPEN)
        return Reply(status=200, body=newest, headers=_OPEN)

    async def _aside(self, work: Callable[[bytes], _T], data: bytes) -> _T | Reply:
        """What a thread makes of `data`; a 503 where nothing can be decided now."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work, data)
        except Unavailable as error:
            return _later(str(error), error.retry_after_s)
        except Held as hold:
            return _later(f"{hold.state}: nothing is cosigned now", 60)
        except Halted:
            return _later("halted: nothing is cosigned now", 60)


def _wrong_method(allow: str) -> Reply:
    says = f"this address takes {allow} only\n".encode()
    return Reply(status=405, body=says, headers={"Allow": allow, **_OPEN})


def _later(says: str, retry_after_s: float) -> Reply:
    headers = {"Retry-After": str(max(1, round(retry_after_s)))}
    return Reply(status=503, body=f"{says}\n".encode(), headers=headers)
