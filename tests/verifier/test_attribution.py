"""A statement is its producer's by keys that were good where and when it was logged."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ledger.keys import registry
from tests.authority import FROM, NOW, TO, ed25519_key, issue, usage
from tests.statements import CI, ISSUER, OTHER, Maker, added, envelope, sign1
from verifier import cbor
from verifier.certificate import Certificate
from verifier.cosekey import thumbprint
from verifier.errors import MalformedError, ProducerError
from verifier.keys import Algorithm, PublicKey
from verifier.producers import Producer, Producers
from verifier.producers.attribution import MAX_TRIED, Signed, verify_statement
from verifier.producers.credential import Credential
from verifier.statement import Statement

THIRD = Maker(number=3)
AT_MS = 1_790_000_000_000


def folded(*owns) -> Producers:
    """Producers as the entries of a log say it, which stand at 10, 20 and so on."""
    producers = Producers()
    for number, own in enumerate(owns):
        producers.take({**own, "number": number}, 10 * (number + 1))
    return producers


def whose(data: bytes, producers: Producers, **known) -> Signed:
    return verify_statement(Statement.parse(data), producers, **known)


def refused(data: bytes, producers: Producers, **known) -> str:
    with pytest.raises(ProducerError) as caught:
        whose(data, producers, **known)
    return str(caught.value)


# Whose key


def test_it_is_the_producers_whose_key_made_it():
    producers = folded(added(), added(OTHER, name="other", issuers=()))
    signed = whose(sign1(), producers)
    assert signed.producer.name == "ci"
    assert [each.id for each in signed.by] == [CI.credential.id]
    assert whose(sign1(maker=OTHER, issuer="x"), producers).producer.name == "other"


@pytest.mark.parametrize("hint", ["id", "bytes", "thumbprint", "wrong", "others"])
def test_a_hint_changes_who_is_asked_first_and_nothing_else(hint):
    kid = {
        "id": CI.credential.id.encode(),
        "bytes": bytes.fromhex(CI.credential.id),
        "thumbprint": thumbprint(CI.public),
        "wrong": b"nothing",
        "others": thumbprint(OTHER.public),
    }[hint]
    producers = folded(added(OTHER, name="other", issuers=()), added())
    signed = whose(sign1(headers={4: kid}), producers)
    assert signed.producer.name == "ci"


def test_a_hint_of_an_envelope_may_be_anything():
    producers = folded(added())
    for keyid in (CI.credential.id, OTHER.credential.id, "x" * 1000):
        named = b'"keyid": "%b", "sig"' % keyid.encode()
        data = envelope().replace(b'"sig"', named)
        assert whose(data, producers).producer.name == "ci"


def test_nobody_is_nobody():
    assert "no producer is known" in refused(sign1(), Producers())
    assert "none of the producers" in refused(sign1(maker=OTHER), folded(added()))
    many = folded(
        *(added(Maker(number=n), name=f"p{n}", issuers=()) for n in range(3, 10))
    )
    assert "…" in refused(sign1(), many)


def test_no_more_keys_are_tried_than_so_many():
    makers = [Maker(number=n) for n in range(3, 3 + MAX_TRIED)]
    crowd = [
        Producer(
            name=f"p{at:04}",
            credentials=tuple(each.credential for each in makers[at : at + 64]),
        )
        for at in range(0, MAX_TRIED, 64)
    ]
    ours = Producer(name="z", credentials=(CI.credential,))
    refused(sign1(issuer=None), Producers([*crowd, ours]))
    assert whose(sign1(issuer=None), Producers([ours, *crowd])).producer is ours
    # Who is named comes first, however many others there are.
    hinted = sign1(issuer=None, headers={4: thumbprint(CI.public)})
    assert whose(hinted, Producers([*crowd, ours])).producer is ours


# How many keys


def test_as_many_keys_as_the_threshold_says_each_once():
    two = folded(added(CI, OTHER, THIRD, issuers=(), threshold=2))
    assert len(whose(envelope(b"x", CI, OTHER), two).by) == 2
    assert "1 of ci's keys" in refused(envelope(b"x", CI, CI), two)
    assert "1 of ci's keys" in refused(sign1(), two)
    three = folded(added(CI, OTHER, THIRD, issuers=(), threshold=3))
    assert "2 of ci's keys" in refused(envelope(b"x", CI, OTHER), three)


def test_of_two_producers_who_signed_the_one_counts_whose_keys_are_enough():
    producers = folded(
        added(CI, THIRD, issuers=(), threshold=2),
        added(OTHER, name="other", issuers=()),
    )
    assert whose(envelope(b"x", CI, OTHER), producers).producer.name == "other"


def test_a_revoked_key_is_none_of_the_threshold():
    producers = folded(
        added(CI, OTHER, issuers=(), threshold=2),
        registry.revoke("ci", [OTHER.credential.id], "lost"),
    )
    assert whose(envelope(b"x", CI, OTHER), producers, index=15)
    assert "revoked at entry 20: lost" in refused(
        envelope(b"x", CI, OTHER), producers, index=25
    )


# Which issuer


def test_nobody_calls_himself_what_another_one_is_called():
    producers = folded(added(), added(OTHER, name="other", issuers=()))
    assert "who is ci" in refused(sign1(maker=OTHER), producers)
    assert "is registered as" in refused(sign1(issuer="x"), producers)
    assert whose(sign1(maker=OTHER, issuer="x"), producers)
    assert whose(sign1(issuer=None), producers)


# Where and when


def test_before_it_was_registered_a_key_signed_nothing():
    assert "after this one" in refused(sign1(), folded(added()), index=5)
    assert whose(sign1(), folded(added()), index=11)


def test_what_was_logged_before_a_revocation_stays_valid_and_says_so():
    producers = folded(added(), registry.revoke("ci", [CI.credential.id], ""))
    signed = whose(sign1(), producers, index=15)
    assert "revoked since" in signed.says
    assert "it stays valid" in signed.says
    assert "was revoked at entry 20" in refused(sign1(), producers, index=21)
    # Where nobody knows where it stands, it may stand after that.
    assert "was revoked at entry 20" in refused(sign1(), producers)


def test_what_was_revoked_stays_revoked_since_the_first_time():
    both = registry.revoke("ci", [CI.credential.id, OTHER.credential.id], "again")
    producers = folded(
        added(CI, OTHER), registry.revoke("ci", [CI.credential.id], "lost"), both
    )
    assert "entry 20: lost" in refused(sign1(), producers, index=35)
    with pytest.raises(MalformedError, match="revoked already, and for ever"):
        producers.take({**both, "number": 3}, 40)


def test_a_rotation_leaves_as_many_keys_as_have_to_sign():
    producers = folded(added(CI, OTHER, threshold=2))
    one = registry.rotate("ci", [THIRD.credential], until_ms=AT_MS)
    with pytest.raises(MalformedError, match="give as many at once"):
        producers.take({**one, "number": 1}, 20)


def test_an_end_that_was_registered_is_not_taken_back_by_a_rotation():
    ends = replace(CI.credential, until_ms=AT_MS)
    sooner = registry.rotate("x", [OTHER.credential], until_ms=AT_MS - 9)
    producers = folded(registry.add("x", [ends]), sooner)
    assert whose(sign1(), producers, index=15, at_ms=AT_MS - 1)
    assert "good until" in refused(sign1(), producers, index=15, at_ms=AT_MS)
    assert "good until" in refused(sign1(), producers, index=25, at_ms=AT_MS - 1)


def test_after_a_rotation_the_old_key_is_good_for_its_time():
    producers = folded(
        added(), registry.rotate("ci", [OTHER.credential], until_ms=AT_MS)
    )
    assert whose(sign1(), producers, at_ms=AT_MS - 1)
    assert "was good until" in refused(sign1(), producers, at_ms=AT_MS)
    assert whose(sign1(maker=OTHER), producers, at_ms=AT_MS)
    # Where no time is known, it may be over.
    assert "nobody says when" in refused(sign1(), producers)


def test_a_later_end_does_not_take_back_an_earlier_one():
    producers = folded(
        added(),
        registry.rotate("ci", [OTHER.credential], until_ms=AT_MS),
        registry.rotate("ci", [THIRD.credential], until_ms=AT_MS + 9),
    )
    refused(sign1(), producers, at_ms=AT_MS)
    assert whose(sign1(maker=OTHER), producers, at_ms=AT_MS)


def test_of_a_key_that_an_auditor_brought_no_entry_is_named():
    assert "entry" not in CI.credential.story
    (key,) = next(iter(folded(added()))).credentials
    assert "registered at entry 10" in key.story


def test_a_key_is_good_from_its_first_moment_on():
    producers = folded(registry.add("x", [replace(CI.credential, from_ms=AT_MS)]))
    assert "is good from" in refused(sign1(), producers, at_ms=AT_MS - 1)
    assert whose(sign1(), producers, at_ms=AT_MS)


# Certificates


AUTHORITY = issue("CN=An authority", ed25519_key(9), authority=True)
LEAF = issue("CN=ci", ed25519_key(1), AUTHORITY)
LEAF_KEY = Maker(seed=bytes([1]) * 32)
NOW_MS = NOW * 1000


def chained(*ders: bytes) -> bytes:
    """A statement that is signed with the key of LEAF, and carries certificates."""
    return sign1(maker=LEAF_KEY, headers={33: list(ders)} if ders else {}, issuer="x")


def anchored(*ders: bytes) -> Producers:
    credentials = [Credential.of_certificate(Certificate.parse(each)) for each in ders]
    return folded(registry.add("ci", credentials))


def test_who_is_registered_by_an_authority_signs_with_what_it_has_issued():
    signed = whose(chained(LEAF.der), anchored(AUTHORITY.der), at_ms=NOW_MS)
    assert signed.producer.name == "ci"
    assert "CN=An authority" in signed.says


def test_a_chain_to_another_authority_leads_nowhere():
    other = issue("CN=An authority", ed25519_key(8), authority=True)
    says = refused(chained(LEAF.der), anchored(other.der), at_ms=NOW_MS)
    assert "does not lead to one of theirs" in says


def test_a_certificate_is_valid_in_its_time_and_where_no_time_is_known_in_none():
    producers = anchored(AUTHORITY.der)
    assert whose(chained(LEAF.der), producers, at_ms=FROM * 1000)
    refused(chained(LEAF.der), producers, at_ms=(TO + 1) * 1000)
    refused(chained(LEAF.der), producers)


def test_a_certificate_that_was_registered_itself_is_good_as_long_as_that_says():
    for data in (chained(LEAF.der), chained()):
        assert whose(data, anchored(LEAF.der), at_ms=(TO + 1) * 1000)
        assert whose(data, anchored(LEAF.der))


def test_where_nobody_says_when_a_certificate_is_not_to_blame():
    says = refused(chained(LEAF.der), anchored(AUTHORITY.der))
    assert "nobody says when it was logged" in says
    assert "valid at that time" not in says


def test_a_certificate_is_found_by_the_id_of_its_key():
    crowd = [
        Producer(name=f"p{n}", credentials=(Maker(number=n).credential,))
        for n in range(300, 300 + MAX_TRIED)
    ]
    (ours,) = anchored(LEAF.der)
    named = {4: thumbprint(LEAF_KEY.public)}
    data = sign1(maker=LEAF_KEY, headers=named, issuer=None)
    assert whose(data, Producers([*crowd, ours])).producer is ours
    stranger = sign1(maker=OTHER, headers={4: b"elsewhere"}, issuer=None)
    assert "not all of their keys were tried" in refused(
        stranger, Producers([*crowd, ours])
    )


def test_a_certificate_for_another_kind_of_key_signs_nothing():
    rsa_ = issue("CN=ci", rsa.generate_private_key(65537, 2048), AUTHORITY)
    refused(chained(rsa_.der), anchored(AUTHORITY.der), at_ms=NOW_MS)


def test_an_authority_that_may_sign_nothing_itself_has_signed_nothing():
    above = issue(
        "CN=x", ed25519_key(1), authority=True, allowed=usage("key_cert_sign")
    )
    refused(chained(), anchored(above.der), at_ms=NOW_MS)


def test_who_signs_for_an_authority_is_told_to_carry_its_certificate():
    assert "carries no certificate" in refused(chained(), anchored(AUTHORITY.der))


def test_what_is_carried_and_is_no_certificate_helps_nobody():
    refused(chained(b"junk"), anchored(AUTHORITY.der), at_ms=NOW_MS)


# What the log enters


def test_what_does_not_follow_is_refused():
    producers = folded(added())
    for own, match in (
        ({**added(OTHER), "number": 1}, "already"),
        ({**added(OTHER, name="a b"), "number": 1}, "name"),
        ({**added(OTHER, name="x" * 129), "number": 1}, "name"),
        ({**added(name="x", issuers=()), "number": 1}, "registered already, for ci"),
        ({**added(OTHER, OTHER, name="x", issuers=()), "number": 1}, "twice"),
        ({**added(OTHER, name="x"), "number": 1}, "ci is known as"),
        ({**added(OTHER, name="x", issuers=("y",) * 17), "number": 1}, "at most 16"),
        ({**added(OTHER, name="x", issuers=(), threshold=2), "number": 1}, "keys 1:"),
        ({**added(OTHER, name="x", issuers=()), "number": 2}, "has to follow"),
        ({**added(OTHER, name="x", issuers=()), "number": 0}, "has to follow"),
        ({**registry.add("x", []), "number": 1}, "1 to 64 keys"),
        ({**registry.revoke("x", ["0"], ""), "number": 1}, "no producer"),
        ({**registry.revoke("ci", ["0"], ""), "number": 1}, "no such key"),
        ({**registry.revoke("ci", [], ""), "number": 1}, "no such key"),
        (
            {**registry.rotate("x", [OTHER.credential], until_ms=1), "number": 1},
            "no pr",
        ),
    ):
        with pytest.raises(MalformedError, match=match):
            producers.take(own, 30)
    assert producers.number == 1
    assert len(producers) == 1


def test_a_producer_has_so_many_keys_in_all():
    keys = [Maker(number=n).credential for n in range(3, 68)]
    producers = folded(registry.add("x", keys[:64]))
    with pytest.raises(MalformedError, match="at most 64"):
        producers.take({**registry.rotate("x", keys[64:], until_ms=1), "number": 1}, 30)


def test_there_are_so_many_producers(monkeypatch):
    monkeypatch.setattr("verifier.producers.MAX_PRODUCERS", 1)
    with pytest.raises(MalformedError, match="1 producers"):
        folded(added(), added(OTHER, name="x", issuers=()))


@pytest.mark.parametrize(
    "key",
    [
        5,
        {},
        {"algorithm": "ed25519"},
        {"algorithm": "rsa", "key": bytes(32)},
        {"algorithm": "ed25519", "key": bytes(31)},
        {"algorithm": "ed25519", "key": "text"},
        {"certificate": b"junk"},
        {"certificate": LEAF.der, "key": bytes(32)},
        {"certificate": LEAF.der, "algorithm": "ed25519", "key": bytes(32)},
        {**CI.credential.document(), "from": -1},
        {**CI.credential.document(), "until": "x"},
        {**CI.credential.document(), "until": True},
        {**CI.credential.document(), "from": 7, "until": 7},
        {**CI.credential.document(), "from": 8, "until": 7},
        {**CI.credential.document(), "more": 1},
    ],
)
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(MalformedError):
        Credential.parse(key)


@pytest.mark.parametrize("kind", ["ed25519", "ml-dsa-44", "p-256"])
def test_what_is_entered_of_a_key_is_what_is_read_of_it(kind):
    credential = replace(Maker(kind).credential, from_ms=1, until_ms=2)
    again = Credential.parse(cbor.decode(cbor.encode(credential.document())))
    assert again == credential
    of_certificate = Credential.of_certificate(Certificate.parse(LEAF.der))
    assert Credential.parse(of_certificate.document()) == of_certificate


def test_a_p256_key_is_the_same_key_in_both_ways_of_writing_signatures():
    key = Maker("p-256").public
    raw = PublicKey(Algorithm.ECDSA_P256_RAW, key.raw)
    assert Credential.of_key(raw) == Credential.of_key(key)


def test_an_issuer_belongs_to_who_was_added_with_it():
    producers = folded(added())
    assert producers.issuer(ISSUER).name == "ci"
    assert producers.issuer("x") is producers.get("x") is None
    assert producers.get("ci").name == "ci"
