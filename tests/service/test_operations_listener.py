"""The operations listener tells a machine how the log is, and is held up by nobody."""

import asyncio
import dataclasses
import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import uvloop
from prometheus_client.parser import text_string_to_metric_families as families

from ledger.http import operations
from ledger.http.operations import Health, operations_server
from ledger.log.states import MENDS
from ledger.metrics import BATCHES, HEAD_SIZE
from ledger.metrics.counts import CONTENT_TYPE, Counts

WRITES = Health(
    ready=True, state="writes", says="it writes", mend="", size=7, front_ends=2
)
FULL = dataclasses.replace(
    WRITES, ready=False, state="full", says="no room", mend="make room"
)
PATHS = ["/healthz", "/readyz", "/metrics"]
WAIT_S = 10


@contextmanager
def listening(loop_factory):
    """A listener of its own, in its own thread; `there.health` is what it finds."""
    there = SimpleNamespace(health=WRITES, counts=Counts(), looked=0)
    up, loops = threading.Event(), []

    def look():
        there.looked += 1
        if isinstance(there.health, Exception):
            raise there.health
        return there.health

    async def serve():
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        there.server = operations_server(look, there.counts)
        listener = await loop.create_server(there.server, "127.0.0.1", 0)
        there.address = listener.sockets[0].getsockname()
        loops.append((loop, end))
        up.set()
        await end.wait()
        listener.close()
        await there.server.shutdown(1)
        await listener.wait_closed()

    def run():
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert up.wait(WAIT_S)
    try:
        yield there
    finally:
        (loop, end) = loops[0]
        loop.call_soon_threadsafe(end.set)
        thread.join()


