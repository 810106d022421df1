"""A wire: bytes to a service and back, as no polite client would send them."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from ledger.callers.issuing import create
from tests.liveservice import LiveService


class Said(NamedTuple):
    """One answer, as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        """Which problem it is."""
        assert self.headers["content-type"] == "application/problem+json"
        return str(self.json["type"]).rpartition("#")[2]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Wire:
    """One connection to `service`; `buffer_bytes` is what we take without reading."""

    def __init__(
        self, service: LiveService, *, buffer_bytes: int = 0, patience_s: float = 10
    ) -> None:
        parts = urlsplit(service.url)
        self.socket = socket.socket()
        self.socket.settimeout(patience_s)
        if buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect((parts.hostname, parts.port))
        self.host = f"Host: {parts.netloc}\r\n".encode()
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send `data`; it may be that nobody takes it any more."""
        with suppress(ConnectionError, TimeoutError):
            self.socket.sendall(data)

    def ask(self, line: str, *headers: str, body: bytes = b"") -> Said | None:
        """Send a request with a proper Host, and read the answer."""
        self.begin(line, *headers, body=body)
        return self.answer()

    def begin(self, line: str, *headers: str, body: bytes = b"") -> None:
        """Send a request with a proper Host."""
        head = f"{line} HTTP/1.1\r\n".encode() + self.host
        self.send(head + "".join(f"{x}\r\n" for x in headers).encode() + b"\r\n" + body)

    def answer(self) -> Said | None:
        """The next answer; None if the connection ended instead."""
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (each.partition(":") for each in lines)
        }
        while len(self._rest) < int(headers.get("content-length", 0)):
            if not self._more():
                return None
        size = int(headers.get("content-length", 0))
        body, self._rest = self._rest[:size], self._rest[size:]
        return Said(int(line.split()[1]), headers, body)

    def ended(self) -> bool:
        """Whether the other side ends the connection, within our patience."""
        try:
            while self._more():
                self._rest = b""
        except TimeoutError:
            return False
        return True

    def rest(self) -> bytes:
        """All that comes until the end."""
        while self._more():
            pass
        return self._rest

    def _until(self, mark: bytes) -> bytes | None:
        while mark not in self._rest:
            if not self._more():
                return None
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _more(self) -> bool:
        try:
            piece = self.socket.recv(1 << 16)
        except ConnectionError:
            return False
        self._rest += piece
        return bool(piece)


def front_end(service: LiveService) -> int:
    """The process of the first front end."""
    return service.children()[1]


def resident_bytes(process: int) -> int:
    """How much memory a process has."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError(process)


def busy_s(process: int) -> float:
    """How long a process has computed."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def size_of(service: LiveService) -> int:
    """How many entries the log has now."""
    return int(service.ask("GET", "/healthz", operations=True).json["size"])


def measured(service: LiveService, name: str) -> float:
    """The sum of a metric."""
    text = service.ask("GET", "/metrics", operations=True).body.decode()
    lines = [each for each in text.splitlines() if each.startswith(name)]
    return sum(float(each.rpartition(" ")[2]) for each in lines)


def quiet(service: LiveService) -> bool:
    """Whether it has told nobody to wake up, and shown no insides."""
    said = service.said()
    return "Traceback" not in said and " error " not in said


def now_ms() -> int:
    """The time that a token is made at."""
    return time.time_ns() // 1_000_000


def token_of(service: LiveService, *scopes: str, **options: Any) -> str:
    """A new token of the log that `service` serves."""
    scopes = scopes or ("submit", "read")
    text, _ = create(service.live.folder, scopes=scopes, now_ms=now_ms(), **options)
    return text


def bearing(token: str) -> str:
    """The header that shows a token."""
    return f"Bearer {token}"
