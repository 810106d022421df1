"""A statement says in its signed header all that it says, in the one way to write it.

A second reader, who has only a CBOR library and a cryptographic one, finds the same.
"""

from hashlib import sha256

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ledger.errors import Refused
from ledger.keys.agent import agent_key
from ledger.keys.keyfile import SigningKey
from ledger.keys.making import LEGACY, algorithm_of, make_cose
from ledger.keys.producerkey import ProducerKey
from tests.authority import NOW, issue, p256_key, p384_key
from tests.keys.agents import add, new_key, ssh_agent
from tests.keys.makers import ED25519, MAKERS, ML_DSA, P256, SECRETS
from tests.statements import IN_TOTO
from verifier.certificate import Certificate, verify_chain
from verifier.cose import Sign1, verify_sign1
from verifier.errors import MalformedError, SignatureError
from verifier.keys import KeyType
from verifier.statement import Statement


def made(maker=ED25519, payload=b"a payload", **more):
    said = {"content_type": "text/plain", "issuer": "https://ci.example"}
    return make_cose(maker, payload, **{**said, "subject": "run/7", **more})


def headers(data):
    """The protected header, as cbor2 reads it."""
    return cbor2.loads(cbor2.loads(data).value[0])


# The bytes, written by hand

SEED = bytes(range(32))
PROTECTED = (
    "a4"
    "0132"  # alg: -19
    "0370" + b"application/json".hex() + "045820"  # content type, and kid
    "be5de2f4bcdc383add3fc9827d345f1a37c6a06026b38696fb3229c003b35f49"
    "0fa2"  # CWT claims: iss and sub
    "0172" + b"https://ci.example".hex() + "0265" + b"run/7".hex()
)
PAYLOAD = "47" + b'{"a":1}'.hex()


def test_a_statement_is_the_bytes_that_are_written_here_by_hand():
    key = SigningKey("build", KeyType.ED25519, SEED)
    maker = ProducerKey.parse(key.text())
    data = make_cose(
        maker,
        b'{"a":1}',
        content_type="application/json",
        issuer="https://ci.example",
        subject="run/7",
    )
    signed = bytes.fromhex(f"84 6a {b'Signature1'.hex()} 5855{PROTECTED} 40 {PAYLOAD}")
    signature = Ed25519PrivateKey.from_private_bytes(SEED).sign(signed)
    assert data.hex() == f"d2845855{PROTECTED}a0{PAYLOAD}5840{signature.hex()}"
    cose_key = f"a30101200621 5820{maker.public.raw.hex()}"
    assert sha256(bytes.fromhex(cose_key)).hexdigest() in PROTECTED


# What a stranger reads


def check_as_a_stranger(data, secret):
    """Return if the signature is that of `secret`, by RFC 9052 and two libraries."""
    tag = cbor2.loads(data)
    protected, unprotected, payload, signature = tag.value
    assert (tag.tag, unprotected) == (18, {})
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    if isinstance(secret, ec.EllipticCurvePrivateKey):
        r, s = (int.from_bytes(x, "big") for x in (signature[:32], signature[32:]))
        der = encode_dss_signature(r, s)
        secret.public_key().verify(der, signed, ec.ECDSA(hashes.SHA256()))
    else:
        secret.public_key().verify(signature, signed)


@pytest.mark.parametrize("name", MAKERS)
def test_a_stranger_verifies_what_each_key_signs(name):
    data = made(MAKERS[name])
    check_as_a_stranger(data, SECRETS[name])
    assert headers(data)[1] == {"Ed25519": -19, "P-256": -9, "ML-DSA-44": -48}[name]


@pytest.mark.parametrize("name", MAKERS)
def test_our_own_reader_takes_it_for_what_it_says(name):
    read = Statement.parse(made(MAKERS[name]))
    assert read.payload == b"a payload"
    assert read.payload_type == "text/plain"
    assert read.claims.issuer == "https://ci.example"
    assert read.claims.subject == "run/7"
    assert read.signers([each.public for each in MAKERS.values()]) == [
        MAKERS[name].public
    ]


@pytest.mark.parametrize("name", MAKERS)
def test_one_changed_byte_is_noticed(name):
    data = bytearray(made(MAKERS[name]))
    data[-1] ^= 1
    with pytest.raises(SignatureError):
        verify_sign1(Sign1.parse(bytes(data)), MAKERS[name].public)


def test_an_agent_makes_the_same_statement(tmp_path):
    with ssh_agent() as where:
        path = new_key(tmp_path / "k", "-t", "ed25519")
        add(where, path)
        assert made(agent_key(where)) == made(ProducerKey.parse(path.read_text()))


