"""Model signatures and Sigstore bundles that others have published are admitted.

Each is believed by the certificate that is in it, which somebody has registered: that
it was issued by Sigstore, or for whom, is for whoever registers it to find out. What
is shown of one is what its signer has said.
"""

import json
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest

from ledger.errors import Refused
from ledger.keys import registry
from tests.cli.operating import done
from tests.foreign import folder
from tests.hosted import hosted, keys_of, logged, producers_of, shown, submit
from verifier.certificate import Certificate
from verifier.entry import Entry
from verifier.evidence import parse_evidence, verify_evidence
from verifier.pem import key_text
from verifier.producers.credential import Credential
from verifier.receipt.cose import MEDIA_TYPE as RECEIPT
from verifier.receipt.cose import CoseReceipt, verify_receipt
from verifier.report import Report
from verifier.statement import Statement
from verifier.statement.sigstore import SigstoreBundle
from verifier.statement.telling import told
from verifier.trust import Limits

pytestmark = pytest.mark.exhaustive

BUNDLES = folder("model-signing") / "v1.0"
V3 = "application/vnd.dev.sigstore.bundle.v0.3+json"
NAMES = ["certificate", "sigstore", "key"]
BROKEN = sorted((BUNDLES / "invalid").iterdir())


def bundle(name: str) -> bytes:
    return (BUNDLES / "valid" / f"{name}.bundle.json").read_bytes()


def leaf(name: str) -> Certificate:
    """The certificate that a bundle's signature was made with."""
    return Certificate.parse(Statement.parse(bundle(name)).chain[0])


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A record log that knows the two certificates, each by itself."""
    owns = [
        registry.add(name, [Credential.of_certificate(leaf(name))])
        for name in ("certificate", "sigstore")
    ]
    made = hosted(tmp_path_factory.mktemp("models"), *owns, kind="record")
    with made as standing:
        yield standing


@pytest.mark.parametrize("name", NAMES)
def test_a_published_signature_is_admitted_and_shown_right(service, name, tmp_path):
    data = bundle(name)
    index = logged(service, data, Content_Type=V3)
    payload = json.loads(b64decode(json.loads(data)["dsseEnvelope"]["payload"]))
    (subject,) = payload["subject"]
    said, what = shown(service, index)["statement"]
    assert said["media_type"] == V3
    assert what["predicate_type"] == "https://model_signing/signature/v1.0"
    assert what["predicate"] == "model-signing"
    assert what["subjects"] == [f"sha256:{subject['digest']['sha256']}"]
    entry = service.get(f"/v1/entries/{index}").body
    assert (Entry.parse(entry).type, Entry.parse(entry).body) == (V3, data)
    (tmp_path / "entry").write_bytes(entry)
    words = done("inspect", tmp_path / "entry")
    assert subject["digest"]["sha256"] in words
    assert "Sigstore bundle with a DSSE envelope" in words


@pytest.mark.parametrize("name", NAMES)
def test_an_auditor_finds_the_same_producer(service, name):
    answer = submit(
        service,
        bundle(name),
        Content_Type=V3,
        Accept="application/vnd.provlog.bundle+json",
    )
    report = Report()
    verify_evidence(
        parse_evidence(answer.body),
        service.live.policy,
        Limits(),
        report,
        producers=producers_of(service),
    )
    (found,) = (each for each in report.findings if each.check == "producer")
    # The key's bundle names no certificate; the key is that of the other example.
    owner = "sigstore" if name == "sigstore" else "certificate"
    assert found.document()["producer"] == owner


def test_it_has_a_receipt_as_others_read_them(service):
    data = bundle("sigstore")
    body = submit(service, data, Content_Type=V3, Accept=RECEIPT).body
    receipt = CoseReceipt.parse(body)
    assert verify_receipt(receipt, receipt.entry_of(data), keys_of(service))


def test_the_hint_of_the_key_is_the_digest_of_the_key_that_we_found():
    hint = SigstoreBundle.parse(bundle("key")).key_hint
    found = leaf("certificate").key
    assert sha256(key_text(found).encode()).hexdigest() == hint


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_one_is_nobodys(service, name):
    document = json.loads(bundle(name))
    envelope = document["dsseEnvelope"]
    payload = b64decode(envelope["payload"])
    digest = json.loads(payload)["subject"][0]["digest"]["sha256"].encode()
    spoiled = payload.replace(digest, b"00" * 32)
    assert spoiled != payload
    for changed in (
        {"payload": b64encode(spoiled).decode()},
        {"payloadType": "application/vnd.in-toto.x+json"},
    ):
        data = json.dumps(document | {"dsseEnvelope": envelope | changed}).encode()
        answer = submit(service, data, Content_Type=V3)
        assert answer.status != 201
        assert answer.json["check"] in ("producer", "form")


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_bundle_that_its_makers_call_invalid_is_refused(service, path):
    answer = submit(service, path.read_bytes(), Content_Type=V3)
    assert (answer.status, answer.json["check"]) == (422, "form")


def test_a_bundle_of_something_else_is_no_model_signature():
    wrong = (BUNDLES / "invalid-payload/wrong-predicate.bundle.json").read_bytes()
    kinds = []
    for data in (wrong, bundle("sigstore")):
        _, payload = told(Statement.parse(data))
        kinds.append(payload["predicate"])
    assert kinds == ["other", "model-signing"]


def test_without_its_certificate_nobody_has_signed_it(new_log):
    ours = registry.add("ours", [Credential.of_certificate(leaf("certificate"))])
    with new_log(kind="record", signed=True).open() as log:
        log.register(ours)
        assert log.admission.admit_statement(bundle("certificate"), by="s-1")
        with pytest.raises(Refused) as caught:
            log.admission.admit_statement(bundle("sigstore"), by="s-1")
        assert caught.value.check == "producer"
