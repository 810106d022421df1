"""LiveService: `provlog serve` in processes of its own, over a real log and loopback.

What it answers is remembered by the log's auditor, who looks at all of it when the
test is over: every index that anybody was given, every checkpoint that was shown.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.livelog import LiveLog
from verifier.receipt import Receipt

START_S = 30


class Response(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """Which problem it is: the name behind the # of its type."""
        assert self.headers["Content-Type"] == "application/problem+json"
        return str(self.json["type"]).rpartition("#")[2]


class LiveService:
    """A service of the log `live`, with `workers` front ends."""

    __test__ = False

    def __init__(
        self,
        live: LiveLog,
        *,
        workers: int = 0,
        arguments: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
    ) -> None:
        self.live = live
        self.lines: list[str] = []
        self._errors = open(live.folder.parent / "serve.log", "w+")  # noqa: SIM115
        command = (
            *wrapper,
            *(sys.executable, "-m", "cli", "serve", str(live.folder), "--json"),
            *("--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0"),
            *("--workers", str(workers), *arguments),
        )
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | dict(environment or {}),
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("\n".join(self.lines))
        self.started = json.loads(line)
        self.url: str = self.started["url"]
        self.operations: str = self.started["operations"]

    def said(self) -> str:
        """All that it has written to standard error."""
        self._errors.flush()
        self._errors.seek(0)
        return self._errors.read()

    def connect(self, *, timeout: float = 20) -> http.client.HTTPConnection:
        """A new connection."""
        parts = urlsplit(self.url)
        return http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=timeout
        )

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        operations: bool = False,
    ) -> Response:
        """Ask once, over a connection of its own."""
        parts = urlsplit(self.operations if operations else self.url)
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=20
        )
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Response:
        """GET `path`; a header's _ is a -."""
        return self.ask("GET", path, headers=_named(headers))

    def post(self, path: str, body: bytes, **headers: str) -> Response:
        """POST `body`."""
        return self.ask("POST", path, body, _named(headers))

    def submit(self, body: bytes, **headers: str) -> Response:
        """Log one entry or record, and remember what was promised."""
        response = self.post("/v1/records", body, **headers)
        assert response.status in (200, 201), response
        self.remember(response.json)
        return response

    def remember(self, result: Mapping[str, Any]) -> None:
        """Keep what an answer promises, for the audit."""
        entry = base64.b64decode(result["entry"])
        assert self.live.promised.setdefault(result["index"], entry) == entry
        self.live.saw(Receipt.parse(result["receipt"].encode()).checkpoint)

    def children(self) -> list[int]:
        """The processes of a service that has workers: the writer comes first."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path) as file:
            return sorted(int(each) for each in file.read().split())

    def in_order(self) -> list[int]:
        """The same as they were begun: writer, front ends, index, publisher."""
        while True:
            children = self.children()
            # One may end while this looks: then others are there.
            with suppress(FileNotFoundError, ProcessLookupError):
                return sorted(children, key=lambda pid: (_begun(pid), pid))

    def until(self, holds: Any, *, within_s: float = 20) -> None:
        """Return when `holds()`; fail if it does not in time."""
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(START_S)
        if self.process.stdout:
            self.process.stdout.close()
        if not self._errors.closed:
            self.lines = self.said().splitlines()
            self._errors.close()
        return status


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _begun(pid: int) -> int:
    """When a process began, in ticks."""
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text.rpartition(")")[2].split()[19])
