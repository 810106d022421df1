"""A plain submission is answered as any other one is, however it comes in.

What goes the short way is a plain `POST /add`; with one header more, it is read by
aiohttp. Both have to say the same.
"""

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from tests.service.standing import standing

LONG_WAY = ("X-Of-No-Meaning", "1")


@pytest.fixture(scope="module", params=[0, 2], ids=["alone", "two_front_ends"])
def service(request, tmp_path_factory):
    """An opaque log."""
    folder = tmp_path_factory.mktemp("express")
    with standing(folder, workers=request.param) as made:
        yield made


class Wire:
    """A connection, as bytes."""

    def __init__(self, service):
        parts = urlsplit(service.url)
        self.socket = socket.create_connection((parts.hostname, parts.port), 20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self.socket.close()

    def answer(self):
        """The next answer: its status, its headers in their order, its body."""
        status = self._file.readline().decode().strip()
        headers = []
        while (line := self._file.readline().decode().strip()) != "":
            name, _, value = line.partition(": ")
            headers.append((name, value))
        body = self._file.read(int(dict(headers)["Content-Length"]))
        return status, headers, body

    def ask(self, *requests):
        """Send all at once; their answers."""
        self.socket.sendall(b"".join(requests))
        return [self.answer() for _ in requests]

    def ended(self):
        """Whether the other side has closed it, and said nothing more."""
        return self._file.read() == b""


def add(body, *more, method="POST", path="/add", host="127.0.0.1"):
    """A request."""
    headers = [("Host", host), ("Content-Length", str(len(body))), *more]
    lines = [f"{method} {path} HTTP/1.1", *(f"{a}: {b}" for a, b in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + body


def comparable(answer):
    """An answer without what is another one each time."""
    status, headers, body = answer
    headers = [(name, "" if name == "Date" else value) for name, value in headers]
    return status, headers, "" if body.isdigit() else body


SITUATIONS = {
    "plain": {},
    "empty": {"body": b""},
    "largest": {"body": b"x" * 65_535},
    "too_large": {"body": b"x" * 65_536},
    "no_token": {"more": [("Authorization", "Bearer nobody")]},
    "unknown_token": {"more": [("Authorization", f"Bearer provlog_{'a' * 43}")]},
    "other_scheme": {"more": [("Authorization", "Basic YTpi")]},
    "other_host": {"host": "log.example"},
    "web_page": {"more": [("Origin", "https://log.example")]},
    "proxy": {"more": [("X-Forwarded-For", "10.0.0.1")]},
    "compressed": {"more": [("Content-Encoding", "gzip")]},
    "typed": {"more": [("Content-Type", "text/html"), ("Accept", "image/png")]},
    "last": {"more": [("Connection", "close")]},
    "kept": {"more": [("Connection", "Keep-Alive")]},
    "twice": {"more": [("Host", "127.0.0.1")]},
    "query": {"path": "/add?x"},
    "elsewhere": {"path": "/Add"},
    "put": {"method": "PUT"},
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_both_ways_say_the_same(service, situation):
    given = dict(SITUATIONS[situation])
    body, more = given.pop("body", b"x"), given.pop("more", [])
    answers = []
    for way in ([], [LONG_WAY]):
        with Wire(service) as wire:
            (answer,) = wire.ask(add(body, *more, *way, **given))
            answers.append(comparable(answer))
    assert answers[0] == answers[1]


def test_both_ways_give_repeated_bytes_their_first_index(tmp_path):
    with standing(tmp_path, dedupe=True) as service, Wire(service) as wire:
        short, long = add(b"one"), add(b"one", LONG_WAY)
        answers = wire.ask(short, short, add(b"two"), long, short, add(b"two"))
    assert [body for _, _, body in answers] == [b"0", b"0", b"1", b"0", b"0", b"1"]


def test_what_comes_at_once_is_answered_in_its_order(service):
    bodies = [b"entry %d" % number for number in range(50)]
    with Wire(service) as wire:
        answers = wire.ask(*map(add, bodies))
    indexes = [int(body) for _, _, body in answers]
    assert indexes == sorted(indexes)
    for index, body in zip(indexes, bodies, strict=True):
        assert service.get(f"/v1/entries/{index}").body == body


def test_a_connection_goes_from_the_short_way_to_the_long_one_and_answers_all(service):
    short, long = add(b"short"), add(b"long", LONG_WAY)
    asked = [short, short, long, short, add(b"", method="GET", path="/checkpoint")]
    asked += [long, short]
    with Wire(service) as wire:
        answers = wire.ask(*asked)
        answers += wire.ask(short)
    assert [status for status, _, _ in answers] == ["HTTP/1.1 200 OK"] * 8
    assert answers[4][2].startswith(service.started["origin"].encode())


def test_a_request_may_come_in_two_pieces_wherever_they_are_cut(service):
    request = add(b"in two pieces")
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda at: cut(service, request, at), range(len(request)))
        assert {status for status, _, _ in answers} == {"HTTP/1.1 200 OK"}


def cut(service, request, at):
    """Send a request in two pieces, the second when the first has been read."""
    with Wire(service) as wire, Wire(service) as other:
        wire.socket.sendall(request[:at])
        other.ask(add(b"meanwhile"))
        wire.socket.sendall(request[at:])
        return wire.answer()


def test_a_body_that_never_comes_is_refused_as_slow(tmp_path):
    settings = "body_timeout_s = 1\n"
    with standing(tmp_path, settings=settings) as service, Wire(service) as wire:
        wire.socket.sendall(add(b"all of it")[:-1])
        status, headers, _ = wire.answer()
        assert status == "HTTP/1.1 408 Request Timeout"
        assert dict(headers)["Connection"] == "close"
        assert wire.ended()


def test_who_goes_away_leaves_an_entry_and_no_trouble(service):
    for _ in range(20):
        with Wire(service) as wire:
            wire.socket.sendall(add(b"and away"))
    with Wire(service) as wire:
        assert wire.ask(add(b"still there"))[0][0] == "HTTP/1.1 200 OK"


def made(folder):
    """A folder, made."""
    folder.mkdir()
    return folder


def counted(service):
    """What is counted of /add."""
    text = service.ask("GET", "/metrics", operations=True).body.decode()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if ('route="add"' in line and "_bucket" not in line and "_sum" not in line)
        or line.startswith("provlog_submitted")
    }


def test_both_ways_are_counted_alike(tmp_path):
    found = []
    for name, way in (("short", []), ("long", [LONG_WAY])):
        with (
            standing(made(tmp_path / name), dedupe=True) as service,
            Wire(service) as wire,
        ):
            bodies = [b"a", b"b", b"a", b"x" * 65_536]
            for body in bodies:
                wire.ask(add(body, *way))
            found.append(counted(service))
    assert found[0] == found[1]
    assert sum("add" in name for name in found[0]) == 3


def test_both_ways_use_up_the_same_share(tmp_path):
    settings = "caller_entries_per_s = 1\nburst_ms = 1000\n"
    found = []
    for name, way in (("short", []), ("long", [LONG_WAY])):
        with standing(made(tmp_path / name), settings=settings) as service:
            with Wire(service) as wire:
                answers = [wire.ask(add(b"x", *way))[0] for _ in range(3)]
            found.append([status for status, _, _ in answers])
    assert found[0] == found[1]
    assert found[0][0] == "HTTP/1.1 200 OK"
    assert found[0][-1] == "HTTP/1.1 429 Too Many Requests"


@contextmanager
def under_way(tmp_path, *requests):
    """Requests, each on its connection, to a service whose writer stands still."""
    with standing(tmp_path, workers=1) as service, ExitStack() as wires:
        writer = service.children()[0]
        os.kill(writer, signal.SIGSTOP)
        sent = [wires.enter_context(Wire(service)) for _ in requests]
        for wire, request in zip(sent, requests, strict=True):
            wire.socket.sendall(request)
        # The front end has read them by the time it answers what came after them.
        service.get("/checkpoint")
        yield service, writer, sent


def test_a_stop_answers_what_is_under_way_and_ends_the_connection(tmp_path):
    requests = add(b"short"), add(b"long", LONG_WAY)
    with under_way(tmp_path, *requests) as (service, writer, wires):
        service.process.send_signal(signal.SIGTERM)
        service.until(lambda: service.get("/checkpoint").headers["Connection"])
        os.kill(writer, signal.SIGCONT)
        answers = [wire.answer() for wire in wires]
        assert comparable(answers[0]) == comparable(answers[1])
        assert dict(answers[0][1])["Connection"] == "close"
        assert sorted(body for _, _, body in answers) == [b"0", b"1"]
        assert all(wire.ended() for wire in wires)


def test_both_ways_tell_the_truth_when_the_writer_is_gone(tmp_path):
    requests = add(b"short"), add(b"long", LONG_WAY)
    with under_way(tmp_path, *requests) as (_, writer, wires):
        os.kill(writer, signal.SIGKILL)
        answers = [comparable(wire.answer()) for wire in wires]
    assert answers[0] == answers[1]
    assert b"may or may not have been logged" in answers[0][2]