@pytest.fixture(
    params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def there(request):
    with listening(request.param) as listener:
        yield listener


def ask(there, path, method="GET", **headers):
    """The answer: its status, its headers, its body."""
    connection = http.client.HTTPConnection(*there.address, timeout=WAIT_S)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return SimpleNamespace(
            status=answer.status, headers=answer.headers, body=answer.read()
        )
    finally:
        connection.close()


def connect(there, data=b""):
    """A connection on which `data` was sent, and nothing is read."""
    client = socket.create_connection(there.address, timeout=WAIT_S)
    client.sendall(data)
    return client


def ended(client):
    """What still came until the other side ended it."""
    came = b""
    try:
        while data := client.recv(1 << 16):
            came += data
    except ConnectionResetError:
        pass
    return came


# Health


def test_a_log_that_writes_is_healthy_and_says_its_size(there):
    answer = ask(there, "/healthz")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    told = {"state": "writes", "size": 7, "front_ends": 2}
    assert json.loads(answer.body) == told


@pytest.mark.parametrize("state", MENDS)
def test_a_log_that_is_held_is_healthy_and_not_ready(state):
    with listening(asyncio.new_event_loop) as there:
        there.health = dataclasses.replace(FULL, state=state)
        health, ready = ask(there, "/healthz"), ask(there, "/readyz")
    assert (health.status, ready.status) == (200, 503)
    assert json.loads(health.body)["state"] == json.loads(ready.body)["state"] == state


def test_ready_is_told_with_200(there):
    answer = ask(there, "/readyz")
    assert (answer.status, answer.headers["Retry-After"]) == (200, None)
    told = {"ready": True, "state": "writes", "says": "it writes", "mend": ""}
    assert json.loads(answer.body) == told


def test_not_ready_is_told_with_503_its_reason_and_what_mends_it(there):
    there.health = FULL
    answer = ask(there, "/readyz")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    told = {"ready": False, "state": "full", "says": "no room", "mend": "make room"}
    assert json.loads(answer.body) == told


def test_ready_is_another_thing_than_the_state(there):
    # A log that writes, without a front end yet, takes nothing.
    there.health = dataclasses.replace(WRITES, ready=False, front_ends=0)
    assert ask(there, "/readyz").status == 503


def test_each_request_looks_again(there):
    assert ask(there, "/readyz").status == 200
    there.health = FULL
    assert ask(there, "/readyz").status == 503
    there.health = WRITES
    assert ask(there, "/readyz").status == 200


def test_an_answer_is_ascii_whatever_it_says(there):
    there.health = dataclasses.replace(FULL, says="\u202eключ\udcff\n\x1b[2J")
    answer = ask(there, "/readyz")
    assert answer.body.isascii()
    assert b"\x1b" not in answer.body
    assert json.loads(answer.body)["says"] == there.health.says


def test_who_cannot_look_says_500_and_whoever_runs_the_log_is_told_why(there, caplog):
    there.health = OSError("the disk is gone")
    answer = ask(there, "/healthz")
    assert (answer.status, b"disk" in answer.body) == (500, False)
    (line,) = caplog.messages
    assert line.startswith("request_failed ")
    assert "the disk is gone" in line
    assert json.loads(answer.body)["detail"].removeprefix("id ") in line


# Metrics


def test_metrics_are_the_counts_as_they_are_now(there):
    there.counts.set(HEAD_SIZE, 7)
    assert b"\nprovlog_head_size 7.0\n" in ask(there, "/metrics").body
    there.counts.add(BATCHES, 3)
    answer = ask(there, "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    told = {each.name: each for each in families(answer.body.decode())}
    assert told["provlog_batches"].samples[0].value == 3


# Any request


@pytest.mark.parametrize("path", PATHS)
def test_head_says_the_same_without_the_body(there, path):
    get, head = ask(there, path), ask(there, path, "HEAD")
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["Content-Length"] == str(len(get.body))
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_answer_is_kept_and_no_connection(there, path, method):
    headers = ask(there, path, method).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Connection"] == "close"
    assert headers["Server"] == "provlog"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/healthz/", "/HEALTHZ", "//healthz", "/%68ealthz", "/metrics/.."),
        *("/v1/records", "/checkpoint", "/marker-" + "x" * 4_000),
    ],
    ids=lambda path: path[:16],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_nothing_else_is_here(there, path, method):
    answer = ask(there, path, method)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert (problem["status"], problem["check"]) == (404, "not-found")
    assert "marker" not in answer.body.decode()
    assert there.looked == 0


def test_a_query_changes_nothing(there):
    assert ask(there, "/healthz?verbose=1").body == ask(there, "/healthz").body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]
)
def test_nothing_can_be_changed(there, path, method):
    answer = ask(there, path, method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert json.loads(answer.body)["check"] == "method"


# Clients that take their time


def test_a_body_is_not_waited_for(there, monkeypatch):
    monkeypatch.setattr(operations, "CONNECTION_S", 600)
    head = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n"
    with connect(there, head) as client:
        assert ended(client).startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTT", b"GET / HTTP/1.1\r\nA: b"])
def test_a_request_that_does_not_come_is_ended(there, sent, monkeypatch):
    monkeypatch.setattr(operations, "CONNECTION_S", 0.1)
    with connect(there, sent) as client:
        assert ended(client) == b""


def test_an_answer_that_nobody_takes_is_ended(there, monkeypatch):
    monkeypatch.setattr(operations, "CONNECTION_S", 0.2)
    # More than any kernel takes over: the rest has to wait here.
    monkeypatch.setattr(there.counts, "render", lambda: bytes(64 << 20))
    with connect(there, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        assert client.recv(12) == b"HTTP/1.1 200"
        (stuck,) = there.server.connections
        latest = time.monotonic() + WAIT_S
        while stuck in there.server.connections and time.monotonic() < latest:
            assert ask(there, "/healthz").status == 200
        assert stuck not in there.server.connections
        assert len(ended(client)) < 64 << 20


def test_idle_connections_keep_no_probe_out(there):
    idle = [connect(there) for _ in range(operations.CONNECTIONS + 5)]
    try:
        assert ask(there, "/healthz").status == 200
        assert ended(idle[0]) == b""
        assert len(there.server._ends) <= operations.CONNECTIONS
        idle[-1].sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert ended(idle[-1]).startswith(b"HTTP/1.0 200 ")
    finally:
        for client in idle:
            client.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00marker\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: marker\r\n" * 999,
        b"GET / HTTP/1.1\r\nmarker\r\n\r\n",
    ],
    ids=["TLS", "headers without end", "no header"],
)
def test_what_is_no_request_is_refused_and_neither_said_again_nor_kept(
    there, sent, caplog
):
    with connect(there, sent) as client:
        head, body = ended(client).split(b"\r\n\r\n")
    assert b" 400 " in head
    assert json.loads(body)["check"] == "http"
    assert b"marker" not in head + body
    assert not caplog.records
