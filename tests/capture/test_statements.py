"""What a producer has signed is logged by one call, and what comes back is just that.

Out of it the transparent statement is made, offline; nothing of it is handed out that
an auditor would not accept.
"""

import asyncio
import json
from pathlib import Path

import cbor2
import pytest

from capture import AsyncClient, NotBelieved, OutcomeUnknown, Refused
from tests.capture.live import client_of, policy_path, serving, token_of
from tests.capture.truth import INDEX, hang_up, posted, problem, true_result, wrapped
from tests.loopback import answer
from tests.records import SMALLEST
from tests.statements import CI, IN_TOTO, OTHER, added, envelope, in_toto, sign1
from tests.testlog import LOG, b64, signer
from verifier import Limits, Policy, Report, VerifierKey
from verifier.cose import Sign1
from verifier.evidence import parse_evidence, verify_evidence
from verifier.own import MEDIA_TYPE as OWN
from verifier.producers import Producer, Producers
from verifier.receipt.line import line_id, line_message, protected_of
from verifier.statement import COSE
from verifier.statement.envelope import MEDIA_TYPE as DSSE

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.fixture(scope="module")
def record_log(tmp_path_factory):
    yield from standing(tmp_path_factory.mktemp("records"), "record", workers=2)


@pytest.fixture(scope="module")
def statement_log(tmp_path_factory):
    yield from standing(tmp_path_factory.mktemp("statements"), "statement", workers=0)


def standing(folder, kind, *, workers):
    """A service of a log that knows one producer, and takes what he has signed."""
    with serving(folder, workers=workers, kind=kind, producers=[added()]) as service:
        service.token = token_of(service)
        yield service


@pytest.fixture(params=["record", "statement"])
def service(request):
    return request.getfixturevalue(f"{request.param}_log")


def bundle():
    """A Sigstore bundle whose signer is known by a key."""
    return json.dumps(
        {
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": "ci"}},
            "dsseEnvelope": json.loads(envelope(b"in a bundle")),
        }
    ).encode()


def checked(data, service, *, policy=None, **options):
    """What an auditor finds in evidence, who believes one producer."""
    report = Report()
    producers = Producers([Producer(name="ci", credentials=(CI.credential,))])
    verify_evidence(
        parse_evidence(data),
        policy or Policy.parse(policy_path(service).read_bytes()),
        Limits(),
        report,
        producers=producers,
        **options,
    )
    return {each.check for each in report.findings if each.holds}


# What is logged


def test_a_statement_is_logged_and_its_bundle_holds(service):
    with client_of(service) as client:
        logged = client.submit_statement(sign1(b"once"))
    assert logged.statement == sign1(b"once")
    assert (logged.record, logged.repeated) == (None, False)
    kind = service.live.charter.kind
    assert logged.entry.endswith(logged.statement) == (kind == "statement")
    shown = checked(logged.bundle(), service, kind=kind)
    assert {"log", "inclusion", "producer"} <= shown


@pytest.mark.parametrize("make", [envelope, bundle], ids=["DSSE", "Sigstore"])
def test_a_record_log_takes_the_other_forms(record_log, make):
    with client_of(record_log) as client:
        logged = client.submit_statement(make())
    assert logged.statement == make()
    assert logged.by.startswith("s-")
    assert "producer" in checked(logged.bundle(), record_log)


def test_the_same_again_has_its_index_whatever_nobody_has_signed(service):
    with client_of(service) as client:
        first = client.submit_statement(sign1(b"twice"))
        again = client.submit_statement(sign1(b"twice", unprotected={4: b"hint"}))
    assert (again.index, again.entry) == (first.index, first.entry)
    assert again.repeated


def test_it_is_read_again_with_the_statement_in_it(service):
    with client_of(service) as client:
        logged = client.submit_statement(sign1(b"read again"))
        published = client.wait_published(logged.index, 20)
    assert published.statement == logged.statement
    assert published.transparent().startswith(b"\xd2\x84")


def test_records_and_statements_stand_in_one_log(record_log):
    with client_of(record_log) as client:
        record = client.submit(SMALLEST)
        assert record.statement is None
        with pytest.raises(Refused, match="is no COSE_Sign1") as caught:
            record.transparent()
    assert caught.value.check == "form"


