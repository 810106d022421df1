"""A statement's header says who says what about what, or it is refused."""

import pytest

from tests.statements import ISSUER, sign1
from verifier.cose import Sign1
from verifier.errors import MalformedError
from verifier.statement.claims import Claims, check_scitt


def claims(data: bytes) -> Claims:
    return Claims.of(Sign1.parse(data))


def test_issuer_subject_type_and_key_are_read():
    found = claims(sign1(headers={4: b"kid", 33: b"der"}))
    assert (found.issuer, found.subject) == (ISSUER, "a subject")
    assert (found.content_type, found.kid) == ("text/plain", b"kid")
    assert found.chain == (b"der",)
    assert found.hash_algorithm is found.location is None


def test_what_is_not_said_is_none():
    found = claims(sign1(headers={3: None, 15: None}))
    assert found.issuer is found.subject is found.content_type is found.kid is None
    assert found.chain == ()


def test_a_content_type_may_be_a_number_of_coap():
    assert claims(sign1(headers={3: 50})).content_type == "CoAP content format 50"


def test_a_chain_is_one_certificate_or_several():
    assert claims(sign1(headers={33: [b"a", b"b"]})).chain == (b"a", b"b")


def hashed(payload: bytes = bytes(32), **more) -> bytes:
    headers = {3: None, 258: -16, 259: "text/plain", 260: "https://files.example/x"}
    return sign1(payload, headers=headers | {int(k[1:]): v for k, v in more.items()})


def test_a_hash_envelope_says_of_what_the_payload_is_the_digest():
    found = claims(hashed())
    assert (found.hash_algorithm, found.content_type) == (-16, "text/plain")
    assert found.location == "https://files.example/x"


def test_a_digest_by_another_algorithm_is_kept_as_it_is():
    assert claims(hashed(bytes(20), h258=-14)).hash_algorithm == -14
    assert claims(hashed(bytes(48), h258=-43)).hash_algorithm == -43


@pytest.mark.parametrize(
    "data",
    [
        sign1(headers={395: 1}),
        sign1(headers={396: {}}),
        sign1(headers={15: []}),
        sign1(headers={15: {1: 5}}),
        sign1(headers={15: {1: ""}}),
        sign1(headers={15: {2: "x" * 8_193}}),
        sign1(headers={3: True}),
        sign1(headers={3: 1 << 16}),
        sign1(headers={3: b"text"}),
        sign1(headers={4: "kid"}),
        sign1(headers={33: "der"}),
        sign1(headers={33: [b"x"] * 9}),
        sign1(headers={33: [b"x", 5]}),
        sign1(unprotected={258: -16}),
        sign1(unprotected={259: "text/plain"}),
        sign1(unprotected={260: "https://files.example/x"}),
        sign1(headers={259: "text/plain"}),
        sign1(headers={260: "https://files.example/x"}),
        hashed(h3="text/plain"),
        hashed(h258="sha-256"),
        hashed(bytes(31)),
        hashed(bytes(33), h258=-44),
    ],
)
def test_a_header_that_says_it_otherwise_is_refused(data):
    with pytest.raises(MalformedError):
        claims(data)


def test_a_scitt_statement_says_all_of_it():
    check_scitt(claims(sign1()))
    check_scitt(claims(hashed(h259=None)))
    for spoil in ({"issuer": None}, {"subject": None}, {"headers": {3: None}}):
        with pytest.raises(MalformedError):
            check_scitt(claims(sign1(**spoil)))
