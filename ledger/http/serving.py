"""Serving: one of our servers at one listening socket, begun and ended."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from aiohttp import web

OPERATIONS_END_S: Final = 1


class Serving:
    """Serves until it is stopped; `end_s` is how long an answer may then take."""

    def __init__(self, server: web.Server, end_s: float = OPERATIONS_END_S) -> None:
        self._runner = web.ServerRunner(
            server, handle_signals=False, shutdown_timeout=end_s
        )

    async def start(
        self, listening: socket.socket, tls: ssl.SSLContext | None = None
    ) -> None:
        """Take connections."""
        await self._runner.setup()
        await web.SockSite(self._runner, listening, ssl_context=tls).start()

    async def stop(self) -> None:
        """Take no more, answer who is there, end all connections."""
        await self._runner.cleanup()
