"""What may pass is given again, and nothing that would be logged twice by it."""

from email.utils import formatdate

import pytest

from capture import (
    Conflict,
    NotAllowed,
    OutcomeUnknown,
    Refused,
    Unavailable,
)
from tests.capture.truth import (
    DESCRIPTION,
    INDEX,
    OF_BYTES,
    WALL,
    hang_up,
    problem,
    true_result,
    truly,
)
from tests.loopback import answer
from tests.records import SMALLEST, record
from verifier.bundle import Bundle
from verifier.receipt import Receipt
from verifier.record import encode_record

DATA = b"what happened"
RECORD = record(1)
SENT = encode_record(RECORD)

BUSY = problem(503, "busy", Retry_After=1)
UNKNOWN = problem(500, "outcome-unknown")


# What passes


@pytest.mark.parametrize(
    "kind",
    [
        problem(429, "rate", Retry_After=2),
        problem(503, "busy", Retry_After=2),
        problem(507, "full", Retry_After=2),
        problem(503, "busy", Retry_After=formatdate(WALL + 2, usegmt=True)),
    ],
    ids=["rate", "busy", "full", "a date"],
)
def test_the_log_is_asked_again_when_it_says(client, ticking, kind):
    assert client(kind, truly()).submit(DATA).index == INDEX
    assert len(ticking.pauses) == 1
    assert 2 <= ticking.pauses[0] < 3


def test_a_log_that_says_at_once_is_not_asked_as_fast_as_we_can(client, ticking):
    with pytest.raises(Unavailable):
        client(problem(503, "busy", Retry_After=0)).submit(DATA)
    assert len(ticking.pauses) < 60
    assert min(ticking.pauses) > 0


@pytest.mark.parametrize(
    "status", [500, 502, 503, 504], ids=["500", "502", "of a proxy", "504"]
)
def test_a_record_is_given_again_where_its_outcome_is_unknown(client, server, status):
    log = client(answer(status), DESCRIPTION, truly(records=True))
    assert log.submit(RECORD).record == RECORD
    assert server.bodies == [SENT, SENT]


def test_so_it_is_when_the_connection_dies(client, server):
    assert client(hang_up, DESCRIPTION, truly(records=True)).submit(RECORD).by == "s-1"
    assert server.bodies == [SENT, SENT]


def test_an_id_that_was_made_here_is_the_same_each_time(client, server):
    client(hang_up, DESCRIPTION, truly(records=True)).submit(SMALLEST)
    first, second = server.bodies
    assert first == second


# What is not given again, since it would be logged twice


@pytest.mark.parametrize(
    "behave", [hang_up, answer(502), UNKNOWN], ids=["died", "proxy", "unknown"]
)
def test_bytes_are_not_given_again_where_the_outcome_is_unknown(client, server, behave):
    with pytest.raises(OutcomeUnknown, match="was not sent again") as caught:
        client(behave, OF_BYTES, truly()).submit(DATA)
    assert caught.value.submitted == (DATA,)
    assert server.bodies == [DATA]


def test_a_record_is_not_given_to_a_log_of_bytes_again(client, server):
    with pytest.raises(OutcomeUnknown, match="was not sent again"):
        client(hang_up, OF_BYTES, truly()).submit(RECORD)
    assert server.bodies == [SENT]


def test_nor_where_the_log_does_not_say_what_it_is(client, server):
    with pytest.raises(OutcomeUnknown, match="was not sent again"):
        client(hang_up, answer(404), truly()).submit(RECORD)
    assert server.bodies == [SENT]


def test_bytes_are_given_again_where_nothing_was_logged(client, server):
    assert client(BUSY, truly()).submit(DATA).entry == DATA
    assert len(server.bodies) == 2


def test_bytes_are_given_again_to_a_log_that_keeps_no_repeats(client, server):
    assert client(hang_up, truly(), repeatable=True).submit(DATA).entry == DATA
    assert len(server.bodies) == 2


def test_nothing_is_given_again_where_the_caller_says_so(client, server):
    log = client(hang_up, truly(records=True), repeatable=False)
    with pytest.raises(OutcomeUnknown):
        log.submit(RECORD)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("first", [hang_up, answer(502)], ids=["died", "proxy"])
def test_what_is_read_may_be_asked_for_any_number_of_times(client, first):
    receipt = Receipt.parse(true_result(DATA)["receipt"].encode())
    bundle = answer(body=Bundle(entry=DATA, receipt=receipt).encode())
    assert client(OF_BYTES, first, first, bundle).get(INDEX).entry == DATA


@pytest.mark.parametrize("check", ["damaged", "internal"])
def test_what_is_damaged_will_be_so_again(client, server, ticking, check):
    with pytest.raises(Unavailable, match="500"):
        client(problem(500, "damaged", check=check)).checkpoint()
    assert (len(ticking.pauses) == 0) == (check == "damaged")


# What is refused


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, NotAllowed),
        (403, NotAllowed),
        (404, Refused),
        (409, Conflict),
        (413, Refused),
        (422, Refused),
    ],
)
def test_what_is_refused_is_not_given_again(client, server, ticking, status, kind):
    with pytest.raises(kind, match=f"{status} .A title: what has happened") as caught:
        client(problem(status, "word", index=7), truly()).submit(DATA)
    error = caught.value
    assert (error.status, error.check, error.submitted) == (status, "word", (DATA,))
    assert type(error) is kind
    assert getattr(error, "index", 7) == error.problem["index"] == 7
    assert len(server.requests) == 1
    assert not ticking.pauses


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_caller_does_not_say_what_became_of_it_before(client, status):
    later = problem(status, "token")
    with pytest.raises(OutcomeUnknown, match=f"may or may not.*{status}"):
        client(hang_up, later, repeatable=True).submit(DATA)


def test_a_refusal_of_the_content_does(client):
    with pytest.raises(Refused):
        client(hang_up, problem(400, "form"), repeatable=True).submit(DATA)


def test_what_a_stranger_says_is_shown_short_and_escaped(client):
    shown = problem(400, "form", detail="\x1b[2J\u202e" + "x" * 9999)
    with pytest.raises(Refused) as caught:
        client(shown).submit(DATA)
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("check", ["\x1b[2J", "x" * 65, 7, None, ""], ids=ascii)
def test_what_is_no_word_is_not_taken_for_one(client, check):
    with pytest.raises(Refused) as caught:
        client(problem(400, "form", check=check)).submit(DATA)
    assert caught.value.check == "http"


@pytest.mark.parametrize(
    "record",
    [
        {"id": "no"},
        {"loss": 0.5},
        {"none": None},
        {1: "one"},
        {"text": "x" * 65_000},
        bytes(65_536),
    ],
    ids=["id", "float", "null", "name", "size", "bytes"],
)
def test_what_no_log_takes_is_refused_before_it_is_sent(client, server, record):
    with pytest.raises(Refused) as caught:
        client(truly()).submit(record)
    assert caught.value.status == 0
    assert not server.requests
