"""Who submits says what the answer has to look like, and how long it may take."""

import base64
import time

import pytest

from ledger.http.accept import accepts_gzip, choose
from ledger.http.problems import Problem
from tests.service.standing import RECORD, holds, standing
from verifier import Bundle, Receipt, verify_checkpoint
from verifier.note import Note

JSON = "application/json"
BUNDLE = "application/vnd.provlog.bundle+json"
PROOF = "text/x.tlog.proof"
TEXT = "text/plain"
OFFERED = (JSON, BUNDLE, PROOF, TEXT)


@pytest.fixture(scope="module", params=[0, 1], ids=["alone", "front_end"])
def service(request, tmp_path_factory):
    """A record log that publishes often."""
    options = {"kind": "record", "settings": "publish_interval_ms = 200\n"}
    folder = tmp_path_factory.mktemp("log")
    with standing(folder, workers=request.param, **options) as made:
        yield made


def read(kind, answer):
    """The receipt in an answer of this kind, and the entry if it has that."""
    if kind == JSON:
        receipt = Receipt.parse(answer.json["receipt"].encode())
        return receipt, base64.b64decode(answer.json["entry"])
    if kind == BUNDLE:
        bundle = Bundle.parse(answer.body)
        return bundle.receipt, bundle.entry
    return Receipt.parse(answer.body), None


# What it looks like


@pytest.mark.parametrize("kind", [JSON, BUNDLE, PROOF])
def test_each_form_has_the_same_receipt_and_it_verifies(service, kind):
    number = 10 + OFFERED.index(kind)
    new = service.post("/v1/records", RECORD % number, Accept=kind)
    old = service.post("/v1/records", RECORD % number, Accept=kind)
    assert (new.status, old.status) == (201, 200)
    for each in (new, old):
        assert each.headers["Content-Type"].partition(";")[0] == kind
        receipt, entry = read(kind, each)
        assert each.headers["Location"] == f"/v1/entries/{receipt.index}"
        holds(service, receipt, entry or service.get(each.headers["Location"]).body)


def test_as_text_it_is_the_bare_index(service):
    new = service.post("/v1/records", RECORD % 20, Accept=TEXT)
    old = service.post("/v1/records", RECORD % 20, Accept=TEXT)
    assert (new.status, old.status) == (201, 200)
    assert new.body == old.body == b"%d" % int(new.body)
    assert new.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_without_a_wish_it_is_json(service):
    assert service.post("/v1/records", RECORD % 21).headers["Content-Type"] == JSON


@pytest.mark.parametrize("path", ["/v1/entries/0", "/v1/receipts/0"])
def test_what_is_not_offered_is_said(service, path):
    got = service.get(path, Accept="image/png")
    assert (got.status, got.problem) == (406, "not-acceptable")
    assert "application/" in got.json["detail"]


@pytest.mark.parametrize("path", ["/v1/records", "/v1/records:batch"])
def test_and_nothing_is_logged_for_it(service, path):
    type_ = "application/json" if path == "/v1/records" else "application/x-ndjson"
    got = service.post(path, RECORD % 22, Accept="image/png", Content_Type=type_)
    assert (got.status, got.problem) == (406, "not-acceptable")
    id_ = "01a0c54a-5ad0-7aa2-bf0c-000000000022"
    assert service.get(f"/v1/lookup/record/{id_}").status == 404


@pytest.mark.parametrize(
    ("accept", "best"),
    [
        *((None, JSON), ("", JSON), ("*/*", JSON), ("text/plain", TEXT)),
        *((f"{JSON};q=0.1, {TEXT}", TEXT), (f"{TEXT};q=0.5, */*;q=0.1", TEXT)),
        *(("text/*", PROOF), (f"text/*, {PROOF};q=0", TEXT)),
        *((f"{JSON};q=0, */*", BUNDLE), (f"*/*, {JSON};q=0.5", BUNDLE)),
        *(("TEXT/Plain; charset=x", TEXT), (f"image/png, {BUNDLE};q=0.1", BUNDLE)),
    ],
)
def test_what_fits_best_is_chosen_and_of_equals_the_first(accept, best):
    assert choose(accept, OFFERED) == best


