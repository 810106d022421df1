"""Of a batch, what has no result is given again, and no result is lost."""

import json

import pytest

from capture import Conflict, OutcomeUnknown, Unavailable
from capture.errors import ClientError
from tests.capture.truth import DESCRIPTION, OF_BYTES, hang_up, true_result, wrapped
from tests.loopback import answer
from verifier.record import encode_record
from verifier.trust import verify_checkpoint

DATA = b"what happened"


def line(status, data, **more):
    if status in (200, 201):
        # The last digit of its id: each in a tree of a size of its own.
        return {"status": status, **true_result(wrapped(data), more=data[-1] & 15)}
    return {"status": status, "type": "/v1/problems#word", "check": "word", **more}


def lines(*made):
    return answer(body=b"".join(json.dumps(each).encode() + b"\n" for each in made))


def records(count):
    return [
        encode_record({"id": f"01a0c54a-5ad0-7aa2-bf0c-{number:012x}"})
        for number in range(count)
    ]


def test_only_those_without_a_result_are_given_again(client, server, ticking):
    a, b, c, d = records(4)
    log = client(
        DESCRIPTION,
        lines(line(201, a), line(429, b, retry_after_s=3), line(201, c), line(409, d)),
        lines(line(201, b)),
    )
    first, second, third, fourth = log.submit_batch([a, b, c, d])
    assert [each.record["id"][-1] for each in (first, second, third)] == [*"012"]
    assert (type(fourth), fourth.submitted) == (Conflict, (d,))
    assert server.bodies == [a + b + c + d, b]
    assert 3 <= ticking.pauses[0] < 4


def test_what_is_behind_the_place_where_it_died_is_given_again(client, server):
    a, b, c = records(3)

    def died(handler):
        whole = json.dumps(line(201, a)).encode() + b"\n" + b'{"status": 201, "ind'
        answer(body=whole, Content_Length=len(whole) + 99)(handler)
        handler.close_connection = True

    log = client(DESCRIPTION, died, lines(line(201, b), line(200, c)))
    assert len(list(log.submit_batch([a, b, c]))) == 3
    assert server.bodies == [a + b + c, b + c]


def test_an_error_has_all_that_has_no_result_and_all_that_has(client):
    a, b, c, d = records(4)
    log = client(
        DESCRIPTION, lines(line(201, a), line(503, b), line(201, c)), answer(401)
    )
    results = log.submit_batch([a, b, c, d])
    assert next(results).record["id"][-1] == "0"
    with pytest.raises(ClientError) as caught:
        next(results)
    assert caught.value.submitted == (b, d)
    assert [each.record["id"][-1] for each in caught.value.others] == ["2"]


@pytest.mark.parametrize(
    "first",
    [hang_up, answer(503), lines({"status": 500, "check": "outcome_unknown"})],
    ids=["died", "of a proxy", "unknown"],
)
def test_a_record_whose_outcome_is_unknown_is_given_again(client, server, first):
    (a,) = records(1)
    log = client(DESCRIPTION, first, lines(line(200, a)))
    (logged,) = log.submit_batch([a])
    assert logged.entry == wrapped(a)
    assert server.bodies == [a, a]


@pytest.mark.parametrize(
    "first",
    [hang_up, answer(503), lines({"status": 500, "check": "outcome_unknown"})],
    ids=["died", "of a proxy", "unknown"],
)
def test_and_bytes_are_not(client, server, first):
    with pytest.raises(OutcomeUnknown, match="was not sent again"):
        list(client(OF_BYTES, first, lines()).submit_batch([DATA]))
    assert len(server.bodies) == 1


def test_bytes_behind_the_place_where_it_died_are_not_given_again(client, server):
    def died(handler):
        whole = json.dumps({"status": 201, **true_result(DATA)}).encode() + b"\n"
        answer(body=whole, Content_Length=len(whole) + 99)(handler)
        handler.close_connection = True

    results = client(OF_BYTES, died).submit_batch([DATA, b"x", b"y"])
    assert next(results).entry == DATA
    with pytest.raises(OutcomeUnknown, match="was not sent again") as caught:
        next(results)
    assert caught.value.submitted == (b"x", b"y")
    assert len(server.bodies) == 1


def test_fewer_results_than_there_were_records_are_no_answer_for_the_others(client):
    true = {"status": 201, **true_result(DATA)}
    results = client(OF_BYTES, lines(true)).submit_batch([DATA, b"x"])
    assert next(results).entry == DATA
    with pytest.raises(OutcomeUnknown, match="fewer results"):
        next(results)


def test_what_has_no_room_in_time_is_told_with_what_it_was(client, ticking):
    a, b = records(2)
    log = client(DESCRIPTION, lines(line(201, a), line(503, b)), lines(line(503, b)))
    results = log.submit_batch([a, b])
    assert next(results).record["id"][-1] == "0"
    with pytest.raises(Unavailable, match=r"it answered 503 .*attempts;") as caught:
        next(results)
    assert (type(caught.value), caught.value.submitted) == (Unavailable, (b,))
    assert sum(ticking.pauses) < 30


def test_what_has_no_room_in_a_log_that_is_full_is_told_with_what_the_log_says(client):
    (a,) = records(1)
    full = line(507, a, title="It is full", retry_after_s=60)
    with pytest.raises(Unavailable, match=r"507 \(It is full\) \(1 attempt; 30 s"):
        list(client(DESCRIPTION, lines(full)).submit_batch([a]))


def test_one_signature_is_verified_once_for_all_that_it_covers(client, monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return verify_checkpoint(*arguments)

    monkeypatch.setattr("capture.believing.verify_checkpoint", counted)
    line_ = {"status": 201, **true_result(DATA)}
    log = client(OF_BYTES, lines(*[line_] * 100))
    assert len(list(log.submit_batch([DATA] * 100))) == 100
    assert len(calls) == 1
