"""An answer is waited for and read only so far, and what is no whole one is none."""

import socket
import threading
import time

import pytest

from ledger.outbound import Line, NoAnswer
from tests.loopback import answer, drip, raw, silent

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "behaviour",
    [
        silent,
        drip(b"", HEAD * 1000),
        drip(HEAD, b"X: y\r\n" * 1000),
        drip(HEAD + b"Content-Length: 9000\r\n\r\n", b"a" * 9000),
        drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 1000),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ],
    ids=["silence", "line", "head", "body", "chunks", "hold on"],
)
def test_who_answers_slowly_is_cut_off(line, behaviour):
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=r"within 0\.2 s"):
        line(behaviour, patience_s=0.2).get()
    assert time.monotonic() - began < 2


def test_a_question_may_have_less_time_than_the_line(line):
    with pytest.raises(NoAnswer, match=r"within 0\.1 s"):
        line(silent).post("", b"", patience_s=0.1)


def test_without_any_time_nobody_is_asked(server, line):
    with pytest.raises(NoAnswer, match="within 0 s"):
        line(answer(), patience_s=0).get()
    assert not server.requests


def test_who_does_not_read_is_not_written_to_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        line = Line(url, reach=["127.0.0.1"], patience_s=0.2)
        with pytest.raises(NoAnswer, match="within"):
            line.post("", bytes(20_000_000))


def test_a_name_that_is_not_resolved_in_time_is_not_waited_for(monkeypatch, line):
    began, ended = time.monotonic(), []
    let_go = threading.Event()

    def getaddrinfo(*_, **__):
        let_go.wait(10)
        ended.append(True)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        with pytest.raises(NoAnswer, match="within"):
            line(answer(), patience_s=0.1).get()
        assert not ended
        assert time.monotonic() - began < 2
    finally:
        let_go.set()


def test_an_answer_is_read_no_further_than_it_may_be_long(line):
    assert len(line(answer(body=bytes(65_536))).get().body) == 65_536
    with pytest.raises(NoAnswer, match="more than 65536 bytes"):
        line(answer(body=bytes(10 << 20))).get()


@pytest.mark.parametrize(
    "behaviour",
    [
        raw(HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n"),
        raw(HEAD + b"X: y\r\n" * 200 + b"\r\n"),
        raw(b"a" * 70_000),
        raw(b"220 mail.example\r\n"),
        raw(HEAD + b"Content-Length: 9\r\n\r\n1234"),
        raw(HEAD + b"\r\n1234"),
        raw(HEAD + b"Content-Le"),
        raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n"),
        raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nno\r\n1234\r\n"),
        raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + b"\r\n"),
        answer(body=b"a", Content_Encoding="gzip"),
    ],
    ids=[
        *["long header", "many headers", "long line", "no HTTP", "cut", "endless"],
        *["cut head", "cut chunks", "no chunk", "not yet", "packed"],
    ],
)
def test_what_is_no_whole_answer_is_none(server, line, behaviour):
    asked = line(behaviour, answer(body=b"next"))
    with pytest.raises(NoAnswer):
        asked.get()
    assert asked.get().body == b"next"
    assert len(server.connections) == 2


def test_a_body_in_chunks_is_read_whole(server, line):
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"

    def chunked(handler):
        handler.wfile.write(HEAD + chunks)

    asked = line(chunked)
    assert [asked.get().body for _ in range(2)] == [b"abc"] * 2
    assert len(server.connections) == 1
