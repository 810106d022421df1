"""A submission is answered when the log's setting `ack` says so, and not before.

What was not published, or not witnessed, in time has no receipt: it is told that it
is logged, and where. Whoever submits it again gets the same index, and the receipt as
soon as there is one.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, closing, contextmanager
from typing import NamedTuple

import pytest

from tests.faults.public import QUICK, Eye, gauge, kept, size_of, watched
from tests.livelog import LiveLog
from tests.liveservice import LiveService
from tests.service.standing import RECORD
from verifier.note import Note
from verifier.policy import Policy
from verifier.receipt import Receipt
from verifier.trust import verify_checkpoint

SETTINGS = QUICK + "witness_timeout_ms = 200\nanswer_timeout_s = 1\n"
CLOSED = ("committed", "closed"), ("published", "closed"), ("witnessed", "closed")
OPEN = ("published", "open"), ("witnessed", "open")


class Watched(NamedTuple):
    """A service, its only witness, and the policy that asks for it."""

    service: LiveService
    eye: Eye
    policy: Policy


@contextmanager
def standing(folder, ack, failure):
    """A service that answers so, and what it does without its witness."""
    settings = f'{SETTINGS}ack = "{ack}"\nwitness_failure = "{failure}"\n'
    live = LiveLog(folder / "log", kind="record", settings=settings)
    with ExitStack() as stack:
        eye = Eye("w1", live)
        stack.enter_context(watched(live, ("w1", eye.vkey, eye)))
        policy = Policy.parse((live.folder / "policy.txt").read_bytes())
        service = LiveService(live)
        stack.callback(service.stop)
        yield Watched(service, eye, policy)
        eye.open.set()
    live.check()


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """Each of them, begun when it is first asked for."""
    with ExitStack() as stack:
        made = {}

        def get(ack, failure):
            if (ack, failure) not in made:
                folder = tmp_path_factory.mktemp(f"{ack}-{failure}")
                made[ack, failure] = stack.enter_context(standing(folder, ack, failure))
            it = made[ack, failure]
            if not it.eye.open.is_set():
                it.eye.open.set()
                it.service.until(lambda: settled(it))
            return it

        yield get


NUMBERS = iter(range(1000))


def record():
    """A record that nobody has submitted."""
    return RECORD % next(NUMBERS)


def settled(it):
    """Whether the witness is asked again, which takes a second after a failure."""
    got = it.service.post("/v1/records", record(), Prefer="wait=1")
    return got.status == 201 and receipt_of(got).index < it.eye.size


def receipt_of(got):
    return Receipt.parse(got.json["receipt"].encode())


def blind(it):
    """Let the witness answer no more; return when the log has felt it."""
    it.eye.open.clear()


@pytest.mark.parametrize(("ack", "failure"), [CLOSED[2], OPEN[1]])
def test_an_answer_that_is_witnessed_satisfies_who_asks_for_the_quorum(
    services, ack, failure
):
    it = services(ack, failure)
    got = it.service.submit(record())
    assert (got.status, got.json["witnessed"]) == (201, True)
    verify_checkpoint(receipt_of(got).checkpoint, it.policy)


@pytest.mark.parametrize(("ack", "failure"), [CLOSED[1], OPEN[0]])
def test_an_answer_that_is_published_is_about_a_checkpoint_that_all_can_have(
    services, ack, failure
):
    it = services(ack, failure)
    for _ in range(5):
        checkpoint = receipt_of(it.service.submit(record())).checkpoint
        size = size_of(checkpoint)
        texts = {size_of(each): Note.parse(each).text for each in kept(it.service.live)}
        assert texts[size] == Note.parse(checkpoint).text
        assert size_of(it.service.get("/checkpoint").body) >= size


@pytest.mark.parametrize(("ack", "failure"), [*CLOSED[1:], OPEN[1]])
def test_without_the_witness_nobody_gets_a_receipt_and_all_are_told_where_it_stands(
    services, ack, failure
):
    it = services(ack, failure)
    first, entry = it.service.submit(record()), record()
    blind(it)
    got = it.service.post("/v1/records", entry)
    assert (got.status, got.problem) == (500, "outcome-unknown")
    assert got.json["check"] == "outcome_unknown"
    assert got.json["index"] == first.json["index"] + 1
    assert "receipt" not in got.json
    wanted = "witnessed" if ack == "witnessed" else "published"
    assert f"not in a {wanted} checkpoint" in got.json["detail"]
    it.eye.open.set()
    it.service.until(lambda: settled(it))
    again = it.service.submit(entry)
    assert (again.status, again.json["repeated"]) == (200, True)
    assert again.json["index"] == got.json["index"]
    if ack == "witnessed":
        verify_checkpoint(receipt_of(again).checkpoint, it.policy)


def test_an_index_alone_is_held_back_as_a_receipt_is(services):
    it = services(*CLOSED[2])
    blind(it)
    got = it.service.post("/v1/records", record(), Accept="text/plain")
    assert (got.status, got.problem) == (500, "outcome-unknown")


def test_an_open_log_publishes_without_its_witness_and_says_so(services):
    it = services(*OPEN[0])
    it.service.submit(record())
    blind(it)
    got = it.service.submit(record())
    assert got.status == 201
    assert "quorum_missed" in it.service.said()
    size = receipt_of(got).index + 1
    assert size_of(it.service.get("/checkpoint").body) >= size
    with pytest.raises(Exception, match="quorum"):
        verify_checkpoint(receipt_of(got).checkpoint, it.policy)


def test_a_closed_log_shows_nothing_that_no_witness_has_seen(services):
    it = services(*CLOSED[1])
    it.service.submit(record())
    blind(it)
    before = it.eye.size
    it.service.post("/v1/records", record())
    shown = it.service.get("/checkpoint").body
    assert size_of(shown) == before == it.eye.size
    assert all(size_of(each) <= before for each in kept(it.service.live))


def test_a_committed_log_goes_on_without_its_witness(services):
    it = services(*CLOSED[0])
    it.service.submit(record())
    blind(it)
    got = it.service.submit(record())
    assert got.status == 201
    # Whoever would rather wait has the receipt that is there, when his time is over.
    waited = it.service.submit(record(), Prefer="wait=1")
    assert waited.status == 201
    assert "Preference-Applied" not in waited.headers
    assert receipt_of(waited).index == receipt_of(got).index + 1
    it.service.until(lambda: gauge(it.service, "provlog_quorum") == 0)
    it.eye.open.set()
    it.service.until(lambda: settled(it))
    published = it.service.submit(record(), Prefer="wait=20")
    assert published.headers["Preference-Applied"] == "wait=20"
    verify_checkpoint(receipt_of(published).checkpoint, it.policy)


def test_of_a_batch_who_was_refused_is_told_that_and_the_others_where_they_stand(
    services,
):
    it = services(*CLOSED[1])
    entry = record()
    changed = entry.replace(b'"run"', b'"eval"')
    it.service.submit(entry)
    blind(it)
    body = b"\n".join([changed, record(), entry]) + b"\n"
    got = it.service.post(
        "/v1/records:batch", body, Content_Type="application/x-ndjson"
    )
    conflict, new, repeated = (json.loads(each) for each in got.body.splitlines())
    assert (conflict["status"], conflict["check"]) == (409, "conflict")
    for each in (new, repeated):
        assert (each["status"], each["check"]) == (500, "outcome_unknown")
    assert new["index"] == repeated["index"] + 1


def test_a_stop_answers_all_who_wait(services, tmp_path):
    with standing(tmp_path, "witnessed", "closed") as it:
        size = it.service.submit(record()).json["size"]
        blind(it)
        connection = it.service.connect()
        connection.request("POST", "/v1/records", record())
        it.service.until(lambda: gauge(it.service, "provlog_head_size") > size)
        assert it.service.stop() == 0
        with closing(connection):
            got = connection.getresponse()
            assert got.status == 500
            assert json.loads(got.read())["check"] == "outcome_unknown"
