"""Every route of a witness, an anchor and a mirror has a cap of bytes, time and crowd.

A limit that is attached to one route by name is missing at the next one. So all three
servers are asked at each of their routes, and at one that they do not have.
"""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from ledger.clock import stopwatch
from ledger.http import anchoring, mirroring, witnessing
from ledger.http.small import small_server
from ledger.log.kept import MAX_BYTES
from ledger.witness.anchorhome import Anchorers
from ledger.witness.anchoring import Anchoring
from tests.mirror.mirroring import log_of, mirrored
from tests.witness.asked import Asked, Table
from tests.witness.serving import ask, serving

HASH = "0" * 64
ROUTES = {
    "witness": [
        ("POST", "/add-checkpoint"),
        ("POST", "/witness/add-checkpoint"),
        ("GET", f"/{HASH}/checkpoint"),
        ("GET", "/"),
    ],
    "anchor": [("POST", f"/v1/anchor/{HASH}"), ("GET", f"/v1/anchor/{HASH}")],
    "mirror": [("GET", "/checkpoint"), ("GET", "/tile/entries/000.p/3")],
}
NONE = [("POST", "/nothing"), ("PUT", "/checkpoint")]
MOST = {
    "witness": witnessing.MAX_BODY,
    "anchor": MAX_BYTES,
    "mirror": 0,
}
PATIENCE_S, CROWD = 0.3, 12


@contextmanager
def served(kind, folder):
    """The true server of this kind, at its port."""
    with ThreadPoolExecutor(2) as threads:
        if kind == "witness":
            made = witnessing.witness_server, Asked(folder).cosigner, threads
        elif kind == "anchor":
            (folder / "logs.txt").write_text("")
            known = Anchoring(Anchorers(folder / "logs.txt"), Table())
            made = anchoring.anchor_server, known, threads
        else:
            log = log_of(folder / "log", 3)
            mirrored(log.folder, folder / "mirror", log)
            made = mirroring.mirror_server, folder / "mirror"
        with serving(partial(*made)) as port:
            yield port


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    """All three, with less patience and room than they have: the same code."""

    def smaller(answer, **given):
        less = {"patience_s": PATIENCE_S, "connections": CROWD}
        return small_server(answer, **given | less)

    with pytest.MonkeyPatch.context() as patch:
        for room in (witnessing, anchoring, mirroring):
            patch.setattr(room, "small_server", smaller)
        folders = {kind: tmp_path_factory.mktemp(kind) for kind in ROUTES}
        with (
            served("witness", folders["witness"]) as witness,
            served("anchor", folders["anchor"]) as anchor,
            served("mirror", folders["mirror"]) as mirror,
        ):
            yield {"witness": witness, "anchor": anchor, "mirror": mirror}


def told(port, data):
    """The first line of what is answered to these bytes, until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(data)
        answer = b""
        try:
            while part := wire.recv(1 << 16):
                answer += part
        except ConnectionError:
            pass
    return answer.partition(b"\r\n")[0]


def head(method, path, length):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"


def at_each(kind, ask_one):
    """What comes of it at every route, asked at once: each waits for its own end."""
    routes = [*ROUTES[kind], *NONE]
    with ThreadPoolExecutor(len(routes)) as threads:
        return list(threads.map(ask_one, *zip(*routes, strict=True)))


@pytest.mark.parametrize("kind", ROUTES)
def test_a_body_that_is_too_long_is_refused_before_it_comes(ports, kind):
    def refused(method, path):
        return told(ports[kind], head(method, path, MOST[kind] + 1).encode())[:12]

    assert set(at_each(kind, refused)) == {b"HTTP/1.1 413"}


@pytest.mark.parametrize("kind", ROUTES)
def test_what_does_not_come_to_its_end_is_ended(ports, kind):
    def ends(method, path):
        # Of half a head nothing is said, since nobody has asked anything yet.
        half = told(ports[kind], head(method, path, 0).encode()[:-3])
        asked = head(method, path, 9).encode() + b"a"
        return half, told(ports[kind], asked)[:12] if MOST[kind] else None

    slow = b"HTTP/1.1 408" if MOST[kind] else None
    assert set(at_each(kind, ends)) == {(b"", slow)}


@pytest.mark.parametrize("kind", ROUTES)
def test_half_a_head_behind_a_request_has_no_longer_than_any(ports, kind):
    def ends(method, path):
        whole = head(method, path, 0).encode()
        began = stopwatch()
        told(ports[kind], whole + whole[:-3])
        return stopwatch() - began

    assert max(at_each(kind, ends)) < 8 * PATIENCE_S


@pytest.mark.parametrize("kind", ROUTES)
def test_a_crowd_that_says_nothing_keeps_nobody_out(ports, kind):
    crowd = [
        socket.create_connection(("127.0.0.1", ports[kind])) for _ in range(3 * CROWD)
    ]
    try:
        for method, path in ROUTES[kind]:
            assert ask(ports[kind], method, path).status < 500
    finally:
        for each in crowd:
            each.close()


@pytest.mark.parametrize("kind", ROUTES)
def test_without_a_wish_each_has_these_limits_too(kind, tmp_path):
    made = []

    def kept(answer, **given):
        made.append(small_server(answer, **given))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        for room in (witnessing, anchoring, mirroring):
            patch.setattr(room, "small_server", kept)
        with served(kind, tmp_path):
            [server] = made
            assert 0 < server.most <= 256
            assert 0 < server.request_s <= 20
