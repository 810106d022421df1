"""A statement is read in one of three forms, and signed by whoever's key made it."""

import json
from hashlib import sha256

import pytest

from tests.foreign import folder
from tests.statements import CI, IN_TOTO, OTHER, Maker, envelope, in_toto, sign1
from verifier.certificate import Certificate
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.own import FREEZE, MEDIA_TYPE, encode_own
from verifier.report import Report
from verifier.spelling import digest_text
from verifier.statement import COSE, DSSE, Statement, check_bare, is_statement
from verifier.statement.own import check_not_own, is_own, own_in
from verifier.statement.telling import note_statement, told

BUNDLE = folder("model-signing") / "v1.0" / "valid" / "sigstore.bundle.json"


def says(data: bytes) -> str:
    report = Report()
    note_statement(Statement.parse(data), report)
    return report.text()


def test_each_form_is_known_by_itself():
    assert Statement.parse(sign1()).media_type == COSE
    assert Statement.parse(envelope()).media_type == DSSE
    bundle = Statement.parse(BUNDLE.read_bytes())
    assert bundle.media_type == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert len(bundle.chain) == 1
    for each in (COSE, DSSE, bundle.media_type):
        assert is_statement(each)
    assert not is_statement("application/json")


@pytest.mark.parametrize("kind", ["ed25519", "ml-dsa-44", "p-256"])
def test_who_has_signed_is_whose_key_made_it(kind):
    maker = Maker(kind, 7)
    keys = [CI.public, maker.public, OTHER.public]
    for data in (sign1(maker=maker), envelope(b"x", maker)):
        assert Statement.parse(data).signers(keys) == [maker.public]
        assert Statement.parse(data).signers([CI.public]) == []


def test_a_key_that_is_given_twice_counts_once():
    assert len(Statement.parse(sign1()).signers([CI.public, CI.public])) == 1


def test_an_envelope_may_have_several_signers():
    data = Statement.parse(envelope(b"x", CI, OTHER, CI))
    assert set(data.signers([CI.public, OTHER.public])) == {CI.public, OTHER.public}


def test_the_signature_of_the_sigstore_bundle_is_its_certificates():
    bundle = Statement.parse(BUNDLE.read_bytes())
    (der,) = bundle.chain
    key = Certificate.parse(der).key
    assert bundle.signers([key]) == [key]


def test_what_is_no_statement_is_refused():
    for data in (b"", b"[]", b"5", b"{}", b"x", b"{" * 70_000, b'{"mediaType": 5}'):
        with pytest.raises(MalformedError):
            Statement.parse(data)
    with pytest.raises(MalformedError, match="at most"):
        Statement.parse(b"{" + b" " * MAX_BODY_BYTES)


def test_an_entry_of_a_statement_log_has_nothing_unsigned_in_it():
    assert check_bare(sign1()).content == sign1()
    for data in (sign1(unprotected={9: 1}), envelope()):
        with pytest.raises(MalformedError):
            check_bare(data)


# What it is about


def test_it_is_about_its_payload_its_subjects_and_what_it_has_the_digest_of():
    digest = digest_text(sha256(b"a payload").digest())
    assert digest in Statement.parse(sign1()).digests()
    signed = Statement.parse(envelope(in_toto("ab" * 32), type_=IN_TOTO))
    assert "sha256:" + "ab" * 32 in signed.digests()
    file = sha256(b"a large file").digest()
    by_digest = sign1(file, headers={3: None, 258: -16})
    assert Statement.parse(by_digest).is_digest
    assert digest_text(file) in Statement.parse(by_digest).digests()
    detached = Statement.parse(sign1(None, detached=b"x"))
    assert detached.digests() == frozenset()


def test_only_what_says_that_it_is_in_toto_is_read_as_that():
    assert Statement.parse(envelope(in_toto())).in_toto() is None
    assert Statement.parse(sign1(None, detached=b"")).in_toto() is None
    with pytest.raises(MalformedError):
        Statement.parse(envelope(b"{}", type_=IN_TOTO)).in_toto()


# What is told of it


def test_a_person_is_told_form_type_and_names():
    assert "COSE_Sign1, a payload, 9 bytes, of type text/plain" in says(sign1())
    assert "issuer 'https://ci.example'" in says(sign1())
    assert "DSSE envelope" in says(envelope())
    assert "Sigstore bundle" in says(BUNDLE.read_bytes())
    assert "detached" in says(sign1(None, detached=b"x"))
    headers = {3: None, 258: -16, 260: "https://files.example/x"}
    assert "a digest of something" in says(sign1(bytes(32), headers=headers))
    assert "to be found at 'https://files.example/x'" in says(
        sign1(bytes(32), headers=headers)
    )
    assert told(Statement.parse(sign1()))[0]["payload_type"] == "text/plain"


def test_a_payload_that_is_known_is_summarised_and_one_that_is_wrong_is_said_to_be():
    assert "model" in says(BUNDLE.read_bytes())
    many = json.loads(in_toto())
    many["subject"] = [
        {"name": str(n), "digest": {"sha256": f"{n:064x}"}} for n in range(12)
    ]
    said = says(envelope(json.dumps(many).encode(), type_=IN_TOTO))
    assert "and 4 more" in said
    assert "it is not what its type says" in says(envelope(b"{}", type_=IN_TOTO))


def test_the_logs_own_statement_is_told_as_that():
    own = encode_own({"kind": FREEZE, "reason": "the end"})
    data = sign1(own, headers={3: MEDIA_TYPE}, issuer="log.example/x")
    assert "reason: 'the end'" in says(data)
    assert own_in(data) == {"kind": FREEZE, "reason": "the end"}
    assert own_in(sign1()) is None
    detached = sign1(
        None, detached=own, headers={3: MEDIA_TYPE}, issuer="log.example/x"
    )
    assert own_in(detached) is None
    broken = sign1(b"x", headers={3: MEDIA_TYPE}, issuer="log.example/x")
    assert "does not say what a log says" in says(broken)
    claims = Statement.parse(data).claims
    assert is_own(claims)
    for origin in ("log.example/x", "log.example/y"):
        with pytest.raises(MalformedError):
            check_not_own(claims, origin)
    check_not_own(Statement.parse(sign1()).claims, "log.example/x")
