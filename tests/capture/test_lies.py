"""Nothing is handed out that does not hold, whatever the log answers, or never does.

The true answer is believed. Each of the others differs from it in one thing.
"""

import json
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture import NotBelieved, Refused, Unavailable
from tests.capture.truth import (
    DESCRIPTION,
    INDEX,
    OF_BYTES,
    OTHERS,
    POLICY,
    SIZE,
    hang_up,
    posted,
    true_result,
    truly,
    wrapped,
)
from tests.loopback import answer, drip, raw, silent
from tests.records import record
from tests.testlog import LOG, TIME, WITNESSES, b64, policy_text, signer
from verifier.bundle import Bundle
from verifier.receipt import Receipt
from verifier.record import encode_record

DATA = b"what happened"
RECORD = record(1)
SENT = encode_record(RECORD)


def spoiled(data=DATA, **changes):
    """The true result for `data`, with these members."""
    return posted(lambda _: json.dumps(true_result(data) | changes).encode())


def receipt_with(**changes):
    receipt = Receipt.parse(true_result(DATA)["receipt"].encode())
    return replace(receipt, **changes).encode().decode()


# What is true


def test_the_truth_is_believed(client):
    logged = client(truly()).submit(DATA)
    assert (logged.index, logged.size, logged.entry) == (INDEX, SIZE, DATA)
    assert (logged.at, logged.by, logged.record) == (None, None, None)
    assert Bundle.parse(logged.bundle()).receipt == logged.receipt


def test_so_it_is_of_a_record(client):
    logged = client(truly(records=True)).submit(RECORD)
    assert (logged.record, logged.by) == (RECORD, "s-1")


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_it_is_witnessed_when_the_quorum_of_the_policy_has_cosigned(client, count):
    honest = truly(witnesses=WITNESSES[:count])
    assert client(honest, policy=policy_text()).submit(DATA).witnessed == (count >= 2)


def test_it_is_not_witnessed_where_the_policy_asks_nobody(client):
    honest = truly(witnesses=WITNESSES)
    assert not client(honest, policy=POLICY).submit(DATA).witnessed


# What is not


