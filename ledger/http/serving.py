"""Serving: one of our servers at one listening socket, begun and ended."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from aiohttp import web

from ledger.http.handshakes import Handshakes

OPERATIONS_END_S: Final = 1


class Serving:
    """Serves until it is stopped; `end_s` is how long an answer may then take."""

    def __init__(self, server: web.Server, end_s: float = OPERATIONS_END_S) -> None:
        self._taking: asyncio.Task[None] | None = None
        self._runner = web.ServerRunner(
            server, handle_signals=False, shutdown_timeout=end_s
        )

    async def start(self, listening: socket.socket) -> None:
        """Take connections."""
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def start_tls(self, handshakes: Handshakes) -> None:
        """Take connections that speak TLS."""
        await self._runner.setup()
        self._taking = asyncio.create_task(handshakes.run())

    async def stop(self) -> None:
        """Take no more, answer who is there, end all connections."""
        if self._taking:
            self._taking.cancel()
            await asyncio.gather(self._taking, return_exceptions=True)
        await self._runner.cleanup()
