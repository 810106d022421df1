"""Attack: have a statement taken for somebody else's, by another way to read its key.

A header names an algorithm, a hint names a key, a certificate names whoever its
authority likes; all of it is chosen by who signs, or by nobody at all. The registered
key alone says how its signatures are read, and whose they are. (Threats: algorithm
confusion, key confusion, key substitution, revocation that is walked around.)
"""

import hmac
import json
from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ledger.errors import Refused
from ledger.keys import registry
from tests.authority import NOW, TO, ed25519_key, issue
from tests.livelog import LiveLog
from tests.statements import CI, ISSUER, OTHER, Maker, added, envelope, sign1, signed
from verifier.certificate import Certificate
from verifier.cose import ALGORITHMS, Sign1
from verifier.cosekey import thumbprint
from verifier.errors import MalformedError, ProducerError
from verifier.keys import Algorithm
from verifier.producers import Producers
from verifier.producers.attribution import Signed, verify_statement
from verifier.producers.credential import Credential
from verifier.statement import Statement

MAKERS = {kind: Maker(kind) for kind in ("ed25519", "p-256", "ml-dsa-44")}
FITTING = {
    "ed25519": Algorithm.ED25519,
    "p-256": Algorithm.ECDSA_P256_RAW,
    "ml-dsa-44": Algorithm.ML_DSA_44,
}
# Every algorithm that we verify; those of P-384, P-521, secp256k1, RSA and Ed448; two
# with a shared secret; what is no number at all.
NUMBERS = [*ALGORITHMS, -35, -36, -47, -51, -52, -37, -257, -53, -49, -50, 5, 4, 0, 1]
NAMED = [*NUMBERS, -65_536, True, "EdDSA", "none", b"\x27", [-8], {-8: -8}, 0.0]


@pytest.fixture(scope="module", params=["record", "statement"])
def log(request, tmp_path_factory):
    """A log that knows a key of each kind, each its own producer's."""
    live = LiveLog(
        tmp_path_factory.mktemp("keys") / "log", kind=request.param, signed=True
    )
    with live.open() as opened:
        for kind, maker in MAKERS.items():
            opened.register(added(maker, name=kind, issuers=()))
        yield opened
    live.check()


def admitted(log, data: bytes) -> bool:
    try:
        log.admission.admit_statement(data, by="s-1")
    except Refused as error:
        return error.check not in {"producer", "algorithm", "form"}
    return True


# The algorithm


@pytest.mark.parametrize("kind", MAKERS)
def test_no_header_makes_another_algorithm_of_a_key(log, kind):
    taken = [
        alg
        for alg in NAMED
        if admitted(log, sign1(maker=MAKERS[kind], alg=alg, issuer="x"))
    ]
    assert taken == [a for a in ALGORITHMS if ALGORITHMS[a] is FITTING[kind]]


@pytest.mark.parametrize("kind", MAKERS)
def test_a_public_key_is_no_secret_to_sign_with(log, kind):
    # Where alg says HMAC, a verifier that obeys takes what everybody has for the key.
    key = MAKERS[kind].public
    unsigned = Sign1.parse(sign1(alg=5, issuer="x", signature=b""))
    for secret in (key.raw, thumbprint(key)):
        tag = hmac.digest(secret, unsigned.message(), "sha256")
        for signature in (tag, tag[:8], tag * 2):
            forged = replace(unsigned, signature=signature).encode()
            assert not admitted(log, forged)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(2420), b"\x30\x00"])
def test_no_signature_is_none(log, kind, signature):
    maker = MAKERS[kind]
    assert not admitted(log, sign1(maker=maker, issuer="x", signature=signature))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_algorithm_is_read_where_it_is_signed_and_nowhere_else(log, alg):
    maker = MAKERS["ed25519"]
    bare = sign1(maker=maker, headers={1: None}, unprotected={1: alg}, issuer="x")
    both = sign1(maker=maker, alg=alg, unprotected={1: -19}, issuer="x")
    empty = signed(b"", b"a payload", maker=maker, unprotected={1: alg})
    for data in (bare, both, empty):
        assert not admitted(log, data)


@pytest.mark.parametrize("kind", MAKERS)
def test_the_signature_of_one_kind_of_key_is_none_of_another(log, kind):
    # Signed by one, and named in the header as if it were by each of the others.
    true = sign1(maker=MAKERS[kind], issuer="x", signature=None)
    for other in MAKERS.values():
        message = Sign1.parse(sign1(maker=other, issuer="x", signature=b""))
        borrowed = replace(message, signature=MAKERS[kind].sign(message.message()))
        assert admitted(log, borrowed.encode()) == (other is MAKERS[kind])
    assert admitted(log, true)


# Hints


