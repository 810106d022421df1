"""scitt-cose makes statements that this log takes, and verifies what the log gives.

It is another's implementation of RFC 9943 and 9942, which knows the algorithms by
their numbers before RFC 9864; a log that is set to -8 signs receipts that it reads.
"""

from base64 import urlsafe_b64encode

import cbor2
import pytest
import scitt_cose
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cli.operating import done
from tests.hosted import COSE, hosted, keys_of, logged, producers_of, shown, submit
from tests.strangers.foreignkeys import ed25519_key, p256_key, producer
from verifier.cose import Sign1
from verifier.evidence import parse_evidence, verify_evidence
from verifier.pem import key_text
from verifier.receipt.cose import MEDIA_TYPE as RECEIPT
from verifier.receipt.transparent import MEDIA_TYPE as TRANSPARENT
from verifier.report import Report
from verifier.trust import Limits

pytestmark = pytest.mark.exhaustive

ISSUER = "https://lab.example"
KEYS = {"EdDSA": ed25519_key(), "ES256": p256_key()}
KIDS = [None, b"a key of ours"]
EVERY = [(alg, kid) for alg in KEYS for kid in KIDS]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A statement log, whose receipts are signed as algorithm -8."""
    folder = tmp_path_factory.mktemp("scitt")
    lab = producer("lab", *KEYS.values(), issuers=(ISSUER,))
    settings = 'receipt_algorithm = "-8"\n'
    with hosted(folder, lab, kind="statement", settings=settings) as made:
        yield made


def built(alg="EdDSA", kid=None, payload=b'{"loss": 0.1}', **said):
    """A statement of the lab's, by scitt-cose."""
    return scitt_cose.build_signed_statement(
        payload,
        alg=alg,
        private_key_pem=said.pop("key", KEYS[alg]).pem,
        kid=kid,
        **{
            "issuer": ISSUER,
            "subject": "model/7",
            "content_type": "application/json",
            **said,
        },
    )


def log_pem(service) -> str:
    """The log's key, as scitt-cose wants it."""
    return key_text(keys_of(service)[0])


def receipt_of(service, statement):
    """What the log answers at SCITT's own address."""
    answer = service.post("/entries", statement, Content_Type=COSE)
    assert (answer.status, answer.headers["Content-Type"]) == (201, RECEIPT)
    return answer.body


def verified(service, receipt: bytes, statement: bytes) -> scitt_cose.ReceiptResult:
    return scitt_cose.verify_receipt(
        receipt, leaf_entry_hex=statement.hex(), log_public_key_pem=log_pem(service)
    )


@pytest.mark.parametrize(("alg", "kid"), EVERY)
def test_what_it_builds_is_registered_and_it_verifies_the_receipt(service, alg, kid):
    statement = built(alg, kid)
    receipt = receipt_of(service, statement)
    found = verified(service, receipt, statement)
    assert found.ok, found.errors
    assert found.issuer == service.live.charter.origin
    assert found.subject == "provlog/statement"
    entry = service.get(f"/v1/entries/{found.leaf_index}").body
    assert entry == statement == Sign1.parse(statement).bare()


def test_what_it_builds_is_shown_as_it_was_meant(service, tmp_path):
    index = logged(service, built(payload=b"shown"))
    (said,) = shown(service, index)["statement"]
    assert (said["issuer"], said["subject"]) == (ISSUER, "model/7")
    assert said["payload_type"] == "application/json"
    file = tmp_path / "entry"
    file.write_bytes(service.get(f"/v1/entries/{index}").body)
    told = done("inspect", file)
    for each in ("COSE_Sign1", "5 bytes", ISSUER, "model/7", "algorithm -8 (ed25519)"):
        assert each in told


def test_it_refuses_our_receipt_for_any_other_statement(service):
    receipt = receipt_of(service, built())
    for other in (built("ES256"), built(kid=b"x"), built(payload=b"")):
        assert not verified(service, receipt, other).ok


def test_it_refuses_our_receipt_with_one_byte_flipped_wherever(service):
    statement = built(payload=b"flipped")
    receipt = receipt_of(service, statement)
    root = verified(service, receipt, statement).root
    proof = Sign1.parse(receipt).unprotected[396][-1][0]
    beyond = receipt.index(proof) + len(proof)
    for at in range(len(receipt)):
        spoiled = receipt[:at] + bytes([receipt[at] ^ 1]) + receipt[at + 1 :]
        found = verified(service, spoiled, statement)
        # Size and index are the receipt's word, and under no signature.
        numbers = receipt.index(proof) < at < beyond and found.root == root
        assert not found.ok or numbers, at


def test_what_nobody_signed_changes_neither_entry_nor_receipt(service):
    statement = built(kid=b"once")
    receipt = receipt_of(service, statement)
    hinted = Sign1.parse(statement).encode({99: b"for somebody else"})
    again = receipt_of(service, hinted)
    assert verified(service, again, statement).leaf_index == (
        verified(service, receipt, statement).leaf_index
    )


@pytest.mark.parametrize(("alg", "kid"), EVERY)
def test_it_reads_the_transparent_statements_that_we_make(service, alg, kid):
    statement = built(alg, kid, payload=b"carried")
    whole = submit(service, statement, Accept=TRANSPARENT).body
    read = scitt_cose.parse_signed_statement(whole, public_key_pem=KEYS[alg].public_pem)
    assert read["signature_verified"] is True
    assert (read["issuer"], read["payload"]) == (ISSUER, b"carried")
    (receipt,) = scitt_cose.extract_receipts(whole)
    assert verified(service, receipt, statement).ok


@pytest.mark.parametrize("alg", KEYS)
def test_we_verify_the_transparent_statements_that_it_makes(service, alg):
    statement = built(alg, payload=b"attached")
    receipt = receipt_of(service, statement)
    whole = scitt_cose.attach_receipts(statement, [receipt])
    report = Report()
    verify_evidence(
        parse_evidence(whole),
        service.live.policy,
        Limits(),
        report,
        producers=producers_of(service),
    )
    assert [each.check for each in report.findings if each.holds] == [
        *("log", "inclusion", "producer")
    ]
    assert not report.broken


def test_the_keys_of_the_log_are_where_scitt_looks_for_them(service):
    statement = built(payload=b"whose key")
    receipt = receipt_of(service, statement)
    kid = cbor2.loads(cbor2.loads(receipt).value[0])[4]
    name = urlsafe_b64encode(kid).decode().rstrip("=")
    found = cbor2.loads(service.get(f"/.well-known/scitt-keys/{name}").body)
    key = Ed25519PublicKey.from_public_bytes(found[-2])
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert scitt_cose.verify_receipt(
        receipt, leaf_entry_hex=statement.hex(), log_public_key_pem=pem
    ).ok


@pytest.mark.parametrize(
    "said",
    [
        {"key": ed25519_key(2)},
        {"issuer": "https://other.example"},
        {"issuer": "log.example/live"},
        {"content_type": "application/vnd.provlog.log+cbor"},
    ],
    ids=["another_key", "another_issuer", "the_log_as_issuer", "the_logs_own_type"],
)
def test_what_it_builds_for_somebody_else_is_refused_in_scitts_words(service, said):
    answer = service.post("/entries", built(**said), Content_Type=COSE)
    assert (answer.status, cbor2.loads(answer.body)[-1]) == (400, "Rejected")
