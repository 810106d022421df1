"""Connections: at most so many, from one address and in all, and none for ever.

aiohttp ends those on which no request has come to an end for a while. Beyond the
cap a connection is told so and closed: one that waits in a queue learns nothing.
"""

from __future__ import annotations

import logging
import resource
from collections import Counter
from typing import Final

from aiohttp import web

from ledger.http.connection import Connection
from ledger.http.express import Express
from ledger.http.front import Front
from ledger.metrics import CONNECTIONS
from ledger.metrics.counts import Counts

SILENT: Final = logging.getLogger("provlog-http")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
"""What aiohttp says would have parts of requests in it; ours are in ledger.events."""
MAX_LINE_BYTES: Final = 8_190
MAX_HEADER_BYTES: Final = 8_190
_BUFFER_BYTES: Final = 1 << 16
"""How much of a body is read before somebody wants it."""
_OWN_FILES: Final = 64
"""How many files, and sockets of ours, a front end has open beside connections."""


class Connections:
    """Makes the protocol of each new connection: for a loop's `create_server`."""

    def __init__(
        self,
        front: Front,
        counts: Counts,
        express: Express | None,
        *,
        most: int,
        most_of_one: int,
        idle_s: int,
    ) -> None:
        self.open = 0
        self.of_one: Counter[str] = Counter()
        self.most = _openable(most)
        self.most_of_one = most_of_one
        self.shaking: Counter[str] = Counter()
        """The addresses of those whose TLS handshake is under way."""
        self.idle_s = idle_s
        self.counts = counts
        self.express = express
        """The short way for the requests that can take it, if there is one."""
        self.server = Server(
            front.handle,
            access_log=None,
            logger=SILENT,
            keepalive_timeout=idle_s,
            lingering_time=1,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=64,
            read_bufsize=_BUFFER_BYTES,
            auto_decompress=False,
        )
        self.server.connections_of = self

    def came(self, address: str) -> bool:
        """Count one, if there is room for it."""
        if self.open >= self.most or self.of_one[address] >= self.most_of_one:
            return False
        self.open += 1
        self.of_one[address] += 1
        self.counts.set(CONNECTIONS, self.open)
        return True

    def begins(self, address: str) -> bool:
        """Count one whose handshake begins, if there would be room for it."""
        under_way = self.open + self.shaking.total()
        of_one = self.of_one[address] + self.shaking[address]
        if under_way >= self.most or of_one >= self.most_of_one:
            return False
        self.shaking[address] += 1
        return True

    def ends(self, address: str) -> None:
        """Its handshake has ended, well or not."""
        self.shaking[address] -= 1
        if not self.shaking[address]:
            del self.shaking[address]

    def hasten(self) -> None:
        """Let what has begun to come be seen: a stop waits for it."""
        for each in self.server.connections:
            if isinstance(each, Connection):
                each.hasten()

    def went(self, address: str) -> None:
        """One that was counted has gone."""
        self.open -= 1
        self.of_one[address] -= 1
        if not self.of_one[address]:
            del self.of_one[address]
        self.counts.set(CONNECTIONS, self.open)


class Server(web.Server):
    """aiohttp's, whose connections are counted."""

    connections_of: Connections

    def __call__(self) -> web.RequestHandler:
        """A protocol for one connection."""
        return Connection(self, loop=self._loop, **self._kwargs)


def _openable(most: int) -> int:
    """How many connections there can be; the limit of open files is raised for them.

    Above that limit the kernel would refuse them without a word.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _OWN_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return most
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(most, soft - _OWN_FILES))
