"""A bucket to be published to, so that it can be served as it is.

Nobody can be kept from it, so every write has a condition: a tile is created where
there is none, and the checkpoint takes the place of the one that was looked at. Of
two who publish at once each is right at every moment, or is told that it was late.
Tiles go a few at a time; nothing is ever deleted.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Final

from ledger.errors import Refused
from ledger.objects import Bucket, Seen
from ledger.publish.target import Overtaken, check_empty
from verifier import note
from verifier.errors import MalformedError
from verifier.source import CHECKPOINT

TILE_HEADERS: Final = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": "public, max-age=31536000, immutable",
}
CHECKPOINT_HEADERS: Final = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "public, no-cache",
}
"""Those of the service itself: ledger/http/answering.py, and a test compares."""
_NO_TAG: Final = '"provlog-asks-whether-conditions-count"'
_TOGETHER: Final = 8
"""Tiles on their way at once; with their entries, at most 128 MiB."""


class Objects:
    """What is under `bucket`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._waiting: list[tuple[str, bytes]] = []
        self._seen: Seen | None = None
        self._minds = False
        """Whether it was seen that conditions are minded there."""

    @property
    def name(self) -> str:
        """Its address."""
        return str(self._bucket)

    def alone(self) -> AbstractContextManager[None]:
        """Nobody is kept from a bucket."""
        return nullcontext()

    def checkpoint(self) -> bytes | None:
        """The checkpoint in it, with which it is replaced later."""
        self._waiting.clear()  # of a feeding that was broken off
        self._seen = self._bucket.look(CHECKPOINT, note.MAX_BYTES)
        if self._seen is None:
            check_empty(self.name, self._bucket.names())
            return None
        self._check_minds(self._seen)
        return self._seen.data

    def has(self, path: str, data: bytes) -> bool:
        """Whether these bytes are the object at `path`."""
        with suppress(MalformedError):  # more bytes than it may have
            return self._bucket.read(path, len(data)) == data
        return False

    def put(self, path: str, data: bytes) -> None:
        """Send a tile, together with the next ones."""
        self._waiting.append((path, data))
        if len(self._waiting) == _TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Return when all of them are there."""
        waiting, self._waiting = self._waiting, []
        wrong: list[Exception] = []

        def send(path: str, data: bytes) -> None:
            try:
                self._create(path, data)
            except Exception as error:  # noqa: BLE001 - it is raised by who waits
                wrong.append(error)

        # An end of the process waits for none of them: all of it can be repeated.
        threads = [
            threading.Thread(target=send, args=each, daemon=True) for each in waiting
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]

    def replace_checkpoint(self, before: bytes | None, after: bytes) -> None:
        """Replace it, if it is the one that was looked at."""
        where, seen = CHECKPOINT, self._seen
        if before != (seen.data if seen else None):
            raise Overtaken(f"{self.name}/{where} is not what was looked at")
        if seen is None:
            done = self._bucket.create(where, after, CHECKPOINT_HEADERS)
        else:
            done = self._bucket.replace(where, after, CHECKPOINT_HEADERS, tag=seen.tag)
        # It may have been us: a write whose answer was lost is tried again.
        if not done and self._bucket.read(where, note.MAX_BYTES) != after:
            raise Overtaken(f"somebody else has written {self.name}/{where}")

    def _check_minds(self, seen: Seen) -> None:
        """Return if a condition keeps us from replacing the checkpoint that is there.

        A service that takes no notice of it says yes, and has written what was there.
        """
        if self._minds:
            return
        bytes_, headers = seen.data, CHECKPOINT_HEADERS
        if self._bucket.create(CHECKPOINT, bytes_, headers) or self._bucket.replace(
            CHECKPOINT, bytes_, headers, tag=_NO_TAG
        ):
            says = f"the service of {self.name} does not mind If-None-Match or If-Match"
            says += ": of two who publish, none would be told; use one that does"
            raise Refused("target", says)
        self._minds = True

    def _create(self, path: str, data: bytes) -> None:
        created = self._bucket.create(path, data, TILE_HEADERS)
        if not created and not self.has(path, data):
            # Whoever reads it now is told of damage; it is not ours to say by whom.
            says = f"{self.name}/{path} has other bytes than the log; remove it"
            raise Refused("folder", says)
