"""A crowd takes no more than its part: who is polite is served all the while.

Each test lets many do what one may do, and asks meanwhile as a polite client would:
at most one in a thousand of its requests may fail, and memory has to stay bounded.
"""

import random
import socket
import subprocess
import time
from contextlib import ExitStack, suppress

import pytest

from ledger.http.listening import listen
from tests.attacks.wire import Wire, front_end, measured, quiet, resident_bytes
from tests.service.standing import standing
from tests.tools import need

MIB = 1 << 20
EXHAUSTIVE = pytest.mark.exhaustive
HALF = b"GET /checkpoint HTTP/1.1\r\nX: y\r\n"
TILE = "GET /tile/entries/000"
LINES = ("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """An opaque log with one front end, and the settings it has by itself."""
    entries = [b"entry %d" % index for index in range(1_001)]
    with standing(tmp_path_factory.mktemp("crowds"), entries, workers=1) as made:
        yield made
        assert quiet(made)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A log whose first tile of entries is as large as one can be."""
    entries = [random.Random(at).randbytes(65_535) for at in range(256)]
    folder = tmp_path_factory.mktemp("large")
    patience = "body_timeout_s = 1\n"
    with standing(folder, entries, workers=1, settings=patience) as made:
        yield made
        assert quiet(made)


def polite(service, requests=100):
    """The share of a polite client's requests, reads and submissions, that succeed."""
    served = 0
    for number in range(requests):
        if number % 2:
            served += service.get("/checkpoint").status == 200
        else:
            served += service.post("/add", b"polite").status == 200
    return served / requests


def crowd(stack, service, number, **options):
    """So many connections, which are closed with `stack`."""
    return [stack.enter_context(Wire(service, **options)) for _ in range(number)]


def test_a_thousand_who_say_nothing_or_half_keep_nobody_out(service):
    with ExitStack() as stack:
        for number, wire in enumerate(crowd(stack, service, 1_000)):
            if number % 2:
                wire.send(HALF)
        service.until(lambda: measured(service, "provlog_connections") >= 1_000)
        assert polite(service) == 1


def test_heads_that_do_not_end_take_no_memory(service):
    process = front_end(service)
    before = resident_bytes(process)
    headers = b"".join(b"X-%d: %s\r\n" % (each, b"y" * 8_000) for each in range(60))
    with ExitStack() as stack:
        for wire in crowd(stack, service, 200):
            wire.send(HALF + headers)
        assert polite(service, 10) == 1
        # Each of them has sent half a megabyte.
        assert resident_bytes(process) < before + 32 * MIB


def test_a_head_that_is_too_long_is_answered_and_ended(service):
    with Wire(service) as wire:
        for each in range(20):
            wire.send((HALF if not each else b"") + b"X: %s\r\n" % (b"y" * 4_000))
        answer = wire.answer()
        assert answer is None or (answer.status, answer.problem) == (400, "form")
        assert wire.ended()


@pytest.mark.parametrize(
    "setting",
    ["connections_per_address", pytest.param("connections", marks=EXHAUSTIVE)],
)
def test_who_comes_to_a_full_house_is_told_and_may_come_again(new_service, setting):
    service = new_service(workers=1, settings=f"{setting} = 10\n")
    with ExitStack() as stack:
        for wire in crowd(stack, service, 10):
            assert wire.ask("GET /checkpoint").status == 200
        for _ in range(20):
            answer = service.get("/checkpoint")
            assert (answer.status, answer.json["check"]) == (503, "connections")
            assert int(answer.headers["Retry-After"]) >= 1
    service.until(lambda: service.get("/checkpoint").status == 200)
    assert quiet(service)


def test_where_files_run_out_a_crowd_is_told_as_well(new_service):
    service = new_service(workers=1, wrapper=("prlimit", "--nofile=200:200"))
    with ExitStack() as stack:
        crowd(stack, service, 150)
        answer = service.get("/checkpoint")
        assert (answer.status, answer.json["check"]) == (503, "connections")


def test_a_low_limit_of_files_is_raised_as_far_as_it_may_be(new_service):
    service = new_service(workers=1, wrapper=("prlimit", "--nofile=200:4000"))
    with ExitStack() as stack:
        crowd(stack, service, 300)
        assert service.get("/checkpoint").status == 200


def test_batches_that_wait_are_within_the_memory_that_is_set(new_service):
    service = new_service(workers=1, settings=f"memory_bytes = {8 * MIB}\nstop_s = 4\n")
    process = front_end(service)
    before = resident_bytes(process)
    # Just less than what becomes an order: none of it goes on by itself.
    lines = 15 * (b"x" * 60_000 + b"\n")
    with ExitStack() as stack:
        for wire in crowd(stack, service, 100, patience_s=0.2):
            wire.begin("POST /v1/records:batch", *LINES)
            wire.send(b"%x\r\n" % len(lines) + lines + b"\r\n")
        assert service.get("/checkpoint").status == 200
        assert resident_bytes(process) < before + 64 * MIB


def test_five_hundred_proofs_at_once_are_all_answered(service):
    process = front_end(service)
    before = resident_bytes(process)
    with ExitStack() as stack:
        wires = crowd(stack, service, 500)
        for number, wire in enumerate(wires):
            wire.begin(f"GET /v1/proofs/consistency/{2 * number + 1}/1001")
        assert {wire.answer().status for wire in wires} == {200}
    assert resident_bytes(process) < before + 32 * MIB


@pytest.mark.parametrize("readers", [8, pytest.param(200, marks=EXHAUSTIVE)])
def test_readers_of_the_largest_tile_share_the_memory_that_is_set(large, readers):
    process = front_end(large)
    before = resident_bytes(process)
    with ExitStack() as stack:
        wires = crowd(stack, large, readers, buffer_bytes=4_096, patience_s=60)
        for wire in wires:
            wire.begin(TILE)
        answers = [_status(wire) for wire in wires]
        # What has to be there at once: what is sent, and one that is made.
        assert resident_bytes(process) < before + 32 * MIB + 4 * 17 * MIB
        assert polite(large, 10) == 1
    assert answers.count(200) >= 1
    assert answers.count(503) >= 1
    assert answers.count(200) + answers.count(503) == len(answers)


def test_who_does_not_read_is_left_and_its_memory_comes_back(large):
    # What is measured is as of the last second, and others have been here.
    large.until(lambda: measured(large, "provlog_memory_held_bytes") == 0)
    with Wire(large, buffer_bytes=4_096) as wire:
        wire.begin(TILE)
        large.until(lambda: measured(large, "provlog_memory_held_bytes") > 16 * MIB)
        large.until(lambda: measured(large, "provlog_memory_held_bytes") == 0)
        assert len(wire.rest()) < 16 * MIB


@pytest.mark.exhaustive
def test_who_reads_a_little_now_and_then_is_left_as_well(tmp_path):
    entries = [random.Random(at).randbytes(24_000) for at in range(256)]
    patience = "body_timeout_s = 3\n"
    with (
        standing(tmp_path, entries, workers=1, settings=patience) as service,
        Wire(service, buffer_bytes=4_096) as wire,
        suppress(ConnectionError),
    ):
        wire.begin(TILE)
        began, taken = time.monotonic(), 0
        while piece := wire.socket.recv(4_096):
            time.sleep(0.1)  # which is how slow it is
            taken += len(piece)
    # The rest does not come either, out of what the kernel has of it.
    assert taken < sum(map(len, entries)) // 2
    assert time.monotonic() < began + 30


def test_the_kernel_lets_go_of_who_takes_nothing():
    (listening,) = listen("127.0.0.1:0", "listen", 1, 7)
    with listening, socket.create_connection(listening.getsockname()):
        listening.settimeout(5)
        accepted, _ = listening.accept()
        with accepted:
            option = socket.TCP_USER_TIMEOUT
            assert accepted.getsockopt(socket.IPPROTO_TCP, option) == 7_000


@pytest.mark.parametrize(
    ("seconds", "requests"),
    [
        pytest.param("2", 200, marks=pytest.mark.exhaustive),
        pytest.param("20", 1_000, marks=pytest.mark.soak),
    ],
)
@pytest.mark.parametrize("how", ["-H", "-B", "-X"], ids=["heads", "bodies", "reads"])
def test_slowhttptest_keeps_nobody_out(new_service, how, seconds, requests):
    need("slowhttptest")
    service = new_service(workers=1)
    path = "/add" if how == "-B" else "/v1/problems"
    options = ("-c", "1000", "-r", "1000", "-l", seconds, "-i", "1", "-p", "1")
    command = ("slowhttptest", how, *options, "-u", service.url + path)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as attack:
        service.until(lambda: measured(service, "provlog_connections") > 500)
        assert polite(service, requests) >= 0.999
        attack.wait(60)
    assert quiet(service)


def _status(wire):
    """The status that comes first; what is behind it stays unread."""
    return int(wire.socket.recv(12).split()[1])
