"""A log is read from a server: its answers mean what they say, and it is given time.

The server is real. Only the pauses between attempts are taken out, and written
down instead.
"""

import contextlib
import gzip
import pickle
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.loopback import Server, answer, raw, running
from verifier.errors import Unavailable
from verifier.source import Url

HASHES = random.Random(6962).randbytes(8192)
MOST = 8192

pytestmark = pytest.mark.usefixtures("pauses")


def test_an_answer_is_read_from_under_the_prefix(url, server):
    assert url(server, answer(body=HASHES)).read("tile/0/000", MOST) == HASHES
    server.prefix += "/"
    assert url(server, answer(body=HASHES)).read("checkpoint", MOST) == HASHES
    assert [path for path, _ in server.requests] == [
        "/log/tile/0/000",
        "/log/checkpoint",
    ]
    assert str(Url("https://log.example")) == "https://log.example"


def test_reads_share_a_connection_and_do_not_wait(url, server, pauses):
    log = url(server, answer(body=b"a"), answer(body=b""), answer(404))
    found = [log.read("checkpoint", MOST) for _ in range(4)]
    assert found == [b"a", b"", None, None]
    assert len(server.connections) == 1
    assert not pauses


def test_a_connection_that_the_server_has_closed_is_opened_again(url, server):
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
    log = url(server, raw(whole))
    assert [log.read("checkpoint", MOST) for _ in range(3)] == [b"a"] * 3


def test_connections_that_have_all_grown_stale_are_no_attempt(url, server, pauses):
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
    together = threading.Barrier(8)

    def at_once(handler):
        together.wait(10)
        raw(whole)(handler)  # and it hangs up, which the reader has not heard of

    log = url(server, *[at_once] * 8, answer(body=b"b"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: log.read("checkpoint", MOST), range(8)))
    assert found == [b"a"] * 8
    assert log.read("checkpoint", MOST) == b"b"
    assert not pauses
    assert len(server.connections) == 9


def test_another_process_opens_a_connection_of_its_own(url, server):
    log = url(server, answer(body=b"a"))
    log.read("checkpoint", MOST)
    sent = pickle.loads(pickle.dumps(log))  # noqa: S301 - as processes send it
    with contextlib.closing(sent) as other:
        assert other.read("checkpoint", MOST) == b"a"
    assert len(server.connections) == 2


def test_a_token_goes_with_each_question_also_from_another_process(url, server):
    url(server, answer(body=b"a")).read("checkpoint", MOST)
    log = Url(server.prefix, "word")
    with contextlib.closing(pickle.loads(pickle.dumps(log))) as other:  # noqa: S301
        for each in (log, other):
            assert each.read("checkpoint", MOST) == b"a"
    log.close()
    sent = [headers.get("Authorization") for _, headers in server.requests]
    assert sent == [None, "Bearer word", "Bearer word"]


def test_a_token_is_sent_to_nobody_else(url, server):
    url(server, answer(302, Location="/elsewhere"), answer(body=b"a"))
    with (
        contextlib.closing(Url(server.prefix, "word")) as log,
        pytest.raises(Unavailable, match="answered 302; nothing is followed") as told,
    ):
        log.read("checkpoint", MOST)
    assert [path for path, _ in server.requests] == ["/log/checkpoint"]
    assert "word" not in f"{told.value} {log!r} {log}"


@pytest.mark.parametrize(
    ("prefix", "token", "told"),
    [
        ("http://log.example", "word", True),
        ("http://log.example", None, False),
        ("https://log.example", "word", False),
        ("http://127.0.0.1:8421", "word", False),
        ("http://[::1/log", "word", False),
    ],
)
def test_a_token_that_all_can_read_is_known_as_such(prefix, token, told):
    assert Url(prefix, token).tells_token == told


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("body", [b"", b"not here " * 2_000], ids=["bare", "long"])
def test_what_is_gone_is_not_there_whatever_the_page_says(url, server, status, body):
    assert url(server, answer(status, body)).read("tile/0/000", MOST) is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520, 599])
