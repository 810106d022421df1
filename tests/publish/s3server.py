"""An S3 server (moto) on the loopback, with its faults in the tests' hands.

Each request is done alone, so that its conditions hold as they do in a store that
is consistent; what is spoilt is spoilt before it is done, or after.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import pytest
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.serving import WSGIRequestHandler, make_server

from ledger.objects import Bucket

Fault = Callable[[str, str], str]
"""Given a method and a path: "", or what goes wrong: refuse, forget, hang, blind."""

BUCKET = "transparent"


class _Silent(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing."""


class S3Server:
    """The server; `asked` is what it was asked, `fault` what it does wrong."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._alone = threading.Lock()
        self.asked: list[tuple[str, str]] = []
        self.fault: Fault = lambda method, path: ""
        self.released = threading.Event()
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=_Silent
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.asked.append((method, path))
        wrong = self.fault(method, path)
        if wrong == "hang":
            self.released.wait()
        if wrong == "refuse":
            start("503 Slow Down", [("Content-Length", "0")])
            return [b""]
        if wrong == "blind":
            # As services do that were written before there were conditions.
            for name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"):
                environ.pop(name, None)
        with self._alone:
            body = b"".join(self._app(environ, start))
        if wrong == "forget":
            # It was done, and whoever asked is not told so.
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return [body]


@contextmanager
def served(patch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server, and an environment that leads to it, with an empty bucket."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        patch.delenv(name, raising=False)
    server = S3Server()
    patch.setenv("AWS_ENDPOINT_URL", server.url)
    patch.setenv("AWS_ALLOW_HTTP", "true")
    patch.setenv("AWS_REGION", "us-east-1")
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    try:
        Bucket(f"s3://{BUCKET}")  # what the environment says is understood
        _make_bucket(server.url)
        yield server
    finally:
        server.close()


def _make_bucket(url: str) -> None:
    with urlopen(Request(f"{url}/{BUCKET}", method="PUT")) as answer:  # noqa: S310 - http
        assert answer.status == 200
