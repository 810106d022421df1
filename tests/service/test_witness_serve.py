"""A witness answers over HTTP as c2sp.org/tlog-witness says, whatever it is sent."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from ledger.http.small import Reply, small_server
from ledger.http.witnessing import MAX_BODY, witness_server
from ledger.witness.answering import Answer
from tests import foreign
from tests.testlog import ORIGIN
from tests.witness.asked import NAME, Asked, request, times_of
from tests.witness.serving import ask, serving
from verifier.keys import Algorithm, KeyType, PublicKey, VerifierKey

SEEN = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


@pytest.fixture
def asked(tmp_path):
    return Asked(tmp_path)


@pytest.fixture
def port(asked):
    with (
        ThreadPoolExecutor(8) as threads,
        serving(lambda: witness_server(asked.cosigner, threads)) as port,
    ):
        yield port


def test_a_strangers_requests_are_answered_as_they_expect_in_their_order(tmp_path):
    path = foreign.folder("witness-protocol") / "add_checkpoint_sequence.json"
    known = json.loads(path.read_text())
    raw = bytes.fromhex(known["log"]["ed25519_public_key_hex"])
    key = PublicKey(Algorithm.ED25519, raw)
    asked = Asked(tmp_path)
    vkey = VerifierKey(known["log"]["origin"], KeyType.ED25519, key).text()
    asked.logs.write_text(f"log {vkey}\n")
    with (
        ThreadPoolExecutor(2) as threads,
        serving(lambda: witness_server(asked.cosigner, threads)) as port,
    ):
        for case in known["cases"]:
            answer = ask(port, "POST", "/add-checkpoint", case["body"].encode())
            assert answer.status == case["status"], case["name"]
            if "response_body" in case:
                assert answer.body == case["response_body"].encode()
                assert answer.headers["Content-Type"] == case["response_content_type"]
            if answer.status == 200:
                times_of(asked_answer(answer), case["body"].encode())
    assert [case["status"] for case in known["cases"]].count(200) == 3


def asked_answer(response):
    """The answer as the witness itself gives it."""
    return Answer(status=response.status, body=response.body)


def test_both_prefixes_are_the_same_witness(port):
    assert ask(port, "POST", "/witness/add-checkpoint", request(0, 5)).status == 200
    assert ask(port, "POST", "/add-checkpoint", request(0, 5)).body == b"5\n"
    one, other = (ask(port, "GET", f"{prefix}{SEEN}") for prefix in ("", "/witness"))
    assert one.body == other.body


def test_what_was_cosigned_last_can_be_read_by_everybody(port, asked):
    assert ask(port, "GET", SEEN).status == 404
    answer = ask(port, "POST", "/add-checkpoint", request(0, 5))
    seen = ask(port, "GET", SEEN)
    assert seen.status == 200
    assert seen.body == asked.stored.encode()
    assert seen.body.endswith(answer.body)
    assert seen.headers["Content-Type"].startswith("text/plain")
    assert seen.headers["Access-Control-Allow-Origin"] == "*"
    assert seen.headers["Cache-Control"] == "no-store"
    head = ask(port, "HEAD", SEEN)
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(seen.body)))


def test_the_first_page_says_who_it_is(port, asked):
    body = ask(port, "GET", "/").body.decode()
    assert NAME in body
    assert all(key.text() in body for key in asked.cosigner.keys)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", SEEN.upper(), 404),
        ("GET", f"{SEEN}?x", 404),
        ("GET", f"//{SEEN}", 404),
        ("GET", SEEN.replace("/c", "%2Fc"), 404),
        ("GET", "/add-checkpoint", 405),
        ("POST", SEEN, 405),
        ("DELETE", "/", 405),
    ],
)
def test_there_is_nothing_else(port, method, path, status):
    assert ask(port, method, path).status == status


def test_a_clock_that_is_behind_is_said_and_when_to_ask_again(port, asked):
    assert ask(port, "POST", "/add-checkpoint", request(0, 5)).status == 200
    asked.now -= 60
    answer = ask(port, "POST", "/add-checkpoint", request(5, 8))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert b"clock" in answer.body


def test_nothing_of_our_folder_is_said_to_strangers(port, asked):
    asked.logs.unlink()
    answer = ask(port, "POST", "/add-checkpoint", request(0, 5))
    assert answer.status == 503
    assert str(asked.logs).encode() not in answer.body


def test_of_requests_at_once_one_is_cosigned_for_each_old_size(port):
    for old in (0, 1, 2):
        begin, answers = threading.Barrier(8), []

        def post(old=old, begin=begin, answers=answers):
            begin.wait()
            answer = ask(port, "POST", "/add-checkpoint", request(old, old + 1))
            answers.append((answer.status, answer.body if answer.status > 200 else b""))

        threads = [threading.Thread(target=post) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert Counter(answers) == {(200, b""): 1, (409, b"%d\n" % (old + 1)): 7}


def endless():
    """A body that never ends."""
    while True:
        yield b"old 1\n" * 10_000


def test_a_body_without_end_is_not_read_to_its_end(port):
    connection = connection_of(port)
    with pytest.raises(ConnectionError):
        connection.request("POST", "/add-checkpoint", endless(), encode_chunked=True)
    connection.close()


def connection_of(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=20)


def told(port, data):
    """What is answered to these very bytes, until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(data)
        parts = []
        try:
            while part := wire.recv(1 << 16):
                parts.append(part)
        except ConnectionError:
            pass
        return b"".join(parts)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"Content-Length: {10 << 30}", 413),
        (f"Content-Length: {MAX_BODY + 1}", 413),
        ("Content-Length: 1\r\nContent-Encoding: gzip", 415),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("Content-Length: 1\r\nContent-Length: 2", 400),
        ("Content-Length: -1", 400),
    ],
)
def test_a_body_that_may_not_come_is_not_waited_for(port, head, status):
    data = f"POST /add-checkpoint HTTP/1.1\r\nHost: w.example\r\n{head}\r\n\r\n"
    assert told(port, data.encode()).split()[1] == b"%d" % status


