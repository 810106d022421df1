"""Statements over HTTP: logged if a registered producer signed them, and proven."""

import base64
import json

import pytest

from ledger.callers import issuing
from ledger.keys import registry
from tests.records import TEXT
from tests.service.test_submit import verified
from tests.statements import CI, IN_TOTO, OTHER, added, envelope, in_toto, sign1
from verifier import cbor
from verifier.checkpoint import Checkpoint
from verifier.cose import Sign1
from verifier.entry import Entry
from verifier.evidence import parse_evidence, verify_evidence
from verifier.note import Note
from verifier.producers.register import Register, verify_register
from verifier.receipt.cose import MEDIA_TYPE as RECEIPT
from verifier.receipt.cose import (
    CoseReceipt,
    verify_consistency_receipt,
    verify_receipt,
)
from verifier.receipt.transparent import MEDIA_TYPE as TRANSPARENT
from verifier.report import Report
from verifier.trust import Limits

COSE = "application/cose"
CONCISE = "application/concise-problem-details+cbor"


@pytest.fixture(params=["record", "statement"])
def kind(request):
    return request.param


@pytest.fixture
def service(new_service, new_log, kind, request):
    """A service of a log with one producer."""
    live = new_log(kind=kind, signed=True)
    with live.open() as log:
        log.register(added())
    return new_service(live, workers=getattr(request, "param", 0))


def administered(service) -> dict[str, str]:
    """The header with a token that may change who signs."""
    text, _ = issuing.create(
        service.live.folder, scopes=["admin", "submit"], now_ms=1, name="admin"
    )
    return {"Authorization": f"Bearer {text}"}


def submit(service, data: bytes = sign1(), **headers: str):
    return service.post("/v1/statements", data, **{"Content_Type": COSE} | headers)


def keys(service):
    return [each.public_key for each in service.live.policy.logs]


# Submitting


@pytest.mark.parametrize("service", [0, 2], indirect=True, ids=["alone", "two"])
def test_a_statement_is_answered_with_its_receipt(service, kind):
    response = submit(service)
    assert response.status == 201
    service.remember(response.json)
    verified(service, response.json)
    entry = base64.b64decode(response.json["entry"])
    assert (Entry.parse(entry).body if kind == "record" else entry) == sign1()
    again = submit(service, sign1(unprotected={9: 1}))
    assert (again.status, again.json["index"]) == (200, response.json["index"])
    shown = service.get(
        f"/v1/entries/{response.json['index']}", Accept="application/json"
    )
    assert shown.json["statement"][0]["issuer"] == "https://ci.example"


@pytest.mark.parametrize("kind", ["record"], indirect=True)
def test_an_envelope_is_logged_as_it_came(service):
    data = envelope(in_toto(), type_=IN_TOTO)
    response = submit(service, data, Content_Type="application/json")
    assert response.status == 201
    assert Entry.parse(base64.b64decode(response.json["entry"])).body == data


def test_each_form_of_the_receipt_shows_the_same(service, kind):
    index = submit(service).json["index"]
    bundle = submit(service, Accept="application/vnd.provlog.bundle+json").body
    verify_evidence(parse_evidence(bundle), service.live.policy, Limits(), Report())
    cose = submit(service, Accept=RECEIPT)
    assert cose.headers["Content-Type"] == RECEIPT
    receipt = CoseReceipt.parse(cose.body)
    entry = receipt.entry_of(sign1()) if kind == "record" else sign1()
    assert verify_receipt(receipt, entry, keys(service))
    whole = submit(service, Accept=TRANSPARENT).body
    verify_evidence(parse_evidence(whole), service.live.policy, Limits(), Report())
    assert Sign1.parse(whole).bare() == sign1()
    later = service.get(f"/v1/receipts/{index}", Accept=RECEIPT)
    assert later.status in (200, 404)  # once it is published


def test_who_has_not_signed_is_told_so(service):
    refused = submit(service, sign1(maker=OTHER))
    assert refused.status == 403
    assert refused.json["check"] == "producer"
    assert submit(service, b"junk").status == 422
    assert submit(service, sign1(headers={1: -35})).status == 422
    assert submit(service, sign1(), Content_Type="text/plain").status == 415
    assert submit(service, bytes(1 << 19)).status == 413


@pytest.mark.parametrize("kind", ["record"], indirect=True)
def test_what_could_not_be_answered_is_not_logged(service):
    data = envelope(in_toto(), type_=IN_TOTO)
    assert submit(service, data, Accept=TRANSPARENT).status == 406
    assert submit(service, data).status == 201


@pytest.mark.parametrize("kind", ["statement"], indirect=True)
def test_what_is_none_is_told_how_one_is_made(service):
    for data in (b"junk", b"{}", sign1(issuer=None)):
        refused = submit(service, data)
        assert refused.status == 422
        assert "provlog sign FILE --issuer" in refused.json["detail"]
        assert "no statement" in refused.json["title"]


