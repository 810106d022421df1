"""A server on the loopback that answers as a test tells it to, and stops with it."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Behave = Callable[["Handler"], None]


class Server(http.server.ThreadingHTTPServer):
    """Answers each request with the next of `behaviours`, the last one for ever."""

    behaviours: Sequence[Behave] = ()

    def __init__(self, handler: type[Handler] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections: set[tuple[str, int]] = set()
        self.arrived, self.stopped = threading.Event(), threading.Event()
        self.prefix = f"http://127.0.0.1:{self.server_port}/log"

    def handle_error(self, request: object, client_address: object) -> None:
        """The client may go away when it likes."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Answer as the server was told to."""
        server = self.server
        server.requests.append((self.path, dict(self.headers)))
        server.connections.add(self.client_address)
        at = min(len(server.requests), len(server.behaviours)) - 1
        server.behaviours[at](self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def answer(status: int = 200, body: bytes = b"", **headers: object) -> Behave:
    """A proper answer."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            handler.send_header(name.replace("_", "-"), str(value))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def raw(data: bytes) -> Behave:
    """Send `data` as it is, and hang up."""

    def behave(handler: Handler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return behave


def drip(head: bytes, rest: bytes) -> Behave:
    """Send `rest` byte by byte; it ends well, if only one waits long enough."""

    def behave(handler: Handler) -> None:
        handler.wfile.write(head)
        for at in range(len(rest)):
            if handler.server.stopped.wait(0.02):
                return
            handler.wfile.write(rest[at : at + 1])
        handler.close_connection = True

    return behave


def silent(handler: Handler) -> None:
    """Take the request and say nothing."""
    handler.server.stopped.wait(10)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    """Let `server` answer for as long as the block lasts."""
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


def folder(where: Path) -> Behave:
    """Serve the files in `where`, compressed as servers like to."""

    def behave(handler: Handler) -> None:
        path = where / handler.path.removeprefix("/log/")
        if not path.is_file():
            answer(404, b"there is no such file " * 500)(handler)
        elif "entries" in handler.path:
            packed = gzip.compress(path.read_bytes(), 1)
            answer(body=packed, Content_Encoding="gzip")(handler)
        else:
            answer(body=path.read_bytes())(handler)

    return behave
