"""A Sigstore bundle is an envelope, and words beside it that nobody checks here."""

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from tests.spoiling import DROP, replaced
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.keys import Algorithm, PublicKey
from verifier.statement.envelope import Envelope, signers_of
from verifier.statement.sigstore import (
    MAX_CERTIFICATES,
    MAX_TLOG_ENTRIES,
    SigstoreBundle,
    TlogEntry,
)

V3 = "application/vnd.dev.sigstore.bundle.v0.3+json"
MODEL = "https://model_signing/signature/v1.0"


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def statement(kind: str = "https://types.example/claim/v1") -> bytes:
    subject = [{"digest": {"sha256": "ab" * 32}}]
    whole = {"_type": "https://in-toto.io/Statement/v1", "subject": subject}
    return json.dumps(whole | {"predicateType": kind}).encode()


def document() -> dict[str, Any]:
    """A true bundle, for a test to spoil."""
    return {
        "mediaType": V3,
        "verificationMaterial": {
            "certificate": {"rawBytes": b64(b"0 a certificate")},
            "tlogEntries": [
                {"logIndex": "7", "integratedTime": "1760062340", "logId": {}},
                {"logIndex": 0, "integratedTime": 0},
                {},
            ],
            "timestampVerificationData": {"rfc3161Timestamps": []},
        },
        "dsseEnvelope": {
            "payload": b64(statement()),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": b64(b"a signature"), "keyid": ""}],
        },
    }


def parse(value: object) -> SigstoreBundle:
    return SigstoreBundle.parse(json.dumps(value).encode())


def spoiled(*path: str | int, to: object) -> dict[str, Any]:
    """The true bundle with the value at `path` replaced, added or dropped."""
    whole: dict[str, Any] = replaced(document(), *path, to=to)
    return whole


def with_material(**material: object) -> dict[str, Any]:
    return spoiled("verificationMaterial", to=material)


def strangers(which: str) -> dict[str, Path]:
    folder = foreign.folder("model-signing") / "v1.0" / which
    return {path.name.partition(".")[0]: path for path in folder.glob("*.json")}


# What it says


def test_a_bundle_is_an_envelope_and_what_is_said_beside_it():
    assert parse(document()) == SigstoreBundle(
        media_type=V3,
        envelope=Envelope.of(document()["dsseEnvelope"]),
        certificates=(b"0 a certificate",),
        key_hint=None,
        tlog_entries=(
            TlogEntry(log_index=7, integrated_time=1760062340),
            TlogEntry(log_index=0, integrated_time=None),
            TlogEntry(log_index=None, integrated_time=None),
        ),
    )


@pytest.mark.parametrize(
    "media_type",
    [V3]
    + [f"application/vnd.dev.sigstore.bundle+json;version=0.{n}" for n in (1, 2, 3)],
)
def test_bundles_of_three_versions_are_read(media_type):
    assert parse(spoiled("mediaType", to=media_type)).media_type == media_type


def test_a_chain_is_read_from_its_leaf_on():
    chain = {"certificates": [{"rawBytes": b64(each)} for each in (b"0leaf", b"0ca")]}
    bundle = parse(with_material(x509CertificateChain=chain))
    assert bundle.certificates == (b"0leaf", b"0ca")
    assert bundle.tlog_entries == ()


@pytest.mark.parametrize(
    ("key", "hint"),
    [({"hint": "k1"}, "k1"), ({}, None), ({"hint": ""}, None), ({"hint": None}, None)],
)
def test_a_key_is_hinted_at_and_is_no_certificate(key, hint):
    bundle = parse(with_material(publicKey=key | {"rawBytes": b64(b"a key")}))
    assert (bundle.certificates, bundle.key_hint) == ((), hint)


def test_what_nobody_knows_is_passed_over_and_null_is_missing():
    more = document() | {"messageSignature": None, "x": 1.5}
    more["verificationMaterial"] |= {"publicKey": None, "x509CertificateChain": None}
    assert parse(more) == parse(document())


@given(st.binary(min_size=1, max_size=30))
def test_certificates_are_read_in_any_spelling_of_protobuf(raw):
    for encode in (b64encode, urlsafe_b64encode):
        text = encode(raw).decode()
        for each in (text, text.rstrip("=")):
            found = parse(
                spoiled("verificationMaterial", "certificate", "rawBytes", to=each)
            )
            assert found.certificates == (raw,)


# What strangers made