OTHER = true_result(OTHERS[0], index=0)
FORGED = receipt_with(checkpoint=b"").encode()
LINES = true_result(DATA)["receipt"].splitlines(keepends=True)
LIES = {
    "another entry": (spoiled(entry=b64(b"another")), "entry"),
    "another entry, that is in the log": (spoiled(**OTHER), "entry"),
    "an entry that is no base64": (spoiled(entry="!"), "form"),
    "an entry larger than any": (spoiled(entry=b64(bytes(65_536))), "form"),
    "another index": (spoiled(index=INDEX + 1), "entry"),
    "another size": (spoiled(size=SIZE + 1), "entry"),
    "true for an index": (spoiled(index=True), "form"),
    "another index in the receipt": (
        spoiled(index=2, receipt=receipt_with(index=2)),
        "inclusion",
    ),
    "an index outside the tree": (
        spoiled(index=SIZE, receipt=receipt_with(index=SIZE)),
        "form",
    ),
    "the proof of another": (
        spoiled(receipt=receipt_with(proof=(bytes(32),) * 3)),
        "inclusion",
    ),
    "a proof that is cut off": (spoiled(receipt=receipt_with(proof=())), "form"),
    "a signature that is spoiled": (
        spoiled(receipt="".join(LINES).replace(LINES[-1][-9:-5], "AAAA")),
        "signature",
    ),
    "a signature of somebody else": (
        spoiled(**true_result(DATA, log=replace(LOG, seed=bytes(32)))),
        "log",
    ),
    "another log": (spoiled(**true_result(DATA, log=signer("other.example"))), "log"),
    "no receipt": (spoiled(receipt=""), "form"),
    "a word for what was repeated": (spoiled(repeated="no"), "form"),
    "a word for flags": (spoiled(flags="none"), "form"),
    "a flag that is a word": (spoiled(flags=["none"]), "form"),
    "a flag without its rule": (spoiled(flags=[{"path": "a", "mend": "b"}]), "form"),
    "no index": (posted(lambda _: b"{}"), "form"),
    "no body": (answer(201), "form"),
    "no JSON": (answer(201, b"<html>logged</html>"), "form"),
    "a list": (answer(201, b"[]"), "form"),
    "a nesting": (answer(201, b"[" * 100_000), "form"),
    "a number without end": (answer(201, b'{"index":' + b"9" * 9999 + b"}"), "form"),
    "two indexes": (posted(lambda _: b'{"index":1,"index":3}'), "form"),
    "an answer that is none": (answer(202, b"soon"), "form"),
    "a huge answer": (answer(201, bytes(2 << 20)), "form"),
    "an endless answer": (raw(b"HTTP/1.1 201 OK\r\n\r\n" + bytes(2 << 20)), "form"),
    "a compressed answer": (answer(201, b"\x1f\x8b", Content_Encoding="gzip"), "form"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_not_believed_and_is_not_asked_for_again(client, server, lie):
    behave, check = LIES[lie]
    with pytest.raises(NotBelieved, match="not believed") as caught:
        client(behave).submit(DATA)
    assert caught.value.check == check
    assert caught.value.submitted == (DATA,)
    assert len(server.requests) == 1


RECORD_LIES = {
    "another record": wrapped(SENT.replace(b"12:00", b"12:01")),
    "another type": wrapped(SENT, type="application/cbor"),
    "by the log itself": wrapped(SENT, by="log"),
    "no wrapper that is one": b"\xa5" + wrapped(SENT),
}


@pytest.mark.parametrize("lie", RECORD_LIES)
def test_a_record_that_is_not_the_one_submitted_is_not_believed(client, lie):
    result = true_result(RECORD_LIES[lie])
    with pytest.raises(NotBelieved) as caught:
        client(posted(lambda _: json.dumps(result).encode())).submit(RECORD)
    assert caught.value.check == "entry"
    assert json.loads(caught.value.answer) == result


def test_a_cosignature_that_does_not_verify_is_a_lie_also_without_a_quorum(client):
    blob = WITNESSES[0].key_id + TIME.to_bytes(8, "big") + bytes(64)
    line = f"\u2014 {WITNESSES[0].name} {b64(blob)}\n"
    behave = spoiled(receipt=true_result(DATA)["receipt"] + line)
    with pytest.raises(NotBelieved) as caught:
        client(behave, policy=policy_text()).submit(DATA)
    assert caught.value.check == "signature"


def test_a_batch_with_one_lie_is_not_believed(client):
    true = json.dumps(true_result(DATA) | {"status": 201})
    lie = json.dumps(true_result(DATA) | {"status": 201, "index": 0})
    log = client(OF_BYTES, answer(body=f"{true}\n{lie}\n{true}\n".encode()))
    results = log.submit_batch([DATA] * 3)
    assert next(results).index == INDEX
    with pytest.raises(NotBelieved) as caught:
        next(results)
    assert caught.value.submitted == (DATA, DATA)


@pytest.mark.parametrize(
    "lines", [b"{}\n", b"\n", b'{"status":100}\n', b"[]\n", b"x" * 99_999 + b"\n"]
)
def test_a_line_of_a_batch_that_is_no_result_is_not_believed(client, lines):
    with pytest.raises(NotBelieved):
        list(client(OF_BYTES, answer(body=lines)).submit_batch([DATA]))


def test_more_results_than_there_were_records_are_not_believed(client):
    line = json.dumps(true_result(DATA) | {"status": 201}).encode() + b"\n"
    with pytest.raises(NotBelieved, match="more results"):
        list(client(OF_BYTES, answer(body=line * 2)).submit_batch([DATA]))


def test_an_entry_that_is_read_is_the_one_that_was_asked_for(client):
    bundle = Bundle(entry=DATA, receipt=Receipt.parse(FORGED))
    true = Receipt.parse(true_result(DATA)["receipt"].encode())
    log = client(OF_BYTES, answer(body=replace(bundle, receipt=true).encode()))
    assert log.get(INDEX).entry == DATA
    with pytest.raises(NotBelieved, match="it is for entry 3"):
        log.get(INDEX + 1)


def test_what_is_no_record_is_not_handed_out_as_one(client):
    true = Receipt.parse(true_result(DATA)["receipt"].encode())
    bundle = Bundle(entry=DATA, receipt=true).encode()
    with pytest.raises(NotBelieved):
        client(DESCRIPTION, answer(body=bundle)).get(INDEX)


def test_a_checkpoint_of_somebody_else_is_not_believed(client):
    other = true_result(DATA, log=signer("other.example"))["receipt"]
    note = Receipt.parse(other.encode()).checkpoint
    with pytest.raises(NotBelieved):
        client(answer(body=note)).checkpoint()


# What never ends

HEAD = b"HTTP/1.1 201 Created\r\n"
NEVER = {
    "silent": silent,
    "head": drip(HEAD + b"A: ", b"b" * 500 + b"\r\n\r\n"),
    "body": drip(HEAD + b"Content-Length: 500\r\n\r\n", b"b" * 500),
    "chunks": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nb\r\n" * 99),
    "promises": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 20),
    "nothing": hang_up,
    "another protocol": raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "a head cut off": raw(HEAD + b"Content-Length: 9\r\n"),
    "a body cut off": raw(HEAD + b"Content-Length: 9\r\n\r\nearly"),
    "a chunk cut off": raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nearly"),
}


@pytest.mark.parametrize("kind", NEVER)
def test_a_server_that_never_answers_is_given_up_in_time(client, kind):
    log = client(NEVER[kind], timeout_s=0.3, repeatable=True, clock=None)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="may or may not be logged"):
        log.submit(DATA)
    assert time.monotonic() - begun < 10


@given(st.binary(max_size=200), st.sampled_from([b"", HEAD, HEAD + b"\r\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_at_all_are_no_result_and_nothing_worse(client, server, data, head):
    server.requests.clear()
    with pytest.raises((NotBelieved, Unavailable, Refused)):
        client(raw(head + data), repeatable=False).submit(DATA)


def test_an_answer_is_followed_nowhere(client, server):
    redirect = answer(307, Location=f"{server.prefix}/elsewhere")
    with pytest.raises(Unavailable, match="307, and is followed nowhere"):
        client(redirect, truly()).submit(DATA)
    assert len(server.requests) == 1


def test_two_trees_of_one_size_are_two_histories(client):
    # Each is true by itself: the same log, with another entry at the same index.
    one = client(truly())
    one.submit(DATA)
    with pytest.raises(NotBelieved, match="two histories under one key"):
        one.submit(b"something else")