@pytest.mark.parametrize("body", [b"", b"try later " * 2_000], ids=["bare", "long"])
def test_a_server_in_trouble_is_asked_again(url, server, pauses, status, body):
    log = url(server, answer(status, body, Retry_After=0), answer(body=b"here"))
    assert log.read("checkpoint", MOST) == b"here"
    assert pauses == [0]


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ("7", [7, 7]),
        ("9999", [10, 10]),
        ("99999", [0.2, 0.8]),
        ("-1", [0.2, 0.8]),
        ("1.5", [0.2, 0.8]),
        ("Fri, 20 Nov 2026 10:00:00 GMT", [0.2, 0.8]),
    ],
)
def test_a_server_is_given_the_time_it_asks_for_within_reason(
    url, server, pauses, asked, made
):
    with pytest.raises(Unavailable, match=r"503 \(3 attempts\)"):
        url(server, answer(503, Retry_After=asked)).read("checkpoint", MOST)
    assert pauses == made


def test_a_server_that_stays_in_trouble_is_named(url, server):
    with pytest.raises(Unavailable, match=f"{server.prefix}/checkpoint: .*500"):
        url(server, answer(500)).read("checkpoint", MOST)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [204, 301, 302, 307, 401, 403])
def test_nobody_is_followed_to_another_address(url, server, status):
    log = url(server, answer(status, Location=f"{server.prefix}/elsewhere"))
    with pytest.raises(Unavailable, match=f"answered {status}; nothing is followed"):
        log.read("checkpoint", MOST)
    assert len(server.requests) == 1


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", " gzip "])
@pytest.mark.parametrize("body", [b"", b"a note", HASHES], ids=len)
def test_a_compressed_answer_is_unpacked(url, server, coding, body):
    log = url(server, answer(body=gzip.compress(body), Content_Encoding=coding))
    assert log.read("tile/0/000", MOST) == body
    assert server.requests[0][1]["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("cut", [0, 1, 5_000, 8_191])
def test_gzip_files_that_follow_one_another_are_one(url, server, cut):
    body = gzip.compress(HASHES[:cut]) + gzip.compress(HASHES[cut:])
    log = url(server, answer(body=body, Content_Encoding="gzip"))
    assert log.read("tile/0/000", MOST) == HASHES


def test_an_answer_that_says_it_is_not_compressed_is_taken_as_it_is(url, server):
    body = gzip.compress(b"a note")
    log = url(server, answer(body=body, Content_Encoding="identity"))
    assert log.read("tile/0/000", MOST) == body


def test_a_server_that_is_not_there_is_unavailable(server):
    with running(Server()) as other:
        gone = Url(other.prefix)
    with pytest.raises(Unavailable, match=r"refused \(3 attempts\)"):
        gone.read("checkpoint", MOST)


@pytest.mark.parametrize(
    "prefix",
    [
        "ftp://log.example",
        "log.example",
        "http://",
        "http://log.example/a?b=c",
        "http://log.example/a#b",
        "http://user:word@log.example/a",
        "http:///log",
        "http://:80/log",
        "http://log.example:99999",
        "http://log.example:http",
        "http://[::1/log",
        "http://" + "a" * 64 + ".example",
        "http://a..example",
    ],
)
def test_a_bad_address_is_unavailable_and_nobody_is_asked(prefix, pauses):
    with pytest.raises(Unavailable, match="is not an http or https address"):
        Url(prefix).read("checkpoint", MOST)
    assert not pauses


@pytest.mark.parametrize("ending", ["\u00fc", " a", "\r\nHost: b", "\x00"])
def test_an_address_that_http_cannot_carry_is_unavailable(url, server, ending):
    server.prefix += ending
    with pytest.raises(Unavailable):
        url(server, answer()).read("checkpoint", MOST)
    assert not server.requests
