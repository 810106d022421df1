"""With a certificate the log speaks TLS, and nothing else; a wrong one is said."""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

import pytest

from tests.certificates import LOOPBACK, self_signed


def certificate(folder, name="server"):
    """A certificate for loopback that signs itself, and its key."""
    made, private = self_signed(name, LOOPBACK)
    chain, secret = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(made)
    secret.write_bytes(private)
    return chain, secret


@pytest.fixture
def files(tmp_path):
    return certificate(tmp_path)


def settings(chain, secret):
    return f'tls_certificate = "{chain}"\ntls_key = "{secret}"\n'


@pytest.mark.parametrize("workers", [0, 1])
def test_the_certificate_that_is_set_is_shown(new_service, files, workers):
    service = new_service(settings=settings(*files), workers=workers)
    parts = urlsplit(service.url)
    assert parts.scheme == "https"
    context = ssl.create_default_context(cafile=files[0])
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port, context=context, timeout=10
    )
    connection.request("POST", "/add", b"entry")
    assert connection.getresponse().read() == b"0"
    connection.close()


def test_what_is_no_tls_gets_no_answer(new_service, files):
    service = new_service(settings=settings(*files))
    parts = urlsplit(service.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as plain:
        plain.sendall(b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in plain.recv(1 << 16)


def test_versions_before_1_2_are_refused(new_service, files):
    service = new_service(settings=settings(*files))
    parts = urlsplit(service.url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(files[0])
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=10) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain, server_hostname=parts.hostname)


def test_a_certificate_without_its_key_is_said_before_anything_begins(
    new_service, files, tmp_path
):
    other = certificate(tmp_path, "other")
    missing = tmp_path / "missing"
    for lines, says in (
        (f'tls_certificate = "{files[0]}"\n', "needs both a certificate and its key"),
        (settings(files[0], other[1]), f"begin: {files[0]} and {other[1]} are no"),
        (settings(files[0], missing), f"begin: {missing}: No such file"),
    ):
        with pytest.raises(RuntimeError, match=f"error: config: TLS .*{says}"):
            new_service(name=f"log{len(lines)}", settings=lines)


def test_handshakes_that_never_end_count_and_are_not_waited_for(new_service, files):
    limits = "connections = 8\nconnections_per_address = 8\nheader_timeout_s = 1\n"
    service = new_service(settings=settings(*files) + limits, workers=1)
    parts = urlsplit(service.url)
    place = (parts.hostname, parts.port)
    held = [socket.create_connection(place, timeout=10) for _ in range(24)]
    try:
        # Those beyond the cap are closed at once, the others when their time is over.
        closed = [each.recv(1) for each in held]
        assert closed == [b""] * len(held)
    finally:
        for each in held:
            each.close()
    context = ssl.create_default_context(cafile=files[0])
    connection = http.client.HTTPSConnection(*place, context=context, timeout=10)
    connection.request("POST", "/add", b"entry")
    assert connection.getresponse().status == 200
    connection.close()