def test_the_longest_body_that_may_come_is_read(port):
    answer = ask(port, "POST", "/add-checkpoint", b"x" * MAX_BODY)
    assert (answer.status, b"this is no request" in answer.body) == (400, True)


def test_what_is_no_http_is_answered_with_nothing_of_it(port):
    answer = told(port, b"GET /\0secret HTTP/1.1\r\n\r\n")
    assert answer.split()[1] == b"400"
    assert b"secret" not in answer


async def slowly(asking):
    """An answer, a fault, or one that does not come."""
    if asking.path == "/fault":
        raise ValueError("secret")
    return Reply(status=200, body=asking.body)


@pytest.fixture
def small():
    with serving(
        lambda: small_server(slowly, most_body=100, patience_s=0.2, connections=3)
    ) as port:
        yield port


def test_a_fault_is_told_by_its_id_alone(small):
    answer = ask(small, "GET", "/fault")
    assert answer.status == 500
    assert b"id " in answer.body
    assert b"secret" not in answer.body


def test_a_body_that_does_not_come_is_given_up(small):
    began = time.monotonic()
    answer = told(small, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_is_given_up(small, data):
    assert told(small, data) == b""


def test_a_crowd_that_asks_nothing_keeps_nobody_out(small):
    crowd = [socket.create_connection(("127.0.0.1", small)) for _ in range(12)]
    try:
        assert ask(small, "POST", "/", b"here").body == b"here"
        # Of a crowd beyond the cap the first ones are gone.
        crowd[0].settimeout(20)
        assert crowd[0].recv(1) == b""
    finally:
        for each in crowd:
            each.close()


def test_connections_that_end_badly_do_not_hide_a_crowd(small):
    ask(small, "POST", "/", b"x" * 200)
    test_a_crowd_that_asks_nothing_keeps_nobody_out(small)


def test_a_connection_serves_one_request_after_the_other(small):
    connection = connection_of(small)
    for number in range(3):
        connection.request("POST", "/", b"%d" % number)
        assert connection.getresponse().read() == b"%d" % number
    connection.close()
