"""Callers do not feel each other: neither what they log, nor how much.

What one has logged is told to nobody else by an answer, its size or its time. Who
uses up a share uses up his own; what is refused costs as well, and what fails because
of us does not.
"""

import json
import statistics
import threading
import time

import pytest

from tests.attacks.wire import Wire, bearing, quiet, token_of
from tests.records import TEXT
from tests.service.standing import standing

RECORD = TEXT.replace(b"run", b"%s")
JSON = "application/json"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A log of records."""
    folder = tmp_path_factory.mktemp("callers")
    with standing(folder, kind="record") as made:
        yield made
        assert quiet(made)


def submitted(service, token, number, kind=b"run"):
    """The answer to a record, and how long it took."""
    began = time.perf_counter()
    answer = service.post(
        "/v1/records",
        RECORD % (number, kind),
        Content_Type=JSON,
        Authorization=bearing(token),
    )
    return answer, time.perf_counter() - began


def test_nobody_learns_that_another_has_logged_the_same(service):
    one, other = token_of(service), token_of(service)
    same, fresh = [], []
    for number in range(100, 130):
        assert submitted(service, one, number)[0].status == 201
        same.append(submitted(service, other, number))
        fresh.append(submitted(service, other, number + 1_000))
    for (again, _), (new, _) in zip(same, fresh, strict=True):
        assert (again.status, again.json["repeated"]) == (201, False)
        assert again.json.keys() == new.json.keys()
        assert again.headers.keys() == new.headers.keys()
        assert len(again.json["entry"]) == len(new.json["entry"])
    times = [statistics.median(s for _, s in each) for each in (same, fresh)]
    assert 0.25 < times[0] / times[1] < 4


def test_an_id_of_somebody_else_is_free(service):
    one, other = token_of(service), token_of(service)
    first, _ = submitted(service, one, 5_000, b"hidden")
    second, _ = submitted(service, other, 5_000, b"another")
    assert (first.status, second.status) == (201, 201)
    assert first.json["index"] != second.json["index"]


def test_a_conflict_shows_where_and_not_what(service):
    token = token_of(service)
    first, _ = submitted(service, token, 6_000, b"hidden")
    again, _ = submitted(service, token, 6_000, b"another")
    assert (again.status, again.problem) == (409, "conflict")
    assert again.json["index"] == first.json["index"]
    assert b"hidden" not in again.body
    assert first.json["entry"].encode() not in again.body


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    """A log in which nobody may have everything."""
    rates = "caller_requests_per_s = 50\ncaller_entries_per_s = 50\n"
    folder = tmp_path_factory.mktemp("rated")
    with standing(folder, kind="record", workers=2, settings=rates) as made:
        yield made
        assert quiet(made)


@pytest.mark.parametrize("abuse", ["submits", "reads", "nonsense", "no_token"])
def test_who_uses_up_a_share_uses_up_his_own(rated, abuse):
    service = rated
    polite, rude = token_of(service), token_of(service)
    line, *headers = {
        "submits": ("POST /v1/records", f"Authorization: {bearing(rude)}"),
        "reads": ("GET /checkpoint", f"Authorization: {bearing(rude)}"),
        "nonsense": ("GET /nothing", f"Authorization: {bearing(rude)}"),
        "no_token": ("POST /v1/records", "Content-Length: 0"),
    }[abuse]
    statuses, done = [], threading.Event()

    def flood():
        with Wire(service) as wire:
            while not done.is_set():
                statuses.append(wire.ask(line, *headers).status)

    threads = [threading.Thread(target=flood) for _ in range(2)]
    for each in threads:
        each.start()
    try:
        served = [submitted(service, polite, number)[0].status for number in range(40)]
    finally:
        done.set()
        for each in threads:
            each.join()
    assert set(served) == {201}
    assert statuses.count(429) > len(statuses) / 2


def test_every_address_is_limited_and_so_is_none(new_service):
    service = new_service(settings="caller_requests_per_s = 1\nburst_ms = 1\n")
    described = json.loads(service.get("/v1/openapi.json").body)["paths"]
    lines = [
        (method.upper(), path.replace("{level}", "0").replace("{tile}", "000"))
        for path, methods in described.items()
        for method in methods
        if method in ("get", "post")
    ]
    asked = [
        (method, path.replace("{index}", "0").replace("{size}", "1"))
        for method, path in lines
    ]
    asked += [("GET", "/nothing"), ("PUT", "/add"), ("GET", "/checkpoint?x")]
    assert len(asked) > 10
    for method, path in asked:
        statuses = [service.ask(method, path).status for _ in range(3)]
        assert 429 in statuses, (method, path, statuses)


def test_what_fails_because_of_us_costs_nothing(new_service):
    full = {"PROVLOG_MIN_FREE_BYTES": str(1 << 60)}
    rates = "caller_entries_per_s = 1\ncaller_bytes_per_s = 100\nburst_ms = 1\n"
    service = new_service(settings=rates, environment=full)
    for path in ("/add", "/v1/records"):
        answers = [service.post(path, 90 * b"a") for _ in range(5)]
        assert {each.json["check"] for each in answers} == {"full"}
    lines = {"Content_Type": "application/x-ndjson", "Accept": "text/plain"}
    batches = [service.post("/v1/records:batch", 90 * b"a", **lines) for _ in range(5)]
    assert {each.body.split()[2] for each in batches} == {b"full"}
