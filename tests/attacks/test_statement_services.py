"""Attack: everything that can be tried on a service with somebody's statements.

Who hands something in, who has signed it, and who says who may sign are three, and
each is who he is. What is made to hurt is refused while others are served. (Threats: a
statement under another's token, a stolen name, the rights of an administrator, bombs.)
"""

import base64
import json
import threading

import pytest

from ledger.keys import registry
from tests.attacks.bombs import (
    OF_COSE,
    OF_JSON,
    chained,
    der_junk,
    fat_chain,
    huge_key,
    many_signatures,
)
from tests.attacks.test_statement_registers import OWNS, forms_of
from tests.attacks.wire import Wire, bearing, quiet, size_of, token_of
from tests.authority import ed25519_key, issue
from tests.hosted import hosted, keys_of, producers_of, shown, submit
from tests.statements import CI, ISSUER, OTHER, Maker, added, envelope, sign1
from verifier.certificate import Certificate
from verifier.entry import Entry
from verifier.evidence import parse_evidence, verify_evidence
from verifier.producers.credential import Credential
from verifier.receipt.cose import MEDIA_TYPE as RECEIPT
from verifier.receipt.cose import CoseReceipt, verify_receipt
from verifier.report import Report
from verifier.trust import Limits

pytestmark = pytest.mark.exhaustive

BUNDLE = "application/vnd.provlog.bundle+json"
OTHER_ISSUER = "https://other.example"
AUTHORITY = issue("CN=an authority", ed25519_key(9), authority=True)


@pytest.fixture(scope="module", params=["record", "statement"])
def service(request, tmp_path_factory):
    """A log with two producers and an authority, which nobody uses without a token."""
    lab = [Credential.of_certificate(Certificate.parse(AUTHORITY.der))]
    owns = [
        added(),
        added(OTHER, name="other", issuers=(OTHER_ISSUER,)),
        registry.add("lab", lab),
    ]
    folder = tmp_path_factory.mktemp("statements")
    with hosted(folder, *owns, kind=request.param, workers=1) as made:
        made.tokens = {
            name: {"Authorization": bearing(token_of(made, *scopes))}
            for name, scopes in {
                "one": ("submit",),
                "two": ("submit",),
                "read": ("read",),
                "audit": ("audit",),
                "both": ("submit", "read", "audit"),
                "admin": ("admin",),
            }.items()
        }
        yield made
        assert quiet(made)


def kind_of(service):
    return service.live.charter.kind


# Whose it is


def test_who_replays_a_statement_does_not_become_who_has_signed_it(service):
    data = sign1(b"replayed")
    first = submit(service, data, **service.tokens["one"]).json
    again = submit(service, data, **service.tokens["one"]).json
    other = submit(service, data, **service.tokens["two"]).json
    assert again["index"] == first["index"]
    assert other["index"] != first["index"]
    for each in (first, other):
        bundle = submit(service, data, Accept=BUNDLE, **service.tokens["two"]).body
        report = Report()
        verify_evidence(
            parse_evidence(bundle),
            service.live.policy,
            Limits(),
            report,
            producers=producers_of(service),
        )
        assert "signed by ci with" in report.text()
        if kind_of(service) == "record":
            entry = Entry.parse(base64.b64decode(each["entry"]))
            assert entry.body == data
    if kind_of(service) == "record":
        submitters = {
            Entry.parse(base64.b64decode(x["entry"])).by for x in (first, other)
        }
        assert len(submitters) == 2


def test_a_replayed_statement_with_other_words_around_it_is_the_same(service):
    data = sign1(b"hinted")
    first = submit(service, data, **service.tokens["one"]).json
    for around in ({4: b"thief"}, {394: [b"x"]}, {"by": "thief"}, {395: 1}):
        changed = sign1(b"hinted", unprotected=around)
        again = submit(service, changed, **service.tokens["one"])
        assert (again.status, again.json["index"]) == (200, first["index"])


@pytest.mark.parametrize("form", ["/v1/statements", "/entries"])
def test_nobody_speaks_by_the_name_of_another(service, form):
    if form == "/entries" and kind_of(service) == "record":
        form = "/v1/statements"
    for maker, issuer in (
        (OTHER, ISSUER),
        (CI, OTHER_ISSUER),
        (CI, "https://third.example"),
        (OTHER, service.live.charter.origin),
    ):
        data = sign1(b"stolen", maker=maker, issuer=issuer)
        before = size_of(service)
        headers = {"Content_Type": "application/cose", **service.tokens["one"]}
        assert service.post(form, data, **headers).status in (400, 403, 422)
        assert size_of(service) == before


def test_a_receipt_is_of_the_one_statement_that_it_was_given_for(service):
    made = [sign1(b"first of two"), sign1(b"second of two")]
    receipts = [
        CoseReceipt.parse(
            submit(service, data, Accept=RECEIPT, **service.tokens["one"]).body
        )
        for data in made
    ]
    for receipt, own in zip(receipts, made, strict=True):
        for data in made:
            entry = receipt.entry_of(data) if receipt.wrapped else data
            try:
                verify_receipt(receipt, entry, keys_of(service))
            except Exception:  # noqa: BLE001 - whatever it is, it is no yes
                assert data != own
            else:
                assert data == own


# What only the log says


