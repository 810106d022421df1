"""What was logged stays whose it was, whatever is registered since.

And nobody becomes who has signed it by a registration: not with another's key, not
with another's authority, and not with a second key for one signature.
"""

import json
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.keys import registry
from tests.authority import NOW, TO, ed25519_key, issue
from tests.statements import (
    CI,
    IN_TOTO,
    ISSUER,
    OTHER,
    Maker,
    added,
    envelope,
    in_toto,
    pae,
    sign1,
)
from verifier.certificate import Certificate
from verifier.errors import MalformedError, ProducerError
from verifier.keys import Algorithm, PublicKey
from verifier.producers import Producers
from verifier.producers.attribution import Signed, verify_statement
from verifier.producers.credential import Credential
from verifier.statement import Statement

NOW_MS = NOW * 1000
KEY = Maker(seed=bytes([6]) * 32)
AUTHORITY = issue("CN=an authority", ed25519_key(5), authority=True)
LEAF = issue("CN=a leaf", ed25519_key(6), AUTHORITY)


def of(issued) -> Credential:
    return Credential.of_certificate(Certificate.parse(issued.der))


def folded(*owns: dict) -> Producers:
    """Each entered at the tenfold of its number."""
    producers = Producers()
    for number, each in enumerate(owns):
        producers.take({**each, "number": number}, number * 10)
    return producers


def whose(data: bytes, producers: Producers, index: int | None = None) -> Signed:
    statement = Statement.parse(data)
    return verify_statement(statement, producers, index=index, at_ms=NOW_MS)


def chained(issued, maker: Maker = KEY) -> bytes:
    return sign1(maker=maker, headers={33: [issued.der]}, issuer="https://x.example")


# The same key again


@pytest.mark.parametrize(
    "key",
    [ed25519_key(5), rsa.generate_private_key(65537, 2048)],
    ids=["ours", "an authority's"],
)
def test_an_authority_may_renew_its_certificate(key):
    old = issue("CN=an authority", key, authority=True)
    new = issue("CN=an authority", key, authority=True, end=TO - 5)
    leaf = issue("CN=a leaf", ed25519_key(6), old)
    later = {**of(new).document(), "from": NOW_MS + 9}
    rotated = registry.rotate("lab", [of(new)], until_ms=NOW_MS + 9)
    for keys in (rotated["keys"], [later]):
        producers = folded(registry.add("lab", [of(old)]), {**rotated, "keys": keys})
        for index in (5, 15, None):
            assert whose(chained(leaf), producers, index).by[0].id == of(old).id


def test_a_key_may_be_registered_again_in_a_certificate():
    own = issue("CN=ci", ed25519_key(6))
    rotated = registry.rotate("ci", [of(own)], until_ms=NOW_MS + 9)
    producers = folded(registry.add("ci", [KEY.credential]), rotated)
    assert whose(sign1(maker=KEY, issuer="x"), producers, 5).by[0].id == (
        KEY.credential.id
    )


@pytest.mark.parametrize(
    "key",
    [ed25519_key(5), rsa.generate_private_key(65537, 2048)],
    ids=["ours", "an authority's"],
)
def test_with_a_key_go_all_certificates_of_it(key):
    both = [
        issue("CN=an authority", key, authority=True, end=end) for end in (TO, TO - 5)
    ]
    leaf = issue("CN=a leaf", ed25519_key(6), both[0])
    producers = folded(
        registry.add("lab", [of(each) for each in both]),
        registry.revoke("lab", [of(both[0]).id], "stolen"),
    )
    assert whose(chained(leaf), producers, 5)
    with pytest.raises(ProducerError, match="revoked at entry 10: stolen"):
        whose(chained(leaf), producers, 15)


def test_an_authoritys_key_is_one_producers_also_where_nobody_here_signs_with_it():
    key = rsa.generate_private_key(65537, 2048)
    theirs = issue("CN=an authority", key, authority=True)
    above = issue("CN=another", ed25519_key(8), authority=True)
    crossed = issue("CN=an authority", key.public_key(), above, authority=True)
    producers = folded(registry.add("lab", [of(theirs)]))
    with pytest.raises(MalformedError, match="registered already, for lab"):
        producers.take({**registry.add("thief", [of(crossed)]), "number": 1}, 10)


# Another's key, and another's name


def test_who_registers_another_s_key_gets_none_of_what_its_certificate_is_on():
    lab, thief = registry.add("lab", [of(AUTHORITY)]), added(KEY, name="thief")
    producers = folded(lab, {**thief, "issuers": []})
    assert whose(chained(LEAF), producers, 5).producer.name == "lab"
    for index in (15, None):
        with pytest.raises(ProducerError, match="whose it is cannot be told"):
            whose(chained(LEAF), producers, index)


