"""Attack: a small statement that costs whoever reads it much.

What is refused is refused before it is built up, and what has to be tried is tried so
many times and no more, however much somebody has put into it and however many producers
a log has. Work is counted here, in calls; time depends on the machine.
"""

import json
from collections import Counter

import pytest
from cryptography import x509

from ledger.keys import registry
from tests.attacks.bombs import (
    OF_COSE,
    OF_JSON,
    STRANGER,
    chained,
    der_junk,
    fat_chain,
    huge_key,
    many_signatures,
)
from tests.authority import NOW, ed25519_key, issue
from tests.statements import CI, OTHER, Maker, added, envelope, sign1
from verifier import cbor, cose, document
from verifier.certificate import Certificate
from verifier.errors import MalformedError, ProducerError, SignatureError
from verifier.producers import Producer, Producers
from verifier.producers.attribution import MAX_TRIED, verify_statement
from verifier.producers.credential import Credential
from verifier.statement import Statement
from verifier.statement import envelope as dsse

AT_MS = NOW * 1000


@pytest.fixture
def counted(monkeypatch):
    """How often what costs is done: a signature tried, a certificate or a text read."""
    counts: Counter[str] = Counter()

    def count(where, name, as_="", instead=None):
        real = instead or getattr(where, name)

        def counting(*args, **kwargs):
            counts[as_ or name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(where, name, counting)

    count(dsse, "verify_signature", instead=nobody)
    count(cose, "verify_signature", instead=nobody)
    count(x509, "load_der_x509_certificate", "certificates")
    count(cbor, "_write", "written")
    count(document.json, "loads", "read")
    return counts


def nobody(*_: object) -> None:
    """A signature that nobody known has made, without the work."""
    raise SignatureError("nobody")


# What cannot be read


@pytest.mark.parametrize("case", OF_COSE)
def test_cbor_that_is_made_to_hurt_is_refused_before_it_is_built(case, counted):
    with pytest.raises(MalformedError):
        Statement.parse(OF_COSE[case])
    # Nothing of it was written again, which is what takes long.
    assert counted["written"] <= cbor.MAX_FOREIGN_KEYS
    assert not counted["verify_signature"]


WIDE = ["wide_lists", "empty_maps", "many_small_lists", "colliding_keys"]


@pytest.mark.parametrize("case", WIDE)
def test_what_is_too_wide_is_refused_before_it_is_decoded(case, monkeypatch):
    monkeypatch.setattr(cbor, "_loads", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(MalformedError, match="more than"):
        Statement.parse(OF_COSE[case])


def test_colliding_keys_of_a_signed_header_are_refused_before_they_are_hashed():
    with pytest.raises(MalformedError, match="256 keys"):
        Statement.parse(OF_COSE["colliding_protected"])


def read_whole(data: bytes) -> None:
    """Read it, also what is in a good envelope and is none of what it says it is."""
    Statement.parse(data).in_toto()


@pytest.mark.parametrize("case", OF_JSON)
def test_json_that_is_made_to_hurt_is_refused_at_once(case, counted):
    with pytest.raises(MalformedError):
        read_whole(OF_JSON[case])
    assert counted["read"] <= 3
    assert not counted["verify_signature"]


@pytest.mark.parametrize("case", ["deep_lists", "deep_objects", "a_megabyte"])
def test_what_is_too_deep_or_too_large_is_refused_before_it_is_read(case, counted):
    with pytest.raises(MalformedError):
        Statement.parse(OF_JSON[case])
    assert not counted["read"]


# What has to be tried


def crowd(keys: int, producers: int, make) -> Producers:
    """Many producers with many keys; none of them has signed anything here."""
    credentials = tuple(make(number) for number in range(keys))
    return Producers(
        [Producer(name=f"p{n:04}", credentials=credentials) for n in range(producers)]
    )


def key_of(number: int) -> Credential:
    return Maker(number=number + 1_000).credential


P256 = [Maker("p-256", number + 1_000).credential for number in range(64)]


def refused(data: bytes, producers: Producers) -> str:
    with pytest.raises((ProducerError, MalformedError)) as caught:
        verify_statement(Statement.parse(data), producers, at_ms=AT_MS)
    return str(caught.value)


@pytest.mark.parametrize("signatures", [1, 16, 17, 64])
@pytest.mark.parametrize(("keys", "count"), [(1, 1_500), (64, 30)])
def test_signatures_are_tried_so_often_however_many_there_are(
    signatures, keys, count, counted
):
    producers = crowd(keys, count, lambda number: P256[number])
    refused(many_signatures(signatures), producers)
    # Each is read in both ways in which one of P-256 is written.
    last = keys * signatures
    assert counted["verify_signature"] <= 2 * (MAX_TRIED + last)
    assert counted["verify_signature"] <= 4 * MAX_TRIED


def test_of_a_cose_statement_so_many_keys_are_tried(counted):
    refused(sign1(maker=STRANGER, issuer="x"), crowd(1, 1_500, key_of))
    assert counted["verify_signature"] <= MAX_TRIED


def test_the_same_signature_again_and_again_is_tried_once(counted):
    made = json.loads(envelope(b"x", STRANGER))
    made["signatures"] *= 64
    refused(json.dumps(made).encode(), crowd(2, 1, key_of))
    assert counted["verify_signature"] <= 2


def anchors(count: int) -> Producers:
    """Producers who are known by authorities of their own."""
    made = [
        issue(f"CN=a{n}", ed25519_key(n % 200 + 30), authority=True) for n in range(64)
    ]
    credentials = [Credential.of_certificate(Certificate.parse(x.der)) for x in made]
    listed = tuple(credentials)
    return Producers([Producer(name=f"p{n}", credentials=listed) for n in range(count)])


@pytest.mark.parametrize("producers", [1, 16])
def test_a_chain_is_read_once_however_many_authorities_are_known(producers, counted):
    known = anchors(producers)
    counted.clear()
    assert "does not lead to" in refused(chained(*fat_chain()), known)
    assert counted["certificates"] <= len(fat_chain())


def test_a_chain_that_names_an_authority_is_looked_at_for_that_one(counted):
    # The last one says that a known authority has issued it, and it has not.
    top = issue("CN=a7", ed25519_key(9), authority=True)
    forged = issue("CN=x", ed25519_key(8), top)
    counted.clear()
    refused(chained(*fat_chain(7), forged.der), anchors(1))
    assert 1 <= counted["certificates"] <= 100


def test_a_key_of_16_384_bits_is_never_used(counted):
    huge, known = huge_key(), anchors(1)
    assert Certificate.parse(huge).key is None
    counted.clear()
    for chain in ([huge], [huge] * 8, [*fat_chain(7), huge]):
        refused(chained(*chain), known)
    assert not counted["verify_signature"]
    assert counted["certificates"] <= 1 + 8 + 8


@pytest.mark.parametrize("case", der_junk())
def test_what_is_no_certificate_is_nobodys(case):
    junk = der_junk()[case]
    if case != "flipped_in_the_key":
        with pytest.raises(MalformedError):
            Certificate.parse(junk)
    for chain in ([junk], [*fat_chain(3), junk], [junk, *fat_chain(3)]):
        try:
            read = Statement.parse(chained(*chain))
        except MalformedError:
            continue  # larger than a statement can be
        with pytest.raises((ProducerError, MalformedError)):
            verify_statement(read, anchors(1), at_ms=AT_MS)


@pytest.mark.parametrize("count", [9, 1_000])
def test_more_certificates_than_a_chain_has_are_none(count):
    with pytest.raises(MalformedError, match="x5chain"):
        Statement.parse(chained(*[b"x"] * count))


def test_a_true_statement_behind_all_of_that_is_found_by_its_hint():
    own = added(issuers=())
    producers = crowd(64, 100, key_of)
    producers.take({**own, "number": 0}, 0)
    hinted = envelope(b"x").replace(
        b'"sig"', b'"keyid": "%b", "sig"' % CI.credential.id.encode()
    )
    found = verify_statement(Statement.parse(hinted), producers, at_ms=AT_MS)
    assert found.producer.name == "ci"
    taken = registry.add("late", [OTHER.credential])
    producers.take({**taken, "number": 1}, 1)
    assert len(producers) == 102