def test_another_type_is_told_all_that_are_taken(service):
    refused = submit(service, Content_Type="text/plain")
    for taken in (COSE, TRANSPARENT, "dsse.envelope.v1", "sigstore.bundle.v0.3+json"):
        assert taken in refused.json["detail"]


def test_an_opaque_log_gives_cose_receipts_and_takes_no_statements(new_service):
    service = new_service(workers=0)
    assert submit(service).status == 404
    response = service.post("/v1/records", b"bytes", Accept=RECEIPT)
    assert response.status == 201
    assert verify_receipt(CoseReceipt.parse(response.body), b"bytes", keys(service))
    carried = service.post("/v1/records", b"bytes", Accept=TRANSPARENT)
    assert carried.status == 404


def test_a_record_has_a_cose_receipt_as_well(new_service):
    service = new_service(kind="record", workers=0)
    record = TEXT % 1
    found = service.post("/v1/records", record, Accept=RECEIPT)
    receipt = CoseReceipt.parse(found.body)
    entry = base64.b64decode(service.submit(record).json["entry"])
    assert receipt.entry_of(Entry.parse(entry).body) == entry
    assert verify_receipt(receipt, entry, keys(service))


@pytest.mark.parametrize("algorithm", ["-19", "-8"])
def test_the_algorithm_of_receipts_is_what_is_set(new_service, algorithm):
    service = new_service(workers=0, settings=f'receipt_algorithm = "{algorithm}"\n')
    body = service.post("/v1/records", b"x", Accept=RECEIPT).body
    assert CoseReceipt.parse(body).message.headers[1] == int(algorithm)
    assert verify_receipt(CoseReceipt.parse(body), b"x", keys(service))


def test_that_the_log_only_grew_is_shown_in_cose_as_well(service):
    first = service.get("/v1/producers").json
    for number in range(3):
        size = submit(service, sign1(b"%d" % number)).json["size"]
    begin = Note.parse(base64.b64decode(first["checkpoint"]))
    before = Checkpoint.parse(begin.text)
    found = service.get(f"/v1/receipts/consistency/{before.size}/{size}")
    receipt = CoseReceipt.parse(found.body)
    assert verify_consistency_receipt(receipt, before.size, before.root, keys(service))
    for sizes in (f"0/{size}", f"{size}/{before.size}", f"1/{size + 9}"):
        assert service.get(f"/v1/receipts/consistency/{sizes}").status == 404


# Producers


@pytest.mark.parametrize("service", [0, 2], indirect=True, ids=["alone", "two"])
def test_producers_are_entered_by_who_administers_and_shown_with_proofs(service):
    token = administered(service)
    new = json.dumps(registry.json_of_own(added(OTHER, name="x", issuers=()))).encode()
    assert service.post("/v1/producers", new).status == 401
    entered = service.post("/v1/producers", new, **token)
    assert entered.status == 201
    again = service.post("/v1/producers", new, **token)
    assert (again.status, again.json["check"]) == (422, "registration")
    taken = submit(service, sign1(maker=OTHER, issuer="x"), **token)
    assert taken.status == 201
    gone = json.dumps(registry.revoke("x", [OTHER.credential.id], "lost")).encode()
    assert service.post("/v1/producers", gone, **token).status == 201
    refused = submit(service, sign1(b"later", maker=OTHER, issuer="x"), **token)
    assert (refused.status, refused.json["check"]) == (403, "producer")
    listed = service.get("/v1/producers").body
    producers = verify_register(Register.parse(listed), service.live.policy)
    assert [each.name for each in producers] == ["ci", "x"]
    assert producers.get("x").credentials[0].reason == "lost"


SAY_NOTHING = (
    b"junk",
    b"{}",
    b'{"kind": "freeze", "reason": "x"}',
    b'{"kind": "producer.add", "producer": "x", "more": 1}',
    b'{"kind": "producer.add", "producer": "x", "keys": 5}',
    b'{"kind": "producer.add", "producer": "x", "keys": [5]}',
    b'{"kind":"producer.add","producer":"x","keys":[{"key":"!"}]}',
    b'{"kind":"producer.revoke","producer":"ci","ids":["x"],"reason":"%b"}'
    % (b"x" * 1_025),
)


@pytest.mark.parametrize("kind", ["record"], indirect=True)
def test_what_says_nothing_about_a_producer_is_refused(service):
    token = administered(service)
    for body in SAY_NOTHING:
        answer = service.post("/v1/producers", body, **token)
        assert answer.status in (400, 422), body
    assert submit(service).status == 401  # there are tokens now, and nothing else