def test_a_statement_about_a_file_is_found_by_its_digest(record_log):
    with client_of(record_log) as client:
        made = envelope(in_toto("7" * 64), type_=IN_TOTO)
        logged = client.submit_statement(made)
        client.wait_published(logged.index, 20)
        record_log.until(lambda: client.lookup_digest("7" * 64))
        assert client.lookup_digest("7" * 64) == (logged.index,)


def test_the_twin_does_the_same(service):
    async def log():
        policy = policy_path(service)
        async with AsyncClient(service.url, service.token, policy) as client:
            return await client.submit_statement(sign1(b"awaited"))

    assert asyncio.run(log()).statement == sign1(b"awaited")


# What is refused


def test_a_statement_of_a_key_that_nobody_knows_is_refused_as_that(service):
    made = sign1(maker=OTHER)
    with client_of(service) as client, pytest.raises(Refused) as caught:
        client.submit_statement(made)
    assert type(caught.value) is Refused
    assert (caught.value.check, caught.value.status) == ("producer", 403)
    assert "provlog producer add" in str(caught.value)
    assert caught.value.submitted == (made,)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"text", sign1()[:-1], sign1() + b"\0", b'{"mediaType": "text/x"}'],
    ids=["nothing", "an object", "text", "cut off", "longer", "another type"],
)
def test_what_is_no_statement_is_not_even_sent(client, server, data):
    with pytest.raises(Refused, match="it was not sent") as caught:
        client(answer()).submit_statement(data)
    assert (caught.value.check, caught.value.status) == ("form", 0)
    assert caught.value.submitted == (data,)
    assert not server.requests


@pytest.mark.parametrize("data", ["run.cose", Path("run.cose"), {"kind": "run"}, None])
def test_a_statement_is_given_as_its_bytes_and_not_as_its_name(client, server, data):
    with pytest.raises(TypeError, match=r"as its bytes, and not as .*read_bytes\(\)"):
        client(answer()).submit_statement(data)
    assert not server.requests


def test_an_envelope_is_not_for_a_statement_log(statement_log):
    with client_of(statement_log) as client, pytest.raises(Refused) as caught:
        client.submit_statement(envelope())
    assert (caught.value.check, caught.value.status) == ("form", 422)


# What is sent


@pytest.mark.parametrize(
    ("data", "kind", "sent"),
    [
        (sign1(), "application/cose", sign1()),
        (sign1(unprotected={4: b"hint"}), "application/cose", sign1()),
        (envelope(), DSSE, envelope()),
        (bundle(), DSSE, bundle()),
    ],
    ids=["COSE", "COSE with a hint", "DSSE", "Sigstore"],
)
def test_a_statement_is_sent_as_what_it_is_and_as_it_is_logged(
    client, server, data, kind, sent
):
    types = {"application/cose": COSE, DSSE: BUNDLE if data == bundle() else DSSE}
    client(truly(types[kind])).submit_statement(data)
    ((path, headers),) = server.requests
    assert path.endswith("/v1/statements")
    assert headers["Content-Type"] == kind
    assert server.bodies == [sent]


def test_a_statement_is_sent_again_in_every_log_when_an_answer_is_lost(client, server):
    client(hang_up, problem(503, "busy"), truly()).submit_statement(sign1())
    assert server.bodies == [sign1()] * 3


def test_what_may_be_logged_is_said_to_be_unknown(client):
    # Its key may have been revoked between the two.
    log = client(hang_up, problem(403, "producer"))
    with pytest.raises(OutcomeUnknown) as caught:
        log.submit_statement(sign1())
    assert caught.value.submitted == (sign1(),)


# What is not believed


def truly(type_=None, **options):
    """Answer truly: what was posted is logged, of this type or with nothing around."""
    return posted(
        lambda data: json.dumps(
            true_result(wrapped(data, type=type_) if type_ else data, **options)
        ).encode()
    )


