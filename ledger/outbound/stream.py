"""One connection to an IP that was judged, no wait of which outlasts one moment.

The timeout of a socket is for one read, so that a server which sends a byte now and
then would be waited for without end. Here each wait gets what is left of the whole
exchange when it begins; no thread has to watch over it.
"""

from __future__ import annotations

import contextlib
import io
import queue
import select
import socket
import ssl
import threading
from typing import Any, Final

from ledger.clock import stopwatch
from ledger.outbound.address import Address, Reach, parse_ip
from ledger.outbound.answer import NoAnswer

Place = tuple[socket.AddressFamily, tuple[Any, ...]]

_TRUST: Final = "SSL_CERT_FILE in the environment names a file of certificates to trust"


class Stream:
    """A socket, as far as http.client uses one. `heard`: something has come."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._until = 0.0
        self.heard = False

    def begin(self, until: float) -> None:
        """All that is waited for from now on is waited for until then."""
        self._until = until
        self.heard = False

    def wait(self) -> None:
        """Give the next wait what is left; TimeoutError if that is nothing."""
        self._sock.settimeout(left(self._until))

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        # The sendall() of a TLS socket starts its timeout again with each piece.
        rest = memoryview(data)
        while rest:
            self.wait()
            rest = rest[self._sock.send(rest) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A reader of what comes."""
        return io.BufferedReader(_Reader(self, self._sock))

    def close(self) -> None:
        """Nothing: http.client closes before it has read an answer; see `end`."""

    def end(self) -> None:
        """Close it."""
        self._sock.close()

    @property
    def usable(self) -> bool:
        """Whether it may be used again.

        What could be read before we have asked is its end, or would be taken for the
        answer to what we ask next.
        """
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        pending = isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()
        return not pending and not poll.poll(0)


class _Reader(io.RawIOBase):
    """What comes over a socket, piece by piece."""

    def __init__(self, stream: Stream, sock: socket.socket) -> None:
        super().__init__()
        self._stream = stream
        self._sock = sock

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase."""
        self._stream.wait()
        count = self._sock.recv_into(buffer)
        self._stream.heard |= count > 0
        return count


def left(until: float) -> float:
    """How long it still is, if that is any time; TimeoutError if not."""
    left_s = until - stopwatch()
    if left_s <= 0:  # which a socket would take for "do not wait"
        raise TimeoutError("the time was over")
    return left_s


def opened(
    address: Address, reach: Reach, tls: ssl.SSLContext | None, *, until: float
) -> Stream:
    """A new connection. What was judged is what is connected to: nothing asks again."""
    places = _resolved(address, until)
    ips = [parse_ip(place[0]) for _, place in places]
    reach.check(address, ips)
    sock = _connected(places, until)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            sock.settimeout(left(until))  # it bounds the handshake as a whole
            sock = tls.wrap_socket(sock, server_hostname=address.host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        says = f"{address} is not whom it says: {error.verify_message}; {_TRUST}"
        raise NoAnswer(says) from None
    except BaseException:
        sock.close()
        raise
    return Stream(sock)


def _resolved(address: Address, until: float) -> list[Place]:
    """Every place that the name has."""
    # A resolver waits as long as it likes, and cannot be told to end.
    found: queue.SimpleQueue[list[Place] | OSError] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            rows = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM
            )
            found.put([(family, place) for family, _, _, _, place in rows])
        except OSError as error:
            found.put(error)
        except UnicodeError:
            found.put(OSError("it is no name that can be looked up"))

    threading.Thread(target=resolve, daemon=True).start()
    try:
        result = found.get(timeout=left(until))
    except queue.Empty:
        raise TimeoutError("its name was not resolved in time") from None
    if isinstance(result, OSError):
        raise result
    return result


def _connected(places: list[Place], until: float) -> socket.socket:
    last = OSError("it has no address")
    for at, (family, place) in enumerate(places):
        sock = socket.socket(family, socket.SOCK_STREAM)
        with contextlib.ExitStack() as stack:
            stack.callback(sock.close)
            try:
                # One that drops what comes must not take the time of the others.
                sock.settimeout(left(until) / (len(places) - at))
                sock.connect(place)
            except OSError as error:
                last = error
            else:
                stack.pop_all()
                return sock
    raise last
