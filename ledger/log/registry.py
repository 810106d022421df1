"""The producers that this log knows: read from its own entries, and from nothing else.

The number of each such entry is an identity of its own, committed with the entry. So
they are found one after the other, however large the log is, and none can be missing
or come twice. What they say is folded by the verifier's rule, as an auditor does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from ledger.errors import Refused, Unavailable
from ledger.log.identity import register_identity
from ledger.log.reading import check_entries
from ledger.store import LogStore
from verifier.errors import MalformedError
from verifier.producers import Producers
from verifier.producers.register import MAX_ENTRIES, MAX_ENTRY_BYTES_IN_ALL
from verifier.statement.own import own_in
from verifier.tile import MAX_ENTRY_BYTES


class Shown(Protocol):
    """How far the log may be shown."""

    @property
    def size(self) -> int:
        """How many entries."""
        ...


class Registry:
    """The producers of the log in `store`, up to the head that `newest` names."""

    def __init__(self, store: LogStore, newest: Callable[[], Shown]) -> None:
        self._store = store
        self._newest = newest
        self._alone = threading.Lock()
        self._size = -1
        self._producers = Producers()
        self._indexes: list[int] = []
        self._bytes = 0

    def current(self) -> Producers:
        """All of them, as of the newest head that may be shown."""
        with self._alone:
            size = self._newest().size
            if size != self._size:
                self._producers, found = self._follow(self._producers, size)
                self._indexes += [index for index, _ in found]
                self._bytes += sum(length for _, length in found)
                self._size = size
            return self._producers

    def with_room(self) -> Producers:
        """A copy of them, to enter one more; Refused where no auditor could read it."""
        producers = self.current().copy()
        full = f"the log has {producers.number} entries about producers already"
        if producers.number >= MAX_ENTRIES:
            raise Refused("registration", f"{full}, and more are in no register")
        if self._bytes > MAX_ENTRY_BYTES_IN_ALL - MAX_ENTRY_BYTES:
            raise Refused(
                "registration",
                f"{full}, of {self._bytes} bytes, and more are in no register",
            )
        return producers

    def knows(self, identity: bytes) -> bool:
        """Whether what has this identity is logged, and may be shown."""
        with self._store.snapshot() as snapshot:
            index = snapshot.find([identity]).get(identity)
        return index is not None and index < self._newest().size

    def indexes(self) -> list[int]:
        """Where the entries about them stand."""
        self.current()
        return list(self._indexes)

    def _follow(
        self, known: Producers, size: int
    ) -> tuple[Producers, list[tuple[int, int]]]:
        """With what has come since, up to `size`, and where that stands; its length."""
        producers, found = known, list[tuple[int, int]]()
        with self._store.snapshot() as snapshot:
            while True:
                identity = register_identity(producers.number)
                index = snapshot.find([identity]).get(identity)
                if index is None or index >= size:
                    return producers, found
                if producers is known:
                    # Another thread may be looking through what it was given.
                    producers = known.copy()
                try:
                    (entry,) = check_entries(snapshot, index, index + 1)
                    own = own_in(entry)
                    if own is None:
                        raise MalformedError("it is not the log's own")
                    producers.take(own, index)
                except (MalformedError, ValueError) as error:
                    raise Unavailable(
                        "producers",
                        f"entry {index} should be about producers: {error}; "
                        "provlog fsck says what is damaged",
                        retry_after_s=3600,
                    ) from None
                found.append((index, len(entry)))
