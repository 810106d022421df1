"""TLS handshakes: counted before they begin, and none for ever.

A loop makes the protocol of a connection only when its handshake is over. Whoever
does not end his would be outside of every cap, with a file and memory of ours.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Final

from ledger.http.connections import Connections
from ledger.http.entrance import network_of

_PAUSE_S: Final = 0.1
"""How long nobody is taken after there was no file left for one."""


class Handshakes:
    """Takes connections from a listening socket, up to where they speak HTTP."""

    def __init__(
        self, connections: Connections, listening: socket.socket, tls: ssl.SSLContext
    ) -> None:
        self._connections = connections
        self._listening = listening
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take one after the other, until cancelled."""
        with self._listening:
            while True:
                try:
                    await self._take()
                except OSError:
                    await asyncio.sleep(_PAUSE_S)

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        came, peer = await loop.sock_accept(self._listening)
        came.settimeout(0)
        address = network_of(str(peer[0]))
        if not self._connections.begins(address):
            # Nothing can be said to who has not shaken hands.
            came.close()
            return
        task = loop.create_task(self._shake(came, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _shake(self, came: socket.socket, address: str) -> None:
        connections = self._connections
        try:
            with suppress(OSError, TimeoutError):
                await asyncio.get_running_loop().connect_accepted_socket(
                    connections.server,
                    came,
                    ssl=self._tls,
                    ssl_handshake_timeout=connections.idle_s,
                )
        finally:
            connections.ends(address)
