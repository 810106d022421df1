"""One connection, each of whose waits is bounded anew.

The timeout of a socket is for one read, so that a server which sends a byte now and
then would be waited for without end. Here each wait gets what is left of the whole
call when it begins; no thread has to watch over it.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

_IDLE_S: Final = 5.0
"""A log ends a connection that is idle for 10 s. What is ended just as we send
cannot be told from a crash, so one that is as old as this is not used again."""


def positive(left_s: float) -> float:
    """`left_s`, if that is any time; TimeoutError if not."""
    if left_s <= 0:  # which a socket would take for "do not wait"
        raise TimeoutError("the time was over")
    return left_s


def connected(host: str, port: int, *, left_s: Callable[[], float]) -> socket.socket:
    """A connection to one of the addresses of `host`; each gets what `left_s` says."""
    last = OSError("it has no address")
    for family, kind, protocol, _, place in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(positive(left_s()))
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException as error:
            sock.close()
            if not isinstance(error, OSError):
                raise
            last = error
        else:
            return sock
    raise last


class Stale(Exception):
    """The connection had ended before a byte of an answer came."""


class Line:
    """A connection that speaks HTTP over `sock`."""

    def __init__(self, host: str, port: int, sock: socket.socket) -> None:
        self._since = time.monotonic()
        self._sock = sock
        self._timed = _Timed(sock)
        self._http = http.client.HTTPConnection(host, port)
        self._http.auto_open = 0
        # http.client asks no more of a socket than what _Timed has.
        self._http.sock = self._timed

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        left_s: Callable[[], float],
    ) -> http.client.HTTPResponse:
        """The head of the answer; no wait, now or in its body, outlasts `left_s`."""
        self._timed.left_s = left_s
        try:
            with contextlib.suppress(BrokenPipeError):
                # Who refuses a body may have answered before all of it was read.
                self._http.request(method, path, body, dict(headers))
            return self._http.getresponse()
        except ConnectionError as error:  # that nothing at all came is one as well
            says = str(error) or type(error).__name__
            raise Stale(f"the connection ended without an answer: {says}") from None

    def rest(self) -> None:
        """Nobody uses it from now on, for a while."""
        self._since = time.monotonic()

    def usable(self) -> bool:
        """Whether it may be used again: what could be read now would be its end."""
        if time.monotonic() - self._since > _IDLE_S:
            return False
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close it."""
        self._http.close()
        self._sock.close()


class _Timed:
    """A socket, as far as http.client uses one."""

    def __init__(self, sock: socket.socket) -> None:
        self.left_s: Callable[[], float] = lambda: 0.0
        self._sock = sock

    def begin(self) -> None:
        """Give the next wait what is left; TimeoutError if that is nothing."""
        self._sock.settimeout(positive(self.left_s()))

    def sendall(self, data: bytes) -> None:
        """Send all of it, within the time of one wait."""
        self.begin()
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A reader of what comes."""
        return io.BufferedReader(_Reader(self, self._sock.makefile("rb", buffering=0)))

    def close(self) -> None:
        """Close it; whoever still reads from it holds it open meanwhile."""
        self._sock.close()


class _Reader(io.RawIOBase):
    """What comes over a socket, piece by piece."""

    def __init__(self, timed: _Timed, raw: io.RawIOBase) -> None:
        super().__init__()
        self._timed = timed
        self._raw = raw

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """See io.RawIOBase."""
        self._timed.begin()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()