@pytest.mark.parametrize(
    "accept",
    [
        *("image/png", "*/*;q=0", "text/html, image/*", "json", ",", "application/"),
        *(f"{JSON};q=2", f"{JSON};q=nan", f"{JSON};q=-1", f"{JSON};q=1e-1", "x/*"),
        "image/png," * 40 + JSON,
    ],
)
def test_what_fits_nothing_is_refused(accept):
    with pytest.raises(Problem) as refused:
        choose(accept, OFFERED)
    assert refused.value.kind.status == 406


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        *(("gzip", True), ("GZIP", True), ("br, gzip;q=0.1", True), ("*", True)),
        *((None, False), ("", False), ("br", False), ("gzip;q=0, *", False)),
        *(("*;q=0", False), ("gzip;q=nan", False), ("xgzip", False)),
    ],
)
def test_gzip_is_for_who_takes_it(header, taken):
    assert accepts_gzip(header) is taken


# How long it may take


def test_who_prefers_to_wait_gets_a_published_checkpoint(service):
    got = service.post("/v1/records", RECORD % 30, Prefer="wait=20")
    assert got.headers["Preference-Applied"] == "wait=20"
    receipt, entry = read(JSON, got)
    assert holds(service, receipt, entry).size > receipt.index
    made = [len(each.signature) for each in Note.parse(receipt.checkpoint).signatures]
    # As a note, for COSE receipts, and with ML-DSA-44.
    assert len(made) == 3
    assert max(made) > 2_420  # the bytes of an ML-DSA-44 signature


def test_who_does_not_wait_gets_one_that_was_signed_just_now(service):
    got = service.post("/v1/records", RECORD % 31)
    assert "Preference-Applied" not in got.headers
    assert len(Note.parse(read(JSON, got)[0].checkpoint).signatures) == 2


@pytest.mark.parametrize(
    "prefer",
    ["respond-async, wait=20", "wait = 20", "Wait=20", "wait=20; x=y", 'wait="20"'],
)
def test_a_preference_may_be_spelled_as_the_rfc_allows(service, prefer):
    got = service.post("/v1/records", RECORD % 32, Prefer=prefer)
    assert got.headers["Preference-Applied"] == "wait=20"


def test_a_wait_has_an_end(service):
    got = service.post("/v1/records", RECORD % 33, Prefer="wait=999999")
    assert got.headers["Preference-Applied"] == "wait=60"


@pytest.mark.parametrize(
    "prefer", ["wait=0", "wait=-1", "wait=x", "wait", "", "wait=1e9"]
)
def test_what_is_no_wait_is_not_applied(service, prefer):
    got = service.post("/v1/records", RECORD % 34, Prefer=prefer)
    assert got.status in (200, 201)
    assert "Preference-Applied" not in got.headers


def test_who_waits_in_vain_gets_what_there_is(new_service):
    service = new_service(settings="publish_interval_ms = 60_000\n")
    began = time.monotonic()
    got = service.submit(b"entry", Prefer="wait=1")
    assert time.monotonic() - began >= 1
    assert got.status == 201
    assert "Preference-Applied" not in got.headers


def test_a_log_may_answer_only_what_is_published(new_service):
    settings = 'ack = "published"\npublish_interval_ms = 300\n'
    service = new_service(settings=settings)
    for number in range(3):
        result = service.submit(b"entry %d" % number).json
        assert len(Note.parse(read_note(result)).signatures) == 3
        seen = verify_checkpoint(service.get("/checkpoint").body, service.live.policy)
        assert seen.checkpoint.size > result["index"]


def read_note(result):
    return Receipt.parse(result["receipt"].encode()).checkpoint


def test_and_says_where_it_is_if_that_takes_too_long(new_service):
    settings = 'ack = "published"\npublish_interval_ms = 60_000\nanswer_timeout_s = 1\n'
    service = new_service(settings=settings)
    got = service.post("/v1/records", b"entry")
    assert (got.status, got.problem) == (500, "outcome-unknown")
    assert got.json["index"] == 0
    assert service.get("/v1/entries/0").body == b"entry"
