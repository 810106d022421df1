"""Witnesses at the loopback: a true one, and whatever else may be at an address."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ledger.clock import Instant
from ledger.keys.witnesskeys import Cosigning, WitnessKeys
from ledger.witness.cosigner import Cosigner
from ledger.witness.known import Known
from tests import loopback
from tests.testlog import LOG, TIME, checkpoint_text, note
from tests.witness.asked import TREE, Table
from verifier.checkpoint import Checkpoint
from verifier.policy import Policy
from verifier.witnessing import SIZE_TYPE, size_text

REACH = ["127.0.0.1"]
Behave = Callable[["Handler", bytes], None]


class Witness(loopback.Server):
    """Answers as `behave` does, which a test may change at any time."""

    daemon_threads = True

    def __init__(self, behave: Behave) -> None:
        super().__init__(Handler)
        self.behave = behave
        self.bodies: list[bytes] = []
        self.url = f"http://127.0.0.1:{self.server_port}/w"


class Handler(loopback.Handler):
    """One connection."""

    server: Witness

    def do_POST(self) -> None:  # noqa: N802 - http.server calls it so
        """Answer as the server was told to."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/w/add-checkpoint"
        self.server.bodies.append(body)
        self.server.connections.add(self.client_address)
        self.server.arrived.set()
        self.server.behave(self, body)


def send(
    handler: Handler, status: int, body: bytes = b"", kind: str = "text/plain", **more
) -> None:
    """Answer properly."""
    handler.send_response(status)
    head = {"Content-Length": len(body), "Content-Type": kind, **more}
    for name, value in head.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def says(status: int, body: bytes = b"", kind: str = "text/plain", **more) -> Behave:
    """Always the same answer."""
    return lambda handler, _: send(handler, status, body, kind, **more)


def has(size: int) -> Behave:
    """The answer of one that says it cosigned `size` last, whatever it is sent."""
    return says(409, size_text(size), SIZE_TYPE)


def raw(data: bytes) -> Behave:
    """Send these bytes, and hang up."""

    def behave(handler: Handler, _: bytes) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return behave


def stalls_after(data: bytes) -> Behave:
    """Send these bytes and no more, and keep the connection."""

    def behave(handler: Handler, _: bytes) -> None:
        handler.wfile.write(data)
        handler.server.stopped.wait(10)
        handler.close_connection = True

    return behave


STALLS = {
    "before": stalls_after(b""),
    "head": stalls_after(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "body": stalls_after(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\xe2\x80"),
}
OTHERS = {
    "closes": raw(b""),
    "speaks TLS": raw(b"\x15\x03\x03\x00\x02\x02\x28"),
    "redirects": says(302, Location="http://metadata.example/latest"),
    "sends 10 MB": says(200, b"a" * 10_000_000),
    "sends garbage": says(200, b"\xff\xfe\n"),
    "sends nothing": says(200),
    "is ahead by far": has(2**63 - 1),
    "counts past 2^63": has(2**63),
    "says the same for ever": has(0),
    "says 409 and no size": says(409, b"7\n"),
    "fails": says(500, b"no"),
}


class Honest:
    """A true witness behind an address; it can forget, which a true one must not."""

    def __init__(self, name: str, folder: Path) -> None:
        self.now = TIME
        self.keys = WitnessKeys.generate(name)
        self.signing = Cosigning(self.keys)
        logs = folder / f"{name.replace('/', '-')}.txt"
        logs.write_text(f"log {LOG.vkey}\n")
        self.known = Known(logs, own=self.signing.verifier_keys())
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.cosigner = Cosigner(self.signing, self.known, Table(), clock=self.instant)

    def instant(self) -> Instant:
        """Its clock."""
        return Instant(wall_ms=self.now * 1000, boot_ms=0)

    def __call__(self, handler: Handler, body: bytes) -> None:
        """Answer as the specification says."""
        answer = self.cosigner.add(body)
        send(handler, answer.status, answer.body, answer.content_type)

    def vkeys(self) -> list[str]:
        """Ed25519 first."""
        return [each.text() for each in self.signing.verifier_keys()]


@contextlib.contextmanager
def serving(behave: Behave) -> Iterator[Witness]:
    """Let a witness answer for as long as the block lasts."""
    server = Witness(behave)
    with loopback.running(server):
        yield server


def policy_of(*lines: tuple[str, str], quorum: str) -> Policy:
    """A policy of w1, w2 and so on, with these keys and addresses."""
    names = [f"w{number}" for number in range(1, len(lines) + 1)]
    text = f"log {LOG.vkey}\n"
    for name, (vkey, url) in zip(names, lines, strict=True):
        text += f"witness {name} {vkey} {url}\n"
    if quorum != "none":
        text += f"group g {quorum} {' '.join(names)}\n"
    return Policy.parse(
        f"{text}quorum {'none' if quorum == 'none' else 'g'}\n".encode()
    )


def signed(size: int) -> tuple[bytes, Checkpoint]:
    """The log's checkpoint of the first `size` entries."""
    text = checkpoint_text(size, TREE.mth(0, size))
    return note(text, LOG.line(text)), Checkpoint.parse(text)


def prove(first: int, second: int) -> list[bytes]:
    """As the log does."""
    return TREE.consistency(first, second)


def clock() -> Instant:
    """Ours."""
    return Instant(wall_ms=TIME * 1000, boot_ms=0)