def folded(*owns) -> Producers:
    """Producers as the entries of a log say it, which stand at 10, 20 and so on."""
    producers = Producers()
    for number, own in enumerate(owns):
        producers.take({**own, "number": number}, 10 * (number + 1))
    return producers


def whose(data: bytes, producers: Producers, **known) -> str:
    known = {"at_ms": NOW * 1000} | known
    return verify_statement(Statement.parse(data), producers, **known).producer.name


def refused(data: bytes, producers: Producers, **known) -> str:
    with pytest.raises(ProducerError) as caught:
        whose(data, producers, **known)
    return str(caught.value)


TWO = folded(added(), added(OTHER, name="thief", issuers=()))
HINTS = [
    CI.credential.id.encode(),
    bytes.fromhex(CI.credential.id),
    thumbprint(CI.public),
    bytes.fromhex(CI.credential.id)[:4],
    CI.public.raw,
]


@pytest.mark.parametrize("hint", HINTS)
def test_the_name_of_somebodys_key_makes_no_statement_his(hint):
    stolen = sign1(maker=OTHER, headers={4: hint}, issuer=ISSUER)
    assert "who is ci" in refused(stolen, TWO)
    assert whose(sign1(maker=OTHER, headers={4: hint}, issuer="x"), TWO) == "thief"
    assert whose(sign1(headers={4: thumbprint(OTHER.public)}), TWO) == "ci"


def with_keyid(data: bytes, keyid: str) -> bytes:
    document = json.loads(data)
    for each in document["signatures"]:
        each["keyid"] = keyid
    return json.dumps(document).encode()


@pytest.mark.parametrize("keyid", [CI.credential.id, "x" * 60_000, "\x00", "é"])
def test_the_key_id_of_an_envelope_is_nobodys_word(keyid):
    stolen = with_keyid(envelope(b"x", OTHER), keyid)
    assert whose(stolen, TWO) == "thief"
    assert "none of the producers" in refused(
        with_keyid(envelope(b"x", Maker(number=9)), keyid), TWO
    )


def test_two_keys_with_one_id_are_never_both_registered(monkeypatch):
    # As if somebody had computed 2^64 keys until two had the same sixteen digits.
    monkeypatch.setattr("verifier.producers.credential.key_id", lambda key: "0" * 16)
    producers = folded(added())
    with pytest.raises(MalformedError, match="registered already, for ci"):
        producers.take({**added(OTHER, name="x", issuers=()), "number": 1}, 20)
    assert len(producers) == 1


# One key, two owners


AUTHORITY = issue("CN=an authority of theirs", ed25519_key(9), authority=True)
KEY = ed25519_key(1)
HIS = Maker(seed=bytes([1]) * 32)
"""Who has KEY."""
LEAF = issue("CN=they", KEY.public_key(), AUTHORITY)
"""What anybody with an authority can make out for the public half of it."""


def of_certificate(name: str, *issued) -> dict:
    keys = [Credential.of_certificate(Certificate.parse(x.der)) for x in issued]
    return registry.add(name, keys)


def bundled(data: bytes, *certificates) -> bytes:
    """An envelope of somebody's, in a bundle with certificates that nobody signed."""
    listed = [{"rawBytes": b64encode(x.der).decode()} for x in certificates]
    return json.dumps(
        {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "x509CertificateChain": {"certificates": listed},
                "tlogEntries": [{"logIndex": "7"}],
            },
            "dsseEnvelope": json.loads(data),
        }
    ).encode()


HIM = added(HIS, name="he", issuers=())
THEM = of_certificate("they", AUTHORITY)


@pytest.mark.parametrize("owns", [(HIM, THEM), (THEM, HIM)], ids=["first", "second"])
@pytest.mark.parametrize("hint", ["", HIS.credential.id, "an authority"])
def test_whoever_is_an_authority_takes_no_statement_of_another(owns, hint):
    # He has signed an envelope; they put it into a bundle with a certificate of theirs
    # for his key, which they can make out without having it.
    keyid = Credential.of_certificate(Certificate.parse(AUTHORITY.der)).id
    made = with_keyid(envelope(b"his work", HIS), keyid if hint[:2] == "an" else hint)
    assert whose(made, folded(*owns), index=95) == "he"
    for data in (bundled(made, LEAF), bundled(made, LEAF, AUTHORITY)):
        if owns[0] is HIM:
            assert whose(data, folded(*owns), index=95) == "he"
        else:
            # Or he has registered the key of somebody to whom they have issued it.
            with pytest.raises(ProducerError, match="whose it is cannot be told"):
                whose(data, folded(*owns), index=95)