LIES = {
    "another statement": sign1(b"another"),
    "another statement in an entry": wrapped(sign1(b"another"), type=COSE),
    "an unprotected header": sign1(unprotected={4: b"hint"}),
    "one in an entry": wrapped(sign1(unprotected={4: b"hint"}), type=COSE),
    "another type": wrapped(sign1(), type=DSSE),
    "a record": wrapped(sign1()),
    "by the log itself": wrapped(sign1(), type=COSE, by="log"),
    "the log's own": wrapped(sign1(), type=OWN),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_the_statement_that_was_submitted_is_not_believed(client, lie):
    result = true_result(LIES[lie])
    log = client(posted(lambda _: json.dumps(result).encode()))
    with pytest.raises(NotBelieved) as caught:
        log.submit_statement(sign1())
    assert caught.value.check == "entry"
    assert json.loads(caught.value.answer) == result
    assert caught.value.submitted == (sign1(),)


def test_the_receipt_of_another_statement_is_not_believed(client):
    other = true_result(sign1(b"another"))
    lie = other | {"entry": b64(sign1())}
    log = client(posted(lambda _: json.dumps(lie).encode()))
    with pytest.raises(NotBelieved) as caught:
        log.submit_statement(sign1())
    assert caught.value.check == "inclusion"


# Its transparent statement


def receipt_line(by=LOG, key=LOG, name=LOG.name):
    """A line for COSE receipts: said to be by `key`, and signed by another one."""
    public = VerifierKey.parse(key.vkey).public_key

    def line(root):
        about = name, public, -19, "statement"
        signature = by.sign(line_message(protected_of(*about), root))
        return f"\u2014 {name} {b64(line_id(*about) + signature)}\n"

    return line


def test_out_of_a_receipt_the_transparent_statement_is_made(service):
    with client_of(service) as client:
        logged = client.submit_statement(sign1(b"transparent"))
    made = logged.transparent()
    assert {"log", "inclusion", "producer"} <= checked(made, service)
    message = Sign1.parse(made)
    assert message.bare() == logged.statement
    assert message.unprotected == {394: (logged.cose_receipt(),)}
    assert "inclusion" in checked(logged.cose_receipt(), service, entry=logged.entry)


def test_an_envelope_has_a_cose_receipt_and_cannot_carry_it(record_log):
    with client_of(record_log) as client:
        logged = client.submit_statement(envelope(b"enveloped"))
    shown = checked(logged.cose_receipt(), record_log, entry=logged.statement)
    assert {"log", "inclusion", "producer"} <= shown
    with pytest.raises(Refused, match="is no COSE_Sign1"):
        logged.transparent()


def test_it_is_that_of_the_log_itself(statement_log):
    with client_of(statement_log) as client:
        logged = client.submit_statement(sign1(b"the same"))
        theirs = statement_log.get(
            f"/v1/receipts/{logged.index}/{logged.size}",
            Accept="application/scitt-statement+cose",
            Authorization=f"Bearer {statement_log.token}",
        )
    assert cbor2.loads(theirs.body) == cbor2.loads(logged.transparent())


def test_a_checkpoint_without_its_line_makes_none(client):
    logged = client(truly()).submit_statement(sign1())
    assert (logged.index, logged.statement) == (INDEX, sign1())
    with pytest.raises(Refused, match="has no line for COSE receipts") as caught:
        logged.transparent()
    assert caught.value.check == "line"


def test_a_line_that_holds_makes_one(client):
    logged = client(truly(line=receipt_line())).submit_statement(sign1())
    policy = Policy.parse(f"log {LOG.vkey}\nquorum none\n".encode())
    assert "inclusion" in checked(logged.transparent(), None, policy=policy)


def test_a_line_that_another_key_has_signed_makes_none(client):
    forged = receipt_line(by=signer("other.example"))
    logged = client(truly(line=forged)).submit_statement(sign1())
    for made in (logged.transparent, logged.cose_receipt):
        with pytest.raises(NotBelieved, match="signature") as caught:
            made()
        assert caught.value.check == "signature"
        assert caught.value.answer == logged.receipt.encode()


def test_the_line_of_another_log_is_not_one_of_this_log(client):
    other = signer("other.example")
    line = receipt_line(by=other, key=other, name=other.name)
    policy = f"log {LOG.vkey}\nlog {other.vkey}\nquorum none\n".encode()
    logged = client(truly(line=line), policy=policy).submit_statement(sign1())
    with pytest.raises(Refused, match="has no line"):
        logged.cose_receipt()


def test_bytes_that_only_begin_like_a_statement_are_bytes(client):
    for data in (b"\xd2\x84 and so on", sign1(unprotected={4: b"hint"})):
        log = client(posted(lambda data: json.dumps(true_result(data)).encode()))
        assert log.submit(data).statement is None
