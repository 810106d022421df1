"""Over TLS whoever answers has to be the host that is asked, for whom we trust."""

import socket
import ssl

import pytest
from cryptography import x509

from ledger.outbound import Line, NoAnswer
from tests import loopback
from tests.certificates import LOOPBACK, self_signed

TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A server on the loopback, and the file of its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, private = self_signed("witness", LOOPBACK)
    (folder / "it.pem").write_bytes(certificate)
    (folder / "both.pem").write_bytes(certificate + private)
    other = x509.DNSName("other.example")
    (folder / "other.pem").write_bytes(self_signed("other", other)[0])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")

    server = loopback.Server()
    server.behaviours = [loopback.answer(body=b"here")]
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.prefix = f"https://127.0.0.1:{server.server_port}"
    server.folder = folder
    with loopback.running(server):
        yield server


@pytest.fixture(autouse=True)
def nothing_asked(tls):
    tls.requests.clear()
    tls.connections.clear()


def ask(tls, monkeypatch, *, trust, url=None, **given):
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.folder / trust))
    line = Line(url or tls.prefix, reach=["127.0.0.1", "localhost"], **given)
    try:
        return [line.get().body for _ in range(3)]
    finally:
        line.close()


def test_whom_we_trust_is_asked_on_one_connection(tls, monkeypatch):
    assert ask(tls, monkeypatch, trust="it.pem", token=TOKEN) == [b"here"] * 3
    assert len(tls.connections) == 1
    assert tls.requests[0][1]["Authorization"] == f"Bearer {TOKEN}"


def test_whom_we_do_not_trust_is_told_nothing(tls, monkeypatch):
    with pytest.raises(NoAnswer, match="SSL_CERT_FILE") as caught:
        ask(tls, monkeypatch, trust="other.pem", token=TOKEN)
    assert TOKEN not in str(caught.value)
    assert not tls.requests


def test_reach_does_not_do_away_with_the_certificate(tls, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(NoAnswer, match="not whom it says"):
        Line(tls.prefix, reach=["127.0.0.1"]).get()
    assert not tls.requests


def test_a_certificate_for_another_host_is_not_enough(tls, monkeypatch):
    url = tls.prefix.replace("127.0.0.1", "localhost")
    with pytest.raises(NoAnswer, match="not whom it says"):
        ask(tls, monkeypatch, trust="it.pem", url=url)
    assert not tls.requests


def test_who_does_not_speak_tls_is_no_answer(monkeypatch, tls):
    with loopback.running(loopback.Server()) as clear:
        url = clear.prefix.replace("http:", "https:")
        with pytest.raises(NoAnswer):
            ask(tls, monkeypatch, trust="it.pem", url=url)
        assert not clear.requests


def test_who_does_not_end_a_handshake_is_cut_off(monkeypatch, tls):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NoAnswer, match=r"within 0\.2 s"):
            ask(tls, monkeypatch, trust="it.pem", url=url, patience_s=0.2)