def test_who_was_issued_a_certificate_signs_with_it_where_the_key_is_nobodys():
    made = bundled(envelope(b"their work", HIS), LEAF)
    assert whose(made, folded(THEM)) == "they"
    # And what was logged before the key was registered stays whose it was.
    later = folded(THEM, HIM)
    assert whose(made, later, index=15) == "they"
    for index in (25, None):
        with pytest.raises(ProducerError, match="whose it is cannot be told"):
            whose(made, later, index=index)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (HIM, added(HIS, name="they", issuers=())),
        (HIM, of_certificate("they", LEAF)),
        (of_certificate("he", LEAF), added(HIS, name="they", issuers=())),
        (of_certificate("he", LEAF), of_certificate("they", issue("CN=x", KEY))),
        (HIM, added(OTHER, HIS, name="they", issuers=())),
    ],
    ids=["twice", "as_certificate", "as_key", "two_certificates", "among_others"],
)
def test_a_key_that_is_one_producers_is_never_registered_for_another(first, second):
    producers = folded(first)
    with pytest.raises(MalformedError, match="registered already, for he"):
        producers.take({**second, "number": 1}, 20)
    producers.take({**added(OTHER, name="x", issuers=()), "number": 1}, 20)
    rotated = registry.rotate("x", second_keys(second), until_ms=1)
    with pytest.raises(MalformedError, match="registered already"):
        producers.take({**rotated, "number": 2}, 30)


def second_keys(own: dict) -> list[Credential]:
    return [Credential.parse(each) for each in own["keys"]][-1:]


# A key that was revoked


GONE = registry.revoke("he", [HIS.credential.id], "stolen")


def test_a_certificate_does_not_bring_back_a_key_that_was_revoked():
    # Also not one of his own authority, made out while the key was his.
    own = {**HIM, "keys": [*HIM["keys"], *THEM["keys"]]}
    producers = folded(own, GONE)
    chained = sign1(maker=HIS, headers={33: LEAF.der}, issuer="x")
    for data in (chained, bundled(envelope(b"x", HIS), LEAF)):
        assert "revoked at entry 20" in refused(data, producers, index=25)
        assert "revoked at entry 20" in refused(data, producers)
        assert whose(data, producers, index=15) == "he"


def test_a_key_is_gone_with_all_that_was_registered_for_it():
    own = {**HIM, "keys": [*HIM["keys"], *of_certificate("he", LEAF)["keys"]]}
    producers = folded(own, GONE)
    assert all(each.revoked == 20 for each in producers.get("he").credentials)
    assert "revoked" in refused(sign1(maker=HIS, headers={33: LEAF.der}), producers)


@pytest.mark.parametrize("back", [HIM, of_certificate("he", LEAF)])
def test_a_key_that_was_revoked_is_never_registered_again(back):
    producers = folded(HIM, GONE)
    rotated = registry.rotate("he", second_keys(back), until_ms=1)
    with pytest.raises(MalformedError, match="never comes back"):
        producers.take({**rotated, "number": 2}, 30)


def test_a_certificate_that_is_made_out_again_may_have_the_same_key():
    name = "CN=an authority of theirs"
    renewed = issue(name, ed25519_key(9), authority=True, end=TO + 1)
    keys = [Credential.of_certificate(Certificate.parse(renewed.der))]
    rotated = registry.rotate("they", keys, until_ms=NOW * 1000 - 1)
    made = bundled(envelope(b"x", HIS), LEAF)
    assert whose(made, folded(THEM, rotated)) == "they"


def test_authorities_whose_keys_are_none_of_ours_go_one_by_one():
    # Neither has a key that could be compared: the one is not gone with the other.
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(2)]
    one, two = (issue(f"CN=a{n}", key, authority=True) for n, key in enumerate(keys))
    own = of_certificate("they", one, two)
    lost = Credential.of_certificate(Certificate.parse(one.der)).id
    producers = folded(own, registry.revoke("they", [lost], "lost"))
    made = [bundled(envelope(b"x", HIS), issue("CN=x", KEY, top)) for top in (one, two)]
    assert "revoked" in refused(made[0], producers, index=25)
    assert whose(made[1], producers, index=25) == "they"


def test_a_signature_counts_once_however_often_its_key_is_registered():
    own = {**HIM, "keys": [*HIM["keys"], *of_certificate("he", LEAF)["keys"]]}
    producers = folded({**own, "threshold": 2})
    twice = envelope(b"x", HIS, HIS)
    assert "1 of he's keys" in refused(twice, producers)


def test_what_is_signed_by_two_producers_is_of_one_who_has_signed_it():
    found: Signed = verify_statement(Statement.parse(envelope(b"x", CI, OTHER)), TWO)
    assert found.producer.name in {"ci", "thief"}
    assert len(found.by) == 1