# What it says


def test_labels_stand_in_the_order_of_their_bytes():
    claims = {"z": 1, -1: 2, 24: 3, 1000: 4}
    data = made(claims=claims, issuer=None, subject="run/7")
    (said,) = [each for label, each in headers(data).items() if label == 15]
    assert list(said) == [2, 24, 1000, -1, "z"]


def test_further_claims_do_not_say_who_issued_it():
    data = made(claims={1: "somebody", 6: 7})
    assert headers(data)[15] == {1: "https://ci.example", 2: "run/7", 6: 7}


def test_without_claims_there_is_no_map_of_them():
    assert 15 not in headers(made(issuer=None, subject=None))


@pytest.mark.parametrize(("name", "number"), [("Ed25519", -8), ("P-256", -7)])
def test_a_reader_of_before_rfc_9864_gets_the_name_that_it_knows(name, number):
    maker = MAKERS[name]
    assert LEGACY[algorithm_of(maker.public)] == number
    data = made(maker, algorithm=number)
    check_as_a_stranger(data, SECRETS[name])
    assert headers(data)[1] == number
    verify_sign1(Sign1.parse(data), maker.public)


@pytest.mark.parametrize("number", [-7, -9, -48, 5])
def test_a_key_signs_under_no_other_algorithms_name(number):
    with pytest.raises(MalformedError, match="not one of a key for ed25519"):
        made(algorithm=number)


# A digest in place of what is large


def test_a_digest_stands_for_its_content_as_rfc_9995_has_it():
    digest = sha256(b"weights").digest()
    data = made(payload=digest, hash_envelope=True, location="https://models.example/7")
    said = headers(data)
    assert 3 not in said
    assert said[258] == -16
    assert said[259] == "text/plain"
    assert said[260] == "https://models.example/7"
    assert f"sha256:{digest.hex()}" in Statement.parse(data).digests()
    assert 260 not in headers(made(payload=digest, hash_envelope=True))


def test_a_digest_is_signed_of_whatever_type_its_content_is():
    digest = sha256(b"a statement of in-toto").digest()
    made(payload=digest, hash_envelope=True, content_type=IN_TOTO)


def test_what_is_no_digest_stands_for_nothing():
    with pytest.raises(MalformedError, match="32 bytes, not 9"):
        made(hash_envelope=True)


# Certificates

ROOT = issue("CN=root", p256_key(9), authority=True)
LEAF = issue("CN=build", SECRETS["P-256"], ROOT)


def test_a_chain_is_one_certificate_or_several():
    for chain in ([LEAF.der], [LEAF.der, ROOT.der]):
        data = made(P256, chain=chain)
        assert headers(data)[33] == (chain[0] if len(chain) == 1 else chain)
        read = Statement.parse(data)
        leaf = verify_chain(read.chain, [Certificate.parse(ROOT.der)], at=NOW)
        assert read.signers([leaf.key]) == [leaf.key]


@pytest.mark.parametrize(
    "leaf", [ROOT, issue("CN=build", p256_key(6), ROOT), issue("CN=x", p384_key())]
)
def test_a_chain_for_another_key_is_refused(leaf):
    with pytest.raises(MalformedError, match="not that of the key that signs"):
        made(P256, chain=[leaf.der])


# What is not signed


class Counting:
    """A key that counts how often it is asked."""

    public = ED25519.public

    def __init__(self):
        self.asked = 0

    def sign(self, message):
        self.asked += 1
        return ED25519.sign(message)


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"payload": bytes(65_000)}, Refused, "a log takes 65000; sign what is larger"),
        ({"issuer": ""}, MalformedError, "issuer is no text of 1"),
        ({"subject": "x" * 8193}, MalformedError, "subject is no text of 1 to 8192"),
        ({"content_type": ""}, MalformedError, "content type is no text"),
        ({"claims": {6: 1.5}}, MalformedError, "float is not allowed here"),
        ({"issuer": "\ud800"}, MalformedError, "not valid Unicode"),
    ],
    ids=["large", "no issuer", "long", "no type", "float", "surrogate"],
)
def test_what_nobody_would_take_is_not_signed(more, error, words):
    maker = Counting()
    with pytest.raises(error, match=words):
        made(maker, **more)
    assert maker.asked == 0


def test_what_the_signature_makes_too_large_is_not_given_out():
    data = made(ML_DSA, payload=b"")
    most = 65_000 - len(data) - 2
    assert len(made(ML_DSA, payload=bytes(most))) == 65_000
    with pytest.raises(Refused, match="65001 bytes"):
        made(ML_DSA, payload=bytes(most + 1))
