"""A head that is read as a plain one is what aiohttp would have read, or not read."""

import asyncio

import pytest
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st

from ledger.http.plainhead import plain_head

PLAIN = b"POST /add HTTP/1.1\r\nHost: log.example\r\nContent-Length: 3\r\n\r\n"
NAMES = [
    *("Host", "Content-Length", "Content-Type", "Connection", "Accept", "User-Agent"),
    *("Authorization", "Accept-Encoding", "Expect", "Transfer-Encoding", "X-A", "a b"),
]
VALUES = ["3", "0", "03", "+3", "3,3", "log.example", "keep-alive", "close", "", "é"]
ENDS = ["\r\n", "\n", "\r\n ", " \r\n", "\r\r\n"]
SPACES = ["", " ", "  ", "\t", "\0"]


def lines(*, starts):
    """Heads that are right, or nearly."""
    one = st.tuples(
        st.sampled_from(NAMES).flatmap(
            lambda name: st.sampled_from([name, name.lower(), f"{name} "])
        ),
        st.sampled_from(SPACES),
        st.sampled_from(VALUES),
        st.sampled_from(ENDS + 8 * ["\r\n"]),
    ).map(lambda parts: f"{parts[0]}:{parts[1]}{parts[2]}{parts[3]}")
    usual = st.sampled_from(["Host: a\r\n", "Content-Length: 3\r\n", "Accept: b\r\n"])
    return st.tuples(
        st.sampled_from(starts), st.lists(usual | one, max_size=6).map("".join)
    ).map(lambda parts: f"{parts[0]}{parts[1]}\r\n".encode())


STARTS = [
    *6 * ["POST /add HTTP/1.1\r\n"],
    "GET /add HTTP/1.1\r\n",
    "POST  /add HTTP/1.1\r\n",
    "POST /add HTTP/1.0\r\n",
    "POST /add?x HTTP/1.1\r\n",
    "post /add HTTP/1.1\r\n",
    "POST /ä HTTP/1.1\r\n",
    "\r\nPOST /add HTTP/1.1\r\n",
    "POST /add HTTP/1.1\n",
    "POST /add HTTP/1.1 \r\n",
]


def read_by_aiohttp(data):
    """What aiohttp makes of a head: None if it refuses it."""
    loop = asyncio.new_event_loop()
    try:
        protocol = asyncio.Protocol()
        parser = HttpRequestParser(protocol, loop, 1 << 16)
        messages, _, _ = parser.feed_data(data)
    except HttpProcessingError:
        return None
    finally:
        loop.close()
    (message, _) = messages[0]
    return message


@given(lines(starts=STARTS))
def test_what_is_plain_is_read_as_aiohttp_reads_it(data):
    head = plain_head(data)
    if head is None:
        return
    read = read_by_aiohttp(data)
    assert (read.method, read.path, read.version) == ("POST", head.path, (1, 1))
    assert {name.title(): value for name, value in read.headers.items()} == head.headers
    assert len(read.headers) == len(head.headers)
    assert int(read.headers["Content-Length"]) == head.body_bytes
    special = read.should_close, read.chunked, read.upgrade, read.compression
    assert not any(special)


def test_this_one_is_plain():
    head = plain_head(PLAIN)
    assert (head.path, head.body_bytes, head.bytes_) == ("/add", 3, len(PLAIN))


@pytest.mark.parametrize("name", ["user-agent", "ACCEPT", "Content-type"])
def test_usual_headers_are_plain_however_they_are_spelled(name):
    added = PLAIN.replace(b"Host", f"{name}: a b\r\nHost".encode())
    assert plain_head(added).headers[name.title()] == "a b"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"POST", b"PUT"),
        (b"/add", b"/add?x"),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"Host", b"Origin"),
        (b"Host", b"Expect"),
        (b"Host", b"Prefer"),
        (b"Host: log.example\r\n", b""),
        (b"Content-Length: 3\r\n", b""),
        (b"Content-Length", b"Transfer-Encoding"),
        (b"Host", b"Content-Length: 3\r\nHost"),
        (b"Host", b"Host: other\r\nHost"),
        (b"Host", b"Authorization: a\r\nauthorization: b\r\nHost"),
        (b"Host", b"Connection: close\r\nHost"),
        (b"Host", b"Connection: upgrade\r\nHost"),
        (b"Host", b"X-Forwarded-For: 10.0.0.1\r\nHost"),
        (b"Host", b"Content-Encoding: gzip\r\nHost"),
        (b": 3", b": 03"),
        (b": 3", b": -3"),
        (b": 3", b": 3, 3"),
        (b": 3", b": 99999999"),
        (b": 3", b" : 3"),
        (b"log.example", b"log\x00example"),
        (b"log.example", b"l\xc3\xb6g.example"),
        (b"log.example", b"log.example\r\n folded"),
        (b"\r\n", b"\n"),
    ],
)
def test_this_one_is_not(old, new):
    assert plain_head(PLAIN.replace(old, new, 1)) is None
