"""What is limited cannot be had for nothing by asking in an odd way, or by leaving.

Each of these was a way round the limits once.
"""

import socket
import struct
import threading
import time
from urllib.parse import urlsplit

import pytest

from tests.attacks.wire import bearing, token_of

RATE = 10
RATES = f"caller_requests_per_s = {RATE}\nburst_ms = 1000\n"
MANY = 60


@pytest.fixture
def rated(new_service):
    """A log in which nobody may ask more often than so."""
    return new_service(settings=RATES)


def answered(ask):
    """The statuses of many requests, one right behind the other."""
    began = time.monotonic()
    found = [ask().status for _ in range(MANY)]
    return found, RATE * (2 + time.monotonic() - began)


@pytest.mark.parametrize("path", ["/v1/records", "/v1/records:batch"])
def test_a_form_that_is_not_offered_costs_as_any_other(rated, path):
    found, most = answered(lambda: rated.post(path, b"x", Accept="image/png"))
    assert set(found) == {406, 429}
    assert found.count(406) <= most


def test_asking_what_is_allowed_costs_as_well(rated):
    found, most = answered(lambda: rated.ask("OPTIONS", "/checkpoint"))
    assert set(found) == {204, 429}
    assert found.count(204) <= most


def test_who_hangs_up_has_paid(new_service):
    service = new_service(settings=RATES)
    for number in range(8):
        assert service.post("/add", b"%d" % number + bytes(60_000)).status == 200
    parts = urlsplit(service.url)
    for _ in range(MANY):
        with socket.create_connection((parts.hostname, parts.port)) as gone:
            head = "GET /tile/entries/000.p/8 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            gone.sendall(head.encode())
            gone.recv(1)
            # Reset, and not closed: nobody is there to write to.
            linger = struct.pack("ii", 1, 0)
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    assert service.get("/checkpoint").status == 429


def test_a_token_over_its_rate_takes_nothing_from_its_address(rated):
    token = token_of(rated, "read")
    headers = {"Authorization": bearing(token)}
    found = [rated.get("/checkpoint", **headers).status for _ in range(MANY)]
    assert 429 in found
    assert rated.get("/checkpoint").status == 200


def test_who_asks_for_large_tiles_keeps_nobody_from_submitting(new_service):
    service = new_service(workers=1)
    for number in range(64):
        assert service.post("/add", b"%d" % number + bytes(65_000)).status == 200
    done = threading.Event()

    def read():
        while not done.is_set():
            service.ask("HEAD", "/tile/entries/000.p/64")

    threads = [threading.Thread(target=read) for _ in range(4)]
    for each in threads:
        each.start()
    try:
        for _ in range(20):
            assert service.post("/add", b"polite").status == 200
    finally:
        done.set()
        for each in threads:
            each.join()


def test_a_batch_is_logged_whatever_the_limits_of_one_order(new_service):
    for number, limits in enumerate(("batch_entries = 10", "pool_bytes = 100000")):
        service = new_service(name=f"log{number}", settings=f"{limits}\n")
        lines = b"\n".join(b"line %060d" % each for each in range(300))
        headers = {"Content_Type": "application/x-ndjson", "Accept": "text/plain"}
        answer = service.post("/v1/records:batch", lines, **headers)
        found = answer.body.split()
        assert b"413" not in found
        assert len([each for each in found if each.isdigit()]) >= 100
