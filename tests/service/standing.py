"""A service that stands for as long as a module's tests, which do not disturb it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.livelog import LiveLog
from tests.liveservice import LiveService, Response
from tests.records import TEXT
from verifier.checkpoint import Checkpoint
from verifier.hashing import leaf_hash
from verifier.proof import verify_inclusion
from verifier.receipt import Receipt
from verifier.trust import verify_checkpoint

BATCH = 16_384
RECORD = TEXT


@contextmanager
def standing(
    folder: Path, entries: Sequence[bytes] = (), *, workers: int = 0, **options: Any
) -> Iterator[LiveService]:
    """A service of a log that has `entries` already; both are audited at the end."""
    live = LiveLog(folder / "log", **options)
    if entries:
        with live.open() as log:
            for at in range(0, len(entries), BATCH):
                log.append(entries[at : at + BATCH])
    service = LiveService(live, workers=workers)
    try:
        yield service
    finally:
        service.stop()
    live.check()


class Conversation:
    """Many requests over one connection."""

    def __init__(self, service: LiveService) -> None:
        self._connection: http.client.HTTPConnection = service.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, **headers: str) -> Response:
        """Ask once more; a header's _ is a -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        # Not by request(), which would tidy the path.
        self._connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in named.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()
        response = self._connection.getresponse()
        return Response(response.status, response.headers, response.read())

    def get(self, path: str, **headers: str) -> Response:
        """GET `path`."""
        return self.ask("GET", path, **headers)


def holds(service: LiveService, receipt: Receipt, entry: bytes) -> Checkpoint:
    """The checkpoint of a receipt, which leads from `entry` to it."""
    seen = verify_checkpoint(receipt.checkpoint, service.live.policy).checkpoint
    verify_inclusion(
        leaf_hash(entry),
        index=receipt.index,
        size=seen.size,
        proof=receipt.proof,
        root=seen.root,
    )
    return seen
