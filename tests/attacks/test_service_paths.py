"""An address has one spelling: any other leads nowhere, and to no fault of ours.

Paths are not decoded, joined or tidied, and numbers are what `int` would refuse.
"""

import pytest

from tests.attacks.wire import Wire, quiet
from tests.service.standing import standing

PATHS = [
    "/../checkpoint",
    "/v1/../checkpoint",
    "/./checkpoint",
    "//checkpoint",
    "/checkpoint/",
    "/checkpoint%00",
    "/%63heckpoint",
    "/v1/entries/..%2f..%2fkey",
    "/v1/entries/%2e%2e/key",
    "/tile/entries/../../key",
    "/tile/entries/%2e%2e/%2e%2e/log.toml",
    "/v1/entries/00",
    "/v1/entries/+0",
    "/v1/entries/-0",
    "/v1/entries/-1",
    "/v1/entries/1_0",
    "/v1/entries/0x0",
    "/v1/entries/1e1",
    "/v1/entries/0.0",
    "/v1/entries/%30",
    "/v1/entries/0%20",
    "/v1/entries/%D9%A1",
    "/v1/entries/9223372036854775807",
    "/v1/entries/9223372036854775808",
    "/v1/entries/18446744073709551616",
    "/v1/entries/" + 20 * "9",
    "/v1/entries/" + 5_000 * "9",
    "/v1/proofs/inclusion/0/" + 5_000 * "9",
    "/v1/proofs/consistency/1/9999999999999999999",
    "/v1/receipts/0/9999999999999999999",
    "/tile/0/x999/x999/x999/x999/x999/x999/999",
    "/tile/63/000",
    "/tile/64/000",
    "/tile/entries/000.p/256",
    "/tile/entries/000.p/0",
    "/" + 8_000 * "a",
    "/" + 2_000 * "../",
    "/\\..\\key",
    "/checkpoint;x=y",
    "/checkpoint#x",
    "*",
    "http://other.example/checkpoint",
    "http://127.0.0.1/checkpoint",
    "https://[::1]/checkpoint",
    "ftp://x@y:1/checkpoint",
    "checkpoint",
    "/checkpoint?size=0",
    "/v1/entries/0?token=provlog_" + 43 * "A",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A log with something at each kind of address."""
    with standing(tmp_path_factory.mktemp("paths"), [b"entry", b"another"]) as made:
        yield made
        assert quiet(made)


@pytest.mark.parametrize("path", PATHS, ids=[each[:40] for each in PATHS])
def test_a_path_that_is_spelled_in_another_way_leads_nowhere(service, path):
    for method in ("GET", "HEAD"):
        with Wire(service) as wire:
            wire.begin(f"{method} {path}")
            status = int(wire.socket.recv(12).split()[1])
            assert status in (400, 404)
    assert quiet(service)


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "PUT", "DELETE", "PROPFIND"])
def test_a_method_that_is_for_nothing_here_does_nothing(service, method):
    for path in ("/checkpoint", "/add", "127.0.0.1:22"):
        with Wire(service) as wire:
            wire.begin(f"{method} {path}")
            answer = wire.answer()
            assert answer.status in (400, 404, 405)
            assert "Host" not in answer.body.decode()
