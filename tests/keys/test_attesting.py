"""An envelope is one that other people's tools verify, and several may sign it."""

import json
from base64 import b64decode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ledger.errors import Refused
from ledger.keys.attesting import add_signature, make_dsse, make_intoto
from ledger.keys.making import make_cose
from ledger.keys.producerkey import ProducerKey
from tests.foreign import folder
from tests.keys.makers import ED25519, MAKERS, ML_DSA, P256, SECRETS, pem
from tests.statements import IN_TOTO, envelope, in_toto
from verifier.errors import MalformedError
from verifier.own import MEDIA_TYPE as OWN
from verifier.pem import key_id
from verifier.statement.envelope import Envelope, signers_of
from verifier.statement.intoto import InTotoStatement

TYPE = "text/plain"
PUBLIC = [each.public for each in MAKERS.values()]


def check_as_a_stranger(data, name):
    """Return if `name` has signed the envelope, by DSSE's text and one library."""
    document = json.loads(data)
    payload = b64decode(document["payload"])
    kind = document["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (found,) = [
        each
        for each in document["signatures"]
        if each["keyid"] == key_id(MAKERS[name].public)
    ]
    signature, public = b64decode(found["sig"]), SECRETS[name].public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    else:
        public.verify(signature, signed)


@pytest.mark.parametrize("name", MAKERS)
def test_a_stranger_verifies_what_each_key_signs(name):
    data = make_dsse([MAKERS[name]], b"a payload", TYPE)
    check_as_a_stranger(data, name)
    assert signers_of(Envelope.parse(data), PUBLIC) == [MAKERS[name].public]


def test_the_published_key_makes_the_published_signature():
    vector = json.loads((folder("dsse") / "vector.json").read_text())
    secret = ec.derive_private_key(int(vector["key"]["d"]), ec.SECP256R1())
    maker = ProducerKey.parse(pem(secret))
    published = Envelope.of(vector["envelope"])
    data = make_dsse([maker], published.payload, vector["payload_type"])
    (made,) = Envelope.parse(data).signatures
    r, s = decode_dss_signature(made.signature)
    assert r.to_bytes(32, "big") + s.to_bytes(32, "big") == (
        published.signatures[0].signature
    )


def test_several_sign_at_once_or_one_after_the_other():
    once = make_dsse([ED25519, P256], b"a payload", TYPE)
    later = add_signature(P256, make_dsse([ED25519], b"a payload", TYPE))
    assert once == later
    for data in (once, add_signature(ML_DSA, later)):
        for name in ("Ed25519", "P-256"):
            check_as_a_stranger(data, name)
    assert signers_of(Envelope.parse(add_signature(ML_DSA, later)), PUBLIC) == PUBLIC


def test_a_strangers_envelope_is_signed_over_its_payload_and_keeps_its_signatures():
    document = json.loads(make_dsse([ED25519], b"\xfb\xff payload", TYPE))
    document["payload"] = document["payload"].replace("+", "-").replace("/", "_")
    document["more"] = 1
    data = add_signature(P256, json.dumps(document, indent=2).encode())
    assert json.loads(data)["signatures"][0] == document["signatures"][0]
    for name in ("Ed25519", "P-256"):
        check_as_a_stranger(data, name)


@pytest.mark.parametrize("name", MAKERS)
def test_nobody_signs_twice(name):
    data = make_dsse([MAKERS[name]], b"a payload", TYPE)
    with pytest.raises(Refused, match="has signed this already") as caught:
        add_signature(MAKERS[name], data)
    assert caught.value.check == "signed"


@pytest.mark.parametrize(
    ("payload", "type_", "words"),
    [
        (bytes(65_000), TYPE, "65000 into the payload"),
        (b"", "", "1 to 1024 characters"),
    ],
    ids=["large", "no type"],
)
def test_what_no_log_takes_is_refused(payload, type_, words):
    with pytest.raises(Refused, match=words):
        make_dsse([ED25519], payload, type_)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}", "no DSSE envelope.*: the envelope has no .*signatures"),
        (b"hello", "no DSSE envelope, and nothing else takes another signature$"),
        (b"\x00\xff", "no DSSE envelope, and nothing else takes another signature$"),
        (make_cose(ED25519, b"", content_type="a/b"), "COSE_Sign1.* one signature"),
    ],
    ids=["another object", "text", "bytes", "COSE"],
)
def test_what_is_no_envelope_is_not_signed(data, words):
    with pytest.raises(MalformedError, match=words):
        add_signature(ED25519, data)


SLSA = "https://slsa.dev/provenance/v1"
BROKEN = in_toto(predicate_type=SLSA)


def test_what_a_log_refuses_for_what_it_says_is_not_signed():
    for make in (
        lambda maker: make_dsse([maker], BROKEN, IN_TOTO),
        lambda maker: make_cose(maker, BROKEN, content_type=IN_TOTO),
        lambda maker: add_signature(maker, envelope(BROKEN, type_=IN_TOTO)),
        lambda maker: make_dsse([maker], b"{}", IN_TOTO),
        lambda maker: make_dsse([maker], b"", OWN),
        lambda maker: make_cose(maker, b"", content_type=OWN),
    ):
        with pytest.raises(MalformedError, match=r"_type|buildDefinition|only the log"):
            make(Unused())


def test_nor_is_a_predicate_of_a_known_kind_that_is_none():
    with pytest.raises(MalformedError, match="buildDefinition"):
        make_intoto({"a": DIGEST}, SLSA, b"{}")


class Unused:
    """A key that nobody asks for a signature."""

    public = ED25519.public

    def sign(self, message):
        raise AssertionError("it was asked")


# in-toto

DIGEST = sha256(b"weights").digest()
PREDICATE = b' {"loss": 0.10, "steps": 12345678901234567890123, "note": null}\n'
KIND = "https://ci.example/training/v1"


def test_a_statement_says_a_predicate_of_files_by_their_digests():
    data = make_intoto({"weights.bin": DIGEST, "é": DIGEST}, KIND, PREDICATE)
    document = json.loads(data)
    assert document == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "weights.bin", "digest": {"sha256": DIGEST.hex()}},
            {"name": "é", "digest": {"sha256": DIGEST.hex()}},
        ],
        "predicateType": KIND,
        "predicate": json.loads(PREDICATE),
    }
    read = InTotoStatement.parse(data)
    assert read.subject_digests() == (f"sha256:{DIGEST.hex()}",)
    assert read.predicate_type == KIND


def test_the_predicate_stands_there_as_it_was_written():
    data = make_intoto({"a": DIGEST}, KIND, PREDICATE)
    assert PREDICATE.strip() in data


@pytest.mark.parametrize(
    "predicate",
    [b"[]", b"{}}", b'{"a":1,"a":2}', b'{"a":NaN}', b"", b'{},"subject":[]'],
    ids=repr,
)
def test_a_predicate_is_one_json_object(predicate):
    with pytest.raises(MalformedError, match="the predicate"):
        make_intoto({"a": DIGEST}, KIND, predicate)


@pytest.mark.parametrize(("subjects", "kind"), [({}, KIND), ({"a": DIGEST}, "")])
def test_what_nobody_could_read_is_not_made(subjects, kind):
    with pytest.raises(MalformedError, match="the statement's"):
        make_intoto(subjects, kind, b"{}")
