"""A call ends within its time, and waits as it is told; connections are used again.

Time passes by sleeping alone here, and every pause is written down.
"""

import contextlib
import json
import socket
import time
from email.utils import formatdate

import pytest

from capture import Client, OutcomeUnknown, Unavailable, line
from capture.patience import LONGEST_PAUSE_S, Patience, retry_after_s
from tests.capture.truth import (
    INDEX,
    POLICY,
    WALL,
    hang_up,
    problem,
    true_result,
    truly,
)
from tests.loopback import answer, silent
from tests.records import record
from verifier.record import encode_record

DATA = b"what happened"
RECORD = record(1)


def test_the_time_of_all_attempts_is_bounded(client, ticking):
    with pytest.raises(Unavailable, match=r"503.*attempts; 10 s at most") as caught:
        client(problem(503, "busy"), timeout_s=10).submit(DATA)
    assert type(caught.value) is Unavailable
    assert 10 - LONGEST_PAUSE_S <= sum(ticking.pauses) <= 10


def test_pauses_grow(client, ticking):
    with pytest.raises(Unavailable):
        client(problem(503, "busy"), timeout_s=10).submit(DATA)
    assert ticking.pauses == sorted(ticking.pauses)
    assert ticking.pauses[-1] > 4 * ticking.pauses[0]


def test_who_is_told_to_come_again_later_than_that_is_told_so_at_once(client, ticking):
    with pytest.raises(Unavailable) as caught:
        client(problem(503, "held", Retry_After=60)).submit(DATA)
    assert caught.value.retry_after_s == 60
    assert not ticking.pauses


def test_an_outcome_that_stays_unknown_is_told_as_that(client, ticking):
    with pytest.raises(OutcomeUnknown, match="may or may not be logged") as caught:
        client(hang_up, problem(503, "busy"), repeatable=True).submit(RECORD)
    assert caught.value.submitted == (encode_record(RECORD),)
    assert sum(ticking.pauses) < 30


def test_a_log_that_is_not_there_is_unavailable_and_nothing_was_logged(ticking):
    log = Client("http://127.0.0.1:1", None, POLICY, clock=ticking.clock)
    with pytest.raises(Unavailable, match=r"is not reached.*is it running") as caught:
        log.submit(RECORD)
    assert str(caught.value).startswith("http://127.0.0.1:1: "), "no path was asked for"
    assert type(caught.value) is Unavailable
    assert len(ticking.pauses) > 3


def test_one_read_is_bounded_as_well_and_then_it_is_asked_again(client, server):
    log = client(silent, truly(), read_s=0.1, repeatable=True, clock=None)
    assert log.submit(DATA).entry == DATA
    assert len(server.bodies) == 2


@contextlib.contextmanager
def deaf(backlog):
    """The address of one who listens, and never comes to the door."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listening:
        yield listening.getsockname()


def test_a_name_is_reached_by_that_of_its_addresses_that_answers(server, client):
    client(truly())
    url = server.prefix.replace("127.0.0.1", "localhost")
    with Client(url, None, POLICY) as log:
        assert log.submit(DATA).index == INDEX


@pytest.mark.parametrize(
    ("timeout_s", "connect_s", "attempts"),
    [(2, 0.1, "[0-9]+ attempts"), (0.2, 30, "1 attempt")],
    ids=["one attempt", "all of them"],
)
def test_who_accepts_no_connection_is_unavailable_in_time(
    timeout_s, connect_s, attempts
):
    with deaf(backlog=0) as address, contextlib.ExitStack() as waiting:
        for _ in range(4):  # who comes after them finds the queue full
            before = waiting.enter_context(socket.socket())
            before.setblocking(False)
            before.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        begun = time.monotonic()
        log = Client(url, None, POLICY, timeout_s=timeout_s, connect_s=connect_s)
        says = rf"is not reached: timed out \({attempts};"
        with pytest.raises(Unavailable, match=says) as caught:
            log.submit(DATA)
    assert type(caught.value) is Unavailable
    assert time.monotonic() - begun < 10


def test_who_begins_no_tls_is_unavailable_in_time():
    with deaf(backlog=50) as address:
        url = f"https://127.0.0.1:{address[1]}"
        begun = time.monotonic()
        log = Client(url, None, POLICY, timeout_s=0.5, connect_s=0.1)
        with pytest.raises(Unavailable, match=r"no TLS with .*timed out"):
            log.submit(DATA)
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("0", 0),
        (" 120 ", 120),
        (formatdate(WALL + 5, usegmt=True), 5),
        (formatdate(WALL - 5, usegmt=True), 0),
        ("9" * 5000, 999_999_999),
        *[(each, None) for each in ("", "-1", "soon", "1.5", "\u0663", "Mon, 99")],
    ],
    ids=[
        *("now", "seconds", "a date", "a date that was", "very many"),
        *("nothing", "before", "a word", "half a second", "another digit", "no date"),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(ticking, header, expected):
    assert retry_after_s(header, ticking.clock) == expected


def test_a_call_without_time_ends_before_it_begins(client, server):
    with pytest.raises(Unavailable, match="the time was over"):
        client(truly(), timeout_s=0).submit(DATA)
    assert not server.requests


def test_a_very_long_call_can_count_its_pauses(ticking):
    patience = Patience(1e9, ticking.clock)
    assert all(patience.pause(None) for _ in range(5000))
    assert max(ticking.pauses) <= LONGEST_PAUSE_S


# Connections


def test_connections_are_used_again(client, server):
    log = client(truly())
    for _ in range(5):
        log.submit(DATA)
    assert len(server.connections) == 1


def test_one_that_was_closed_meanwhile_is_no_attempt(client, server, ticking):
    def closing(handler):
        truly()(handler)
        handler.close_connection = True

    log = client(closing)
    for _ in range(5):
        log.submit(DATA)
        deadline = time.monotonic() + 10
        while log._wire._idle[-1].usable():  # its end has to arrive
            assert time.monotonic() < deadline
    assert len(server.bodies) == len(server.connections) == 5
    assert not ticking.pauses


def test_one_whose_answer_broke_off_is_not_used_again(client, server, ticking):
    def half(handler):
        handler.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n1")
        silent(handler)

    log = client(half, truly(), read_s=0.1, repeatable=True)
    assert log.submit(DATA).entry == DATA
    assert len(server.connections) == 2
    assert len(ticking.pauses) == 1  # what comes late is not waited for once more


def test_nor_is_one_that_the_log_has_announced_to_close(client, server):
    result = json.dumps(true_result(DATA)).encode()
    log = client(answer(201, result, Connection="close"))
    for _ in range(3):
        log.submit(DATA)
    assert len(server.connections) == 3


def test_one_that_nobody_used_for_long_is_not_used_again(client, server, monkeypatch):
    log = client(truly())
    log.submit(DATA)
    monkeypatch.setattr(line, "_IDLE_S", 0.0)
    log.submit(DATA)
    assert len(server.connections) == 2


def test_one_that_closes_just_then_is_no_attempt_where_that_does_no_harm(
    client, server, ticking
):
    log = client(truly(), hang_up, truly(), repeatable=True)
    log.submit(DATA)
    log.submit(DATA)
    assert len(server.bodies) == 3
    assert not ticking.pauses


def test_but_bytes_may_have_been_logged_by_it(client, server):
    log = client(truly(), hang_up, truly())
    log.submit(DATA)
    with pytest.raises(OutcomeUnknown):
        log.submit(DATA)
    assert len(server.bodies) == 2