def test_a_key_that_would_never_be_good_is_not_entered(service):
    never = OTHER.credential.document() | {"from": 7, "until": 7}
    own = registry.add("x", [OTHER.credential]) | {"keys": [never]}
    body = json.dumps(registry.json_of_own(own)).encode()
    answer = service.post("/v1/producers", body, **administered(service))
    assert (answer.status, answer.json["check"]) == (422, "registration")
    assert "which is not later" in answer.json["detail"]


def test_a_register_is_given_under_the_checkpoint_that_was_published_since(service):
    def lines() -> int:
        found = service.get("/v1/producers")
        return len(Note.parse(Register.parse(found.body).checkpoint).signatures)

    service.until(lambda: lines() == 3)  # what is published states a time, too


# SCITT


SCITT = pytest.mark.parametrize("kind", ["statement"], indirect=True)


@SCITT
def test_a_statement_is_registered_and_its_receipt_is_the_answer(service):
    made = service.post("/entries", sign1(), Content_Type=COSE)
    assert made.status == 201
    assert made.headers["Content-Type"] == RECEIPT
    assert verify_receipt(CoseReceipt.parse(made.body), sign1(), keys(service))
    again = service.post("/entries", sign1(), Content_Type=COSE)
    assert (again.status, again.headers["Location"]) == (201, made.headers["Location"])
    found = service.get(made.headers["Location"])
    assert found.status == 200
    assert verify_receipt(CoseReceipt.parse(found.body), sign1(), keys(service))


WORDS = (
    (sign1(maker=OTHER), "Rejected"),
    (b"junk", "Rejected"),
    (sign1(headers={1: -35}), "Bad Signature Algorithm"),
    (sign1(None, detached=b"x"), "Payload Missing"),
)


@SCITT
def test_what_is_refused_is_refused_in_scitts_words(service):
    for data, title in WORDS:
        refused = service.post("/entries", data, Content_Type=COSE)
        assert refused.status == 400
        assert refused.headers["Content-Type"] == CONCISE
        problem = cbor.decode(refused.body)
        assert problem[-1] == title
        assert problem[-2]


@SCITT
def test_what_is_not_there_is_said_in_cbor_too(service):
    for path in ("/entries/999", "/entries/-1", "/.well-known/scitt-keys/%C2%84"):
        missing = service.get(path)
        assert missing.status == 404
        assert cbor.decode(missing.body)[-1]
    assert (
        service.post("/entries", b"{}", Content_Type="application/json").status == 415
    )


NOT_FOR_IT = (
    ("GET", "/entries"),
    ("DELETE", "/entries"),
    ("POST", "/entries/1"),
    ("POST", "/.well-known/scitt-keys"),
)


@SCITT
def test_so_is_a_method_that_is_not_for_an_address_of_scitt(service):
    for method, path in NOT_FOR_IT:
        refused = service.ask(method, path)
        assert refused.status == 405
        assert refused.headers["Allow"]
        assert refused.headers["Content-Type"] == CONCISE
        assert "is not for this address" in cbor.decode(refused.body)[-2]


@SCITT
def test_elsewhere_it_is_said_in_json(service):
    for path in ("/checkpoint", "/v1/statements"):
        refused = service.ask("DELETE", path)
        assert refused.status == 405
        assert refused.json["check"] == "method"
    assert service.get("/entriesx").json["check"] == "not-found"


@SCITT
def test_only_what_is_taken_there_is_said_to_be(service):
    refused = service.post("/entries", sign1(), Content_Type="text/plain")
    assert refused.status == 415
    assert "sigstore" not in cbor.decode(refused.body)[-2]


@pytest.mark.parametrize("kind", ["record"], indirect=True)
def test_a_log_of_another_kind_says_for_which_one_an_address_is(service):
    for method, path in (("POST", "/entries"), ("GET", "/entries/1")):
        refused = service.ask(method, path)
        assert refused.status == 404
        assert refused.headers["Content-Type"] == CONCISE
        assert "in statement logs only" in cbor.decode(refused.body)[-2]
    assert "opaque logs only" in service.ask("POST", "/add").json["detail"]


def test_the_keys_of_receipts_are_a_key_set(service):
    found = cbor.decode(service.get("/.well-known/scitt-keys").body)
    (key,) = found
    assert key[1] == 1
    assert key[-2] == keys(service)[0].raw
    name = base64.urlsafe_b64encode(key[2]).decode().rstrip("=")
    one = service.get(f"/.well-known/scitt-keys/{name}")
    assert cbor.decode(one.body) == key
    other = service.get(f"/.well-known/scitt-keys/{'A' * 43}")
    assert other.status == 404
    assert cbor.decode(other.body)[-2] == "No such key"


def test_the_key_that_a_receipt_names_is_in_the_set(service, kind):
    body = submit(service, Accept=RECEIPT).body
    kid = CoseReceipt.parse(body).message.headers[4]
    name = base64.urlsafe_b64encode(kid).decode().rstrip("=")
    assert service.get(f"/.well-known/scitt-keys/{name}").status == 200
    assert CI.public.raw not in body
