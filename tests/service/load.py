"""Producers in threads, and a memory of what each submission was told.

Whatever happens to the service, an answer has to be true. `judge` holds all of them
against the log: what was acknowledged stands at its index, and what was said not to
be logged is not there. Of the others nobody knows, and nobody was told anything.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections import Counter
from itertools import count
from typing import Self

from tests.livelog import LiveLog
from tests.liveservice import LiveService, Response
from verifier.receipt import Receipt

_PAUSE_S = 0.01
_LOADS = count()
"""So that no two of them log the same bytes."""


class Load:
    """Producers of one service, for as long as a `with` lasts."""

    def __init__(
        self, service: LiveService, producers: int = 4, *, path: str = "/v1/records"
    ) -> None:
        self.service = service
        self.acknowledged: dict[bytes, int] = {}
        self.refused: dict[bytes, Response] = {}
        """To whom it was said that nothing was logged."""
        self.unreached: list[bytes] = []
        """Nobody was there to take them."""
        self.unknown: list[bytes] = []
        """500 outcome-unknown, or the connection was cut."""
        self.wrong: list[Response] = []
        """What is none of these; there may be none."""
        self._path = path
        self._number = next(_LOADS)
        self._done = threading.Event()
        self._more = threading.Condition()
        self._threads = [
            threading.Thread(target=self._produce, args=[number])
            for number in range(producers)
        ]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for each in self._threads:
            each.join()

    def until(self, acknowledged: int, *, within_s: float = 20) -> None:
        """Return when so many more than now were acknowledged."""
        with self._more:
            goal = len(self.acknowledged) + acknowledged
            came = self._more.wait_for(
                lambda: len(self.acknowledged) >= goal, timeout=within_s
            )
        assert came, (len(self.acknowledged), goal, self.service.said())

    def judge(self, live: LiveLog | None = None) -> None:
        """Every answer was true, as the log stands now."""
        live = live or self.service.live
        assert not self.wrong, self.wrong[0]
        with live.open() as log:
            entries = log.reading.entries(0, log.head.size) if log.head.size else []
        for entry, index in self.acknowledged.items():
            assert entries[index] == entry
        times = Counter(entries)
        assert not [each for each in (*self.refused, *self.unreached) if times[each]]
        assert all(times[each] <= 1 for each in self.unknown)

    def _produce(self, producer: int) -> None:
        connection, number = self.service.connect(), 0
        while not self._done.is_set():
            number += 1
            entry = b"%d, producer %d, entry %d" % (self._number, producer, number)
            try:
                connection.request("POST", self._path, entry)
                got = connection.getresponse()
                self._hear(entry, Response(got.status, got.headers, got.read()))
            except ConnectionRefusedError:
                self.unreached.append(entry)
                connection.close()
                self._done.wait(_PAUSE_S)
            except (OSError, http.client.HTTPException):
                self.unknown.append(entry)
                connection.close()
        connection.close()

    def _hear(self, entry: bytes, response: Response) -> None:
        problem = b"" if response.status < 300 else response.problem.encode()
        if response.status == 201:
            result = json.loads(response.body)
            assert base64.b64decode(result["entry"]) == entry
            self.service.live.saw(Receipt.parse(result["receipt"].encode()).checkpoint)
            with self._more:
                self.acknowledged[entry] = result["index"]
                self._more.notify_all()
        elif response.status in (503, 507) and response.headers["Retry-After"]:
            self.refused[entry] = response
            self._done.wait(_PAUSE_S)
        elif problem == b"outcome-unknown":
            self.unknown.append(entry)
        else:
            self.wrong.append(response)
