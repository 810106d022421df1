"""A server that sends too much, too little or too slowly is cut off, and is noticed."""

import contextlib
import gzip
import ssl
import time
import tracemalloc

import pytest
from cryptography import x509

from tests.certificates import self_signed
from tests.loopback import Server, answer, drip, raw, running, silent
from verifier import source
from verifier.errors import MalformedError, Unavailable
from verifier.source import Url

MOST = 8192

pytestmark = pytest.mark.usefixtures("pauses")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNBOUNDED = b"HTTP/1.0 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    "behave",
    [
        answer(body=bytes(MOST + 1)),
        raw(UNBOUNDED + bytes(10 * MOST)),
        raw(CHUNKED + b"10000\r\n" + bytes(65_536) + b"\r\n0\r\n\r\n"),
    ],
    ids=["announced", "unbounded", "chunked"],
)
def test_more_than_was_asked_for_is_cut_off(url, server, behave):
    with pytest.raises(MalformedError, match="more than the 8192 bytes"):
        url(server, behave).read("tile/0/000", MOST)


PACKED = gzip.compress(b"a note")


@pytest.mark.parametrize(
    "body",
    [gzip.compress(bytes(MOST + 1)), gzip.compress(bytes(MOST)) + PACKED],
    ids=["at once", "together"],
)
def test_what_unpacks_to_more_than_was_asked_for_is_cut_off(url, server, body):
    with pytest.raises(MalformedError, match="unpacks to more than 8192 bytes"):
        url(server, answer(body=body, Content_Encoding="gzip")).read("a", MOST)


def test_gzip_files_that_follow_one_another_without_end_are_cut_off(url, server):
    body = gzip.compress(b"") * 100_000
    log = url(server, answer(body=body, Content_Encoding="gzip"))
    before = time.process_time()
    with contextlib.suppress(MalformedError, Unavailable):
        log.read("tile/entries/000", 16 << 20)
    assert time.process_time() - before < 1


def test_tiny_chunks_take_no_more_memory_than_what_they_carry(url, server):
    count = 50_000
    data = CHUNKED + b"1\r\na\r\n" * count + b"0\r\n\r\n"
    log = url(server, raw(data))
    tracemalloc.start()
    try:
        assert log.read("tile/entries/000", 16 << 20) == b"a" * count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * count


# Whatever breaks on the way is no fault of the log: it is asked again


def closing(head, body):
    """An answer that ends where the connection does."""
    return raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + b"\r\n" + body)


GZIPPED = b"Content-Encoding: gzip\r\n"
FAULTS = {
    "a gzip without its end": answer(body=PACKED[:-1], Content_Encoding="gzip"),
    "a gzip cut off before it begins": answer(Content_Encoding="gzip"),
    "a gzip cut off": answer(body=PACKED[:5], Content_Encoding="gzip"),
    "a gzip that is none": answer(body=b"a note", Content_Encoding="gzip"),
    "a gzip with something else behind it": answer(
        body=PACKED + b"!", Content_Encoding="gzip"
    ),
    "a second gzip cut off": answer(
        body=PACKED * 2 + PACKED[:9], Content_Encoding="gzip"
    ),
    "a gzip that the connection ends": closing(GZIPPED, PACKED[:9]),
    "a body cut off": closing(b"Content-Length: 9\r\n", b"early"),
    "a chunk cut off": raw(CHUNKED + b"9\r\nearly"),
    "no last chunk": raw(CHUNKED + b"5\r\nearly\r\n"),
    "another coding": answer(body=b"a note", Content_Encoding="br"),
    "two codings": answer(body=PACKED, Content_Encoding="gzip, identity"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_breaks_on_the_way_is_asked_for_again(url, server, fault):
    log = url(server, FAULTS[fault], answer(body=b"a note"))
    assert log.read("tile/0/000", MOST) == b"a note"
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_breaks_every_time_is_unavailable_and_no_damage(url, server, fault):
    with pytest.raises(Unavailable, match=r"(?s)tile/0/000: .+ \(3 attempts\)"):
        url(server, FAULTS[fault]).read("tile/0/000", MOST)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nearly",
        CHUNKED + b"9\r\nearly",
        CHUNKED + b"5\r\nearly\r\n",
        CHUNKED + b"zz\r\nearly\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200,
        b"HTTP/1.1 200 " + b"O" * 70_000,
    ],
    ids=[
        "nothing",
        "a body cut off",
        "a chunk cut off",
        "no last chunk",
        "no length of a chunk",
        "a head cut off",
        "another protocol",
        "too many headers",
        "too long a line",
    ],
)
def test_an_answer_that_breaks_off_or_is_none_is_unavailable(url, server, data):
    with pytest.raises(Unavailable, match=r"(?s)checkpoint: .+ \(3 attempts\)"):
        url(server, raw(data)).read("checkpoint", MOST)


def test_a_chunked_answer_is_read_to_its_end(url, server):
    data = CHUNKED + b"2\r\na \r\n4\r\nnote\r\n0\r\n\r\n"
    assert url(server, raw(data)).read("checkpoint", MOST) == b"a note"


CUT_OFF = r"(no whole answer within 0.[12] s|timed out) \(1 attempts\)"
SLOW = {
    "silent": silent,
    "head": drip(b"HTTP/1.1 200 OK\r\nA: ", b"b" * 500 + b"\r\n\r\n"),
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"b" * 500),
    "closing body": drip(b"HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\n", b"b" * 500),
    "unbounded": drip(UNBOUNDED, b"b" * 500),
    "chunks": drip(CHUNKED, b"1\r\nb\r\n" * 100 + b"0\r\n\r\n"),
    "promises": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 20),
}


@pytest.mark.parametrize("kind", SLOW)
def test_a_server_that_drips_is_cut_off(url, server, monkeypatch, kind):
    monkeypatch.setattr(source, "PATIENCE_S", 0.1)
    monkeypatch.setattr(source, "ATTEMPTS", 1)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=CUT_OFF):
        url(server, SLOW[kind]).read("checkpoint", MOST)
    assert time.monotonic() - begun < 5


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    made, private = self_signed("localhost", x509.DNSName("localhost"))
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(made + private)
    return path


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.prefix = f"https://localhost:{server.server_port}/log"
    with running(server) as started:
        yield started


def test_a_server_with_a_known_certificate_is_read(url, tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert url(tls, answer(body=b"a note")).read("tile/0/000", MOST) == b"a note"


def test_a_server_with_a_strange_certificate_is_not_read(url, tls):
    with pytest.raises(Unavailable, match="certificate verify failed"):
        url(tls, answer(body=b"a note")).read("tile/0/000", MOST)
    assert not tls.requests


@pytest.mark.parametrize("kind", ["silent", "head", "body", "chunks"])
def test_a_server_that_drips_behind_tls_is_cut_off(
    url, tls, certificate, monkeypatch, kind
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(source, "PATIENCE_S", 0.2)
    monkeypatch.setattr(source, "ATTEMPTS", 1)
    with pytest.raises(Unavailable, match=CUT_OFF):
        url(tls, SLOW[kind]).read("checkpoint", MOST)


def test_a_server_that_does_not_speak_tls_is_unavailable(server):
    with pytest.raises(Unavailable, match="SSL"):
        Url(server.prefix.replace("http", "https")).read("checkpoint", MOST)
