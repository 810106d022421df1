"""A submission is answered when it is durable, with a receipt that verifies."""

import base64
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.records import TEXT
from verifier.hashing import leaf_hash
from verifier.proof import verify_inclusion
from verifier.receipt import Receipt
from verifier.trust import verify_checkpoint

RECORD = TEXT


@pytest.fixture(params=[0, 2], ids=["alone", "two_front_ends"])
def workers(request):
    return request.param


def verified(service, result):
    """The receipt of a result, after it was verified under the log's policy."""
    receipt = Receipt.parse(result["receipt"].encode())
    trusted = verify_checkpoint(receipt.checkpoint, service.live.policy).checkpoint
    verify_inclusion(
        leaf_hash(base64.b64decode(result["entry"])),
        index=receipt.index,
        size=trusted.size,
        proof=receipt.proof,
        root=trusted.root,
    )
    return receipt


def test_an_entry_has_a_receipt_in_the_answer(new_service, workers):
    service = new_service(workers=workers)
    for number in range(5):
        response = service.submit(b"entry %d" % number)
        assert response.status == 201
        assert (
            response.json["index"] == verified(service, response.json).index == number
        )


def test_a_record_has_one_and_keeps_its_index(new_service, workers):
    service = new_service(kind="record", workers=workers)
    first = service.submit(RECORD % 1, Content_Type="application/json")
    again = service.submit(RECORD % 1, Content_Type="application/json")
    assert (first.status, again.status) == (201, 200)
    assert first.json["entry"] == again.json["entry"]
    verified(service, first.json)
    verified(service, again.json)


def test_add_answers_with_bare_digits(new_service, workers):
    service = new_service(workers=workers)
    assert [service.post("/add", b"x").body for _ in range(12)][-1] == b"11"


def test_a_stop_answers_everyone_and_ends_with_0(new_service, workers):
    service = new_service(workers=workers)
    service.submit(b"entry")
    assert service.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_closed_terminal_or_ctrl_c_is_a_stop_like_any_other(
    new_service, workers, number
):
    service = new_service(workers=workers)
    service.submit(b"entry")
    assert service.stop(number) == 0


def shown_size(service):
    """How many entries the published checkpoint has."""
    return int(service.get("/checkpoint").body.split(b"\n")[1])


def test_where_all_is_published_first_so_is_what_answers_with_an_index(
    new_service, workers
):
    settings = 'ack = "published"\npublish_interval_ms = 50\n'
    service = new_service(workers=workers, settings=settings)
    for number in range(3):
        assert service.post("/add", b"x").body == b"%d" % number
        # It is public; a front end beside the one that answered hears of it next.
        service.until(lambda number=number: shown_size(service) > number, within_s=2)


def test_who_waits_for_a_publication_is_told_when_the_service_stops(
    new_service, workers
):
    service = new_service(workers=workers, settings="publish_interval_ms = 60000\n")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(service.post, "/v1/records", b"entry", Prefer="wait=30")
        service.until(lambda: service.get("/v1/entries/0").status == 200)
        began = time.monotonic()
        assert service.stop() == 0
        assert waiting.result().status == 201
        assert time.monotonic() - began < 5