def test_the_bundles_that_are_valid_are_read():
    found = {
        name: SigstoreBundle.parse(path.read_bytes())
        for name, path in strangers("valid").items()
    }
    assert {name: len(each.certificates) for name, each in found.items()} == {
        "key": 0,
        "certificate": 2,
        "sigstore": 1,
    }
    assert found["key"].key_hint == (
        "e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e"
    )
    assert found["key"].tlog_entries == found["certificate"].tlog_entries == ()
    assert found["sigstore"].tlog_entries == (
        TlogEntry(log_index=598151086, integrated_time=1760062340),
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sigstore", Algorithm.ECDSA_P256), ("certificate", Algorithm.ECDSA_P384)],
)
def test_their_first_certificate_is_of_the_key_that_signed(name, kind):
    bundle = SigstoreBundle.parse(strangers("valid")[name].read_bytes())
    spki = (
        x509.load_der_x509_certificate(bundle.certificates[0])
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    key = PublicKey(kind, spki)
    assert signers_of(bundle.envelope, [key]) == [key]


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("empty", "is not strict JSON"),
        ("missing-envelope", "has no dsseEnvelope"),
        ("missing-tlog-entries", "none of the tlogEntries that it needs"),
        ("missing-verification-material", "has no verificationMaterial"),
    ],
)
def test_the_bundles_that_are_invalid_are_refused_for_what_they_lack(name, named):
    found = strangers("invalid")
    assert len(found) == 4
    with pytest.raises(MalformedError, match=named):
        SigstoreBundle.parse(found[name].read_bytes())


def test_a_bundle_whose_payload_is_of_another_type_is_a_bundle():
    found = strangers("invalid-payload")
    assert list(found) == ["wrong-predicate"]
    assert SigstoreBundle.parse(found["wrong-predicate"].read_bytes()).key_hint


# What it is not


def test_who_signed_a_file_and_no_statement_is_told_what_to_do():
    signature = {"messageDigest": {"algorithm": "SHA2_256"}, "signature": ""}
    only = spoiled("dsseEnvelope", to=DROP) | {"messageSignature": signature}
    for whole in (only, document() | {"messageSignature": {}}):
        with pytest.raises(MalformedError, match="sign an in-toto statement with the"):
            parse(whole)


@pytest.mark.parametrize(
    ("path", "to", "named"),
    [
        (["mediaType"], DROP, "mediaType is not that of Sigstore's"),
        (["mediaType"], None, "mediaType is not that of Sigstore's"),
        (["mediaType"], 3, "mediaType is not that of Sigstore's"),
        (["mediaType"], "application/json", "mediaType is not that"),
        (["mediaType"], V3.replace("3", "4"), "mediaType is not that"),
        (["mediaType"], V3.replace("3", "1"), "mediaType is not that"),
        (["mediaType"], V3 + "\n", "mediaType is not that"),
        (["mediaType"], V3.upper(), "mediaType is not that"),
        (["dsseEnvelope"], DROP, "has no dsseEnvelope"),
        (["dsseEnvelope"], None, "has no dsseEnvelope"),
        (["dsseEnvelope"], [], '"dsseEnvelope" that is an object'),
        (["dsseEnvelope", "payload"], DROP, '"payload" that is text'),
        (["dsseEnvelope", "signatures"], [], "1 to 64 signatures; this has 0"),
        (["verificationMaterial"], DROP, "has no verificationMaterial"),
        (["verificationMaterial"], None, "has no verificationMaterial"),
        (["verificationMaterial"], [], '"verificationMaterial" that is an object'),
        (["verificationMaterial"], {}, "it has none"),
        (["verificationMaterial", "publicKey"], {}, "certificate and publicKey"),
        (["verificationMaterial", "publicKey"], "k", '"publicKey" that is an object'),
        (["verificationMaterial", "certificate"], [], "that is an object"),
        (["verificationMaterial", "certificate"], {}, "has no rawBytes"),
        (["verificationMaterial", "certificate"], {"rawBytes": ""}, "has no rawBytes"),
        (["verificationMaterial", "certificate"], {"rawBytes": 1}, "that is text"),
        (["verificationMaterial", "certificate"], {"rawBytes": "!"}, "is not base64"),
        (["verificationMaterial", "tlogEntries"], {}, '"tlogEntries" that is a list'),
        (["verificationMaterial", "tlogEntries", 1], 7, "tlogEntries is not an object"),
    ],
    ids=lambda each: "dropped" if each is DROP else str(each)[:50],
)
def test_a_bundle_of_another_form_is_refused(path, to, named):
    with pytest.raises(MalformedError, match=named):
        parse(spoiled(*path, to=to))


@pytest.mark.parametrize(
    ("chain", "named"),
    [
        ({}, "chain of certificates is empty"),
        ({"certificates": None}, "chain of certificates is empty"),
        ({"certificates": []}, "chain of certificates is empty"),
        ({"certificates": {}}, '"certificates" that is a list'),
        ({"certificates": [None]}, "has no rawBytes"),
        ({"certificates": ["MIIB"]}, "has no rawBytes"),
        ({"certificates": [{"rawBytes": None}]}, "has no rawBytes"),
    ],
    ids=str,
)
def test_a_chain_of_another_form_is_refused(chain, named):
    with pytest.raises(MalformedError, match=named):
        parse(with_material(x509CertificateChain=chain))


def test_a_key_hint_is_text():
    with pytest.raises(MalformedError, match='publicKey has no member "hint" that is'):
        parse(with_material(publicKey={"hint": 7}))