@pytest.mark.parametrize("own", OWNS, ids=lambda own: own["kind"])
def test_the_logs_own_words_are_handed_in_by_nobody(service, own):
    before = size_of(service)
    for data in forms_of(own, service.live.charter.origin):
        for token in ("one", "both", "admin"):
            answer = submit(service, data, **service.tokens[token])
            assert answer.status in (403, 422), answer
    assert size_of(service) == before


# Who says who may sign


def new_producer(name: str = "mine") -> bytes:
    own = added(Maker(number=77), name=name, issuers=())
    return json.dumps(registry.json_of_own(own)).encode()


@pytest.mark.parametrize("token", ["one", "read", "audit", "both"])
def test_only_who_administers_says_who_may_sign(service, token):
    before = size_of(service)
    gone = json.dumps(registry.revoke("ci", [CI.credential.id], "x")).encode()
    for body in (new_producer(), gone, b"junk", b""):
        answer = service.post("/v1/producers", body, **service.tokens[token])
        assert (answer.status, answer.problem) == (403, "scope"), answer
    assert size_of(service) == before


def test_without_a_token_nobody_does(service):
    for headers in (
        {},
        {"Authorization": bearing("provlog_" + 43 * "A")},
        {"Cookie": service.tokens["admin"]["Authorization"]},
        {"X_Scope": "admin"},
    ):
        answer = service.post("/v1/producers", new_producer(), **headers)
        assert answer.status == 401, answer


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind":"producer.add","producer":"x","keys":[],"issuers":[],"threshold":1}',
        b'{"kind":"freeze","reason":"x"}',
        b'{"kind":"key.rotate","keys":[]}',
        b'{"kind":"producer.revoke","number":0,"producer":"ci","ids":[],"reason":""}',
        b'{"kind":"producer.rotate","producer":"ci","keys":[],"until":-1}',
        b"[" * 1_000,
        b'{"kind":' + b"9" * 100_000 + b"}",
        b'{"kind":"producer.add","kind":"producer.revoke"}',
    ],
    ids=lambda body: str(len(body)),
)
def test_what_an_administrator_cannot_say_is_refused(service, body):
    before = size_of(service)
    answer = service.post("/v1/producers", body, **service.tokens["admin"])
    assert answer.status in (400, 422), answer
    assert answer.json["check"] in ("form", "registration")
    assert size_of(service) == before


def test_many_large_keys_at_once_are_refused_and_the_log_goes_on(service):
    makers = [Maker("ml-dsa-44", number=500 + n) for n in range(60)]
    own = added(*makers, name="large", issuers=())
    body = json.dumps(registry.json_of_own(own)).encode()
    before = size_of(service)
    answer = service.post("/v1/producers", body, **service.tokens["admin"])
    assert (answer.status, answer.json["check"]) == (413, "size"), answer
    assert size_of(service) == before
    fewer = added(*makers[:10], name="smaller", issuers=())
    body = json.dumps(registry.json_of_own(fewer)).encode()
    assert service.post("/v1/producers", body, **service.tokens["admin"]).status == 201
    assert submit(service, sign1(b"after"), **service.tokens["one"]).status == 201


# What is made to hurt


BOMBS = {
    **OF_COSE,
    **OF_JSON,
    "a_chain_of_8": chained(*fat_chain()),
    "keys_of_16_384_bits": chained(*[huge_key()] * 8),
    "64_signatures": many_signatures(),
    **{f"junk_{name}": chained(data[:60_000]) for name, data in der_junk().items()},
}


def test_what_is_made_to_hurt_is_refused_while_others_are_served(service):
    before, ended = size_of(service), threading.Event()
    served: list[int] = []

    def others() -> None:
        while not ended.is_set():
            served.append(service.get("/checkpoint").status)

    reading = [threading.Thread(target=others) for _ in range(2)]
    for each in reading:
        each.start()
    try:
        for case, data in BOMBS.items():
            answer = submit(service, data, **service.tokens["one"])
            assert answer.status in (400, 403, 413, 422), (case, answer)
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert len(answer.body) < 2_000, case
    finally:
        ended.set()
        for each in reading:
            each.join()
    assert set(served) == {200}
    assert len(served) > 2
    assert size_of(service) == before
    assert submit(service, sign1(b"good"), **service.tokens["one"]).status == 201


def test_they_are_refused_in_scitts_words_too(service):
    if kind_of(service) != "statement":
        assert service.post("/entries", b"").status == 404
        return
    headers = {"Content_Type": "application/cose", **service.tokens["one"]}
    for case, data in OF_COSE.items():
        answer = service.post("/entries", data, **headers)
        assert answer.status in (400, 413), (case, answer)
        assert len(answer.body) < 2_000


def test_a_body_that_ends_nowhere_is_no_statement(service):
    authorization = f"Authorization: {service.tokens['one']['Authorization']}"
    with Wire(service) as wire:
        headers = (authorization, "Content-Length: 300000")
        wire.begin("POST /v1/statements", *headers, body=b"\xd2\x84")
        assert wire.answer().status == 413


def test_what_is_shown_of_an_entry_is_bounded(service):
    if kind_of(service) != "record":
        data = sign1(bytes(60_000))
    else:
        data = envelope(bytes(40_000), type_="x" * 1_000)
    answer = submit(service, data, **service.tokens["one"])
    assert answer.status == 201
    told = shown(service, answer.json["index"])["statement"]
    assert len(json.dumps(told)) < 8_000