def test_an_authority_that_did_not_issue_it_does_not_stand_in_the_way():
    other = issue("CN=an authority", ed25519_key(7), authority=True)
    producers = folded(
        registry.add("other", [of(other)]), {**added(KEY), "issuers": []}
    )
    assert whose(chained(LEAF), producers, 15).producer.name == "ci"


def test_a_leaf_is_taken_back_as_a_key_of_its_authority_s_producer():
    producers = folded(
        registry.add("lab", [of(AUTHORITY)]),
        registry.rotate("lab", [of(LEAF)], until_ms=NOW_MS + 9),
        registry.revoke("lab", [of(LEAF).id], "stolen"),
    )
    assert whose(chained(LEAF), producers, 5)
    with pytest.raises(ProducerError, match="stolen"):
        whose(chained(LEAF), producers, 25)


def test_who_registers_a_name_later_does_not_undo_what_was_signed_with_it():
    producers = folded(
        added(CI, issuers=()), added(OTHER, name="late", issuers=(ISSUER,))
    )
    assert whose(sign1(), producers, 5).producer.name == "ci"
    with pytest.raises(ProducerError, match="who is late"):
        whose(sign1(), producers, 15)


def test_what_was_logged_before_a_rotation_does_not_end_with_it():
    producers = folded(added(CI), registry.rotate("ci", [KEY.credential], until_ms=7))
    assert whose(sign1(), producers, 5)
    for index in (15, None):
        with pytest.raises(ProducerError, match="good until 1970"):
            whose(sign1(), producers, index)


# What is tried


def test_a_producer_with_many_keys_does_not_stand_before_others():
    many = registry.add("many", [Maker(number=50 + n).credential for n in range(17)])
    document = json.loads(envelope(b"x", CI))
    document["signatures"] += [
        {"sig": b64encode(number.to_bytes(64, "big")).decode()} for number in range(63)
    ]
    producers = folded(many, added(CI))
    assert whose(json.dumps(document).encode(), producers).producer.name == "ci"
    with pytest.raises(ProducerError, match="too many to try with all keys of many"):
        whose(json.dumps(document).encode(), folded(many))


def test_keys_that_came_later_are_not_tried_for_what_was_logged_before():
    crowd = [added(Maker(number=50 + n), name=f"p{n}", issuers=()) for n in range(30)]
    producers = folded(added(CI), *crowd)
    with pytest.raises(ProducerError, match="was registered at entry 10, after this"):
        whose(envelope(b"x", Maker(number=50)), producers, 5)


# One signature


def second_key(data: bytes, first: PublicKey) -> PublicKey:
    """A key that a signature of ECDSA is by as well, and whose secret nobody has."""
    (made,) = json.loads(data)["signatures"]
    r, s = decode_dss_signature(b64decode(made["sig"]))
    message = pae("text/plain", b"two have to sign")
    digest = int.from_bytes(sha256(message).digest(), "big")
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    # Q = (s R - e G) / r, of which R is one of two points: by two known secrets.
    for sign in (1, -1):
        # R = k G with k = (e + r d) / s; of -R the key has another d.
        k = sign * (digest + r * 7) * pow(s, -1, n)
        d = (s * k - digest) * pow(r, -1, n) % n
        der = (
            ec.derive_private_key(d, ec.SECP256R1())
            .public_key()
            .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )
        if der != first.raw:
            return PublicKey(Algorithm.ECDSA_P256, der)
    raise AssertionError


def test_one_signature_is_not_two_of_a_threshold():
    first = Maker("p-256", 7)
    data = envelope(b"two have to sign", first)
    second = Credential.of_key(second_key(data, first.public))
    assert whose(data, folded(registry.add("x", [second]))), "it does verify"
    keys = [first.credential, second]
    with pytest.raises(ProducerError, match="1 of x's keys have signed it, and 2"):
        whose(data, folded(registry.add("x", keys, threshold=2)))


# Digests


def test_the_digest_of_an_in_toto_statement_is_none():
    digest = sha256(in_toto()).digest()
    made = sign1(digest, headers={3: None, 258: -16, 259: IN_TOTO})
    statement = Statement.parse(made)
    assert statement.in_toto() is None
    assert f"sha256:{digest.hex()}" in statement.digests()


def test_a_digest_by_another_algorithm_is_no_sha_256():
    digest = sha256(b"a file").digest()
    made = sign1(digest, headers={3: None, 258: -17, 259: "text/plain"})
    assert f"sha256:{digest.hex()}" not in Statement.parse(made).digests()