@pytest.mark.parametrize("name", ["logIndex", "integratedTime"])
@pytest.mark.parametrize(
    "number",
    ["", "-1", "+1", "07", " 7", "7.0", "\u0667", "9" * 19, -1, 1.5, True, 2**63, []],
    ids=repr,
)
def test_a_number_of_a_log_is_one_of_63_bits(name, number):
    with pytest.raises(MalformedError, match=f"{name} is not a"):
        parse(spoiled("verificationMaterial", "tlogEntries", 0, name, to=number))


def test_the_largest_number_of_a_log_is_read_in_either_form():
    for number in (2**63 - 1, str(2**63 - 1)):
        path = ("verificationMaterial", "tlogEntries", 0, "logIndex")
        assert parse(spoiled(*path, to=number)).tlog_entries[0].log_index == 2**63 - 1


def test_an_envelope_in_a_bundle_has_one_signature():
    two = [{"sig": b64(b"one")}, {"sig": b64(b"two")}]
    with pytest.raises(MalformedError, match="has 2 signatures, and has to have one"):
        parse(spoiled("dsseEnvelope", "signatures", to=two))


def test_certificates_and_entries_are_counted_before_they_are_read():
    one = {"rawBytes": b64(b"0")}
    chain = {"certificates": [one] * MAX_CERTIFICATES}
    assert len(parse(with_material(x509CertificateChain=chain)).certificates) == 8
    chain = {"certificates": [None] * (MAX_CERTIFICATES + 1)}
    with pytest.raises(MalformedError, match="more than 8 certificates"):
        parse(with_material(x509CertificateChain=chain))
    path = ("verificationMaterial", "tlogEntries")
    assert len(parse(spoiled(*path, to=[{}] * MAX_TLOG_ENTRIES)).tlog_entries) == 32
    with pytest.raises(MalformedError, match="more than 32 tlogEntries"):
        parse(spoiled(*path, to=[None] * (MAX_TLOG_ENTRIES + 1)))


def test_a_bundle_is_bounded_before_it_is_read():
    with pytest.raises(MalformedError, match="at most 65000 are read"):
        SigstoreBundle.parse(b"{" + b" " * MAX_BODY_BYTES)


# Whether another log has to have seen it


def keyless(payload: bytes, kind: str = "application/vnd.in-toto+json") -> object:
    whole = spoiled("verificationMaterial", "tlogEntries", to=[])
    whole["dsseEnvelope"] |= {"payload": b64(payload), "payloadType": kind}
    return whole


@pytest.mark.parametrize("unset", [DROP, None, []])
def test_a_model_signature_with_a_single_certificate_is_in_another_log(unset):
    whole = spoiled("verificationMaterial", "tlogEntries", to=unset)
    whole["dsseEnvelope"]["payload"] = b64(statement(MODEL))
    with pytest.raises(MalformedError, match="none of the tlogEntries that it needs"):
        parse(whole)
    whole["verificationMaterial"]["tlogEntries"] = [{}]
    assert len(parse(whole).tlog_entries) == 1


def test_other_statements_may_have_a_time_stamp_instead():
    assert parse(keyless(statement())).tlog_entries == ()
    assert parse(keyless(b"no statement", "text/plain")).tlog_entries == ()


def test_a_model_signature_cannot_pass_as_something_else_by_how_it_is_written():
    spelled = statement(MODEL).replace(b"model_signing", b"model\\u005fsigning")
    for kind in ("application/vnd.in-toto+json", "application/vnd.in-toto.x+json"):
        with pytest.raises(MalformedError, match="none of the tlogEntries"):
            parse(keyless(spelled, kind))
    with pytest.raises(MalformedError, match="the statement is not strict JSON"):
        parse(keyless(b"{"))


# Hostile


@given(st.data())
def test_a_bundle_with_any_byte_replaced_is_read_or_refused(data):
    whole = bytearray(json.dumps(document()).encode())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):
        SigstoreBundle.parse(bytes(whole))


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.floats(0, 1),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = [
    *[(name,) for name in document()],
    *[("verificationMaterial", name) for name in document()["verificationMaterial"]],
    *[("verificationMaterial", name) for name in ("publicKey", "x509CertificateChain")],
    ("verificationMaterial", "certificate", "rawBytes"),
    ("verificationMaterial", "tlogEntries", 0, "logIndex"),
    ("dsseEnvelope", "payload"),
    ("dsseEnvelope", "signatures"),
    ("dsseEnvelope", "signatures", 0, "sig"),
]


@given(st.sampled_from(PLACES), VALUES)
def test_a_bundle_with_any_value_anywhere_is_read_or_refused(path, value):
    with suppress(MalformedError):
        parse(spoiled(*path, to=value))


def test_the_payload_that_is_shown_is_the_one_that_is_signed():
    for path in strangers("valid").values():
        inner = json.loads(path.read_bytes())["dsseEnvelope"]
        bundle = SigstoreBundle.parse(path.read_bytes())
        assert bundle.envelope.payload == b64decode(inner["payload"])
        assert bundle.envelope.payload_type == inner["payloadType"]
