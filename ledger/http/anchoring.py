"""The face of an anchor service: one path for each log, for who has its token.

What waits for the disk is done by threads, so that many requests become one write.
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
from ledger.log.kept import MAX_BYTES
from ledger.witness.anchoring import Anchoring
from ledger.witness.answering import Answer

THREADS: Final = 32
"""As many requests become durable together."""
_PATH: Final = re.compile(r"/v1/anchor/([0-9a-f]{64})")
_BEARER: Final = re.compile(r"(?i:bearer) ([!-~]{1,512})")
_T = TypeVar("_T")


def anchor_server(anchoring: Anchoring, threads: ThreadPoolExecutor) -> web.Server:
    """What answers for an anchor service, within a running loop."""
    return small_server(_Answers(anchoring, threads).answer, most_body=MAX_BYTES)


class _Answers:
    def __init__(self, anchoring: Anchoring, threads: ThreadPoolExecutor) -> None:
        self._anchoring = anchoring
        self._threads = threads

    async def answer(self, asking: Asking) -> Reply:
        """Answer one request."""
        found = _PATH.fullmatch(asking.path)
        if not found:
            return Reply(status=404, body=b"there is nothing here\n")
        if asking.method not in ("GET", "POST"):
            says = b"this address takes GET, HEAD and POST only\n"
            headers = {"Allow": "GET, HEAD, POST"}
            return Reply(status=405, body=says, headers=headers)
        shown = _BEARER.fullmatch(asking.headers.get("Authorization", ""))
        try:
            answer = await self._aside(
                lambda: self._decided(
                    bytes.fromhex(found[1]), shown[1] if shown else "", asking
                )
            )
        except (Halted, Held, Unavailable) as error:
            word = getattr(error, "state", "") or getattr(error, "reason", "halted")
            says = f"{word}: nothing is held anew now\n".encode()
            return Reply(status=503, body=says, headers={"Retry-After": "10"})
        if answer is None:
            # One answer for a log that is unknown and for a token that is wrong: who
            # has none learns nothing about the logs here.
            says = b"this needs the token of the log\n"
            return Reply(status=401, body=says, headers={"WWW-Authenticate": "Bearer"})
        return Reply(
            status=answer.status, body=answer.body, content_type=answer.content_type
        )

    def _decided(self, digest: bytes, token: str, asking: Asking) -> Answer | None:
        who = self._anchoring.who(digest, token)
        if not who:
            return None
        if asking.method == "GET":
            return self._anchoring.read(digest, who)
        return self._anchoring.change(digest, who, asking.body)

    async def _aside(self, work: Callable[[], _T]) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work)
