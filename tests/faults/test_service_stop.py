"""A stop is graceful: whoever was taken in gets a true answer, and nobody delays it.

Every round stops a service in the middle of its work, and holds what each producer
was told against the log that is left.
"""

import http.client
import os
import signal
import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.service.load import Load

ALONE = pytest.param(0, id="alone", marks=pytest.mark.exhaustive)
WORKERS = pytest.mark.parametrize(
    "workers", [ALONE, pytest.param(2, id="two_front_ends")]
)


def ended(service, number=signal.SIGTERM):
    """Stop it: the exit status, and how long that took."""
    began = time.monotonic()
    return service.stop(number), time.monotonic() - began


def connected(service):
    """A bare connection to it."""
    parts = urlsplit(service.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def rounds(new_service, workers, count):
    """So many stops in the middle of the work."""
    service = new_service(workers=workers)
    live = service.live
    for number in range(count):
        with Load(service, 6) as load:
            load.until(5 + number % 7)
            status, seconds = ended(service)
        assert status == 0, service.lines
        assert seconds < 10
        assert not [each for each in service.lines if "stop_forced" in each]
        # What was under way has an answer; cut off are only those who came after.
        assert len(load.unknown) <= 12
        load.judge()
        live.check()
        service = new_service(live, workers=workers)


@pytest.mark.exhaustive
@WORKERS
def test_a_stop_under_load_answers_everyone_truthfully(new_service, workers):
    rounds(new_service, workers, 4)


@pytest.mark.soak
@WORKERS
def test_twenty_stops_under_load_answer_everyone_truthfully(new_service, workers):
    rounds(new_service, workers, 20)


@WORKERS
def test_idle_connections_do_not_delay_it(new_service, workers):
    service = new_service(workers=workers)
    idle = [service.connect() for _ in range(20)]
    for each in idle:
        each.request("GET", "/checkpoint")
        each.getresponse().read()
    silent = [connected(service) for _ in range(20)]
    status, seconds = ended(service)
    for each in (*idle, *silent):
        each.close()
    assert status == 0
    assert seconds < 4


@pytest.mark.exhaustive
@WORKERS
@pytest.mark.parametrize(
    "request_",
    [
        b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nslow",
        (
            b"POST /v1/records:batch HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/x-ndjson\r\nContent-Length: 9\r\n\r\nslow"
        ),
        b"GET /checkp",
    ],
    ids=["body", "batch", "head"],
)
def test_who_sends_slowly_does_not_delay_it_beyond_what_is_set(
    new_service, workers, request_
):
    service = new_service(workers=workers, settings="stop_s = 3\n")
    with connected(service) as slow:
        slow.sendall(request_)
        service.submit(b"while the slow one sends")
        status, seconds = ended(service)
    assert status == 0, service.lines
    assert seconds < 4.5


@pytest.mark.exhaustive
@WORKERS
def test_who_does_not_read_does_not_delay_it_beyond_what_is_set(new_service, workers):
    service = new_service(workers=workers, settings="stop_s = 3\n")
    head = (
        "POST /v1/records:batch HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/x-ndjson\r\nContent-Length: 1000000000\r\n\r\n"
    )
    with connected(service) as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.sendall(head.encode())
        greedy.settimeout(0.5)
        with suppress(TimeoutError):
            while True:  # until its results fill everything on the way back
                greedy.sendall(b"a line\n" * 1_000)
        status, seconds = ended(service)
    assert status == 0, service.lines
    assert seconds < 4.5
    assert not [each for each in service.lines if "stop_forced" in each]


@pytest.mark.exhaustive
@WORKERS
def test_a_second_signal_changes_nothing(new_service, workers):
    service = new_service(workers=workers)
    with Load(service, 4) as load:
        load.until(10)
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            service.process.send_signal(number)
        service.process.wait(20)
    assert service.stop() == 0
    load.judge()


@WORKERS
def test_ctrl_c_reaches_all_processes_and_is_one_graceful_stop(new_service, workers):
    service = new_service(workers=workers, wrapper=("setsid",))
    with Load(service, 4) as load:
        load.until(10)
        os.killpg(service.process.pid, signal.SIGINT)
        service.process.wait(20)
    assert service.stop() == 0
    assert not [each for each in service.lines if "Traceback" in each]
    load.judge()


def test_a_stop_that_is_sent_to_all_processes_at_once_is_graceful(new_service):
    service = new_service(workers=2, wrapper=("setsid",))
    with Load(service, 4) as load:
        load.until(10)
        # The supervisor first, as those do that end whole groups of processes.
        for pid in (service.process.pid, *service.children()):
            # The one that keeps the index may have ended by then: nobody waits for it.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        service.process.wait(20)
    assert service.stop() == 0
    load.judge()


@pytest.mark.parametrize("workers", [ALONE, pytest.param(1, id="one_front_end")])
def test_a_body_that_is_still_coming_when_it_begins_is_waited_for(new_service, workers):
    service = new_service(workers=workers)
    head = b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
    with connected(service) as slow:
        slow.sendall(head + b"in")
        assert service.get("/checkpoint").headers["Connection"] is None
        service.process.send_signal(signal.SIGTERM)
        service.until(lambda: service.get("/checkpoint").headers["Connection"])
        late = service.post("/add", b"later")
        assert (late.status, late.json["check"]) == (503, "draining")
        slow.sendall(b"tim")
        taken = http.client.HTTPResponse(slow)
        taken.begin()
        assert taken.read() == b"0"
    assert service.stop() == 0
    with service.live.open() as log:
        assert log.reading.entries(0, log.head.size) == [b"intim"]
