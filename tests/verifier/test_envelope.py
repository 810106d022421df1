"""An envelope shows which keys made it over these bytes of this type, and no more."""

import json
from base64 import b64encode, urlsafe_b64encode
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from tests.spoiling import DROP, replaced
from tests.testlog import Signer, signer
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.keys import Algorithm, PublicKey
from verifier.statement.envelope import (
    MAX_SIGNATURES,
    MAX_TRIALS,
    MAX_TYPE,
    Envelope,
    EnvelopeSignature,
    pae,
    parse_bytes,
    signers_of,
)

TYPE = "application/vnd.example+json"
PAYLOAD = b'{"what": "I say so"}'
ALICE, BOB, CAROL = (signer(name) for name in ("alice", "bob", "carol"))
QUANTUM = signer("quantum", 0x06)
CURVE = ec.derive_private_key(7, ec.SECP256R1())

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ENVELOPES = st.builds(
    Envelope,
    payload=st.binary(max_size=60),
    payload_type=TEXT.filter(bool),
    signatures=st.lists(
        st.builds(EnvelopeSignature, keyid=TEXT, signature=st.binary(max_size=70)),
        min_size=1,
        max_size=4,
    ).map(tuple),
)


def key_of(who: Signer) -> PublicKey:
    kind = Algorithm.ML_DSA_44 if who.type == 0x06 else Algorithm.ED25519
    return PublicKey(kind, who.public)


def signed(*who: Signer, payload: bytes = PAYLOAD, keyid: str = "") -> Envelope:
    """An envelope that all of `who` have signed."""
    message = pae(TYPE, payload)
    return Envelope(
        payload=payload,
        payload_type=TYPE,
        signatures=tuple(
            EnvelopeSignature(keyid=keyid, signature=each.sign(message)) for each in who
        ),
    )


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def curve_key(algorithm: Algorithm) -> PublicKey:
    return PublicKey(algorithm, spki(CURVE.public_key()))


def by_curve(*, raw: bool) -> Envelope:
    """An envelope that the P-256 key has signed, in DER or as r and s."""
    message = pae(TYPE, PAYLOAD)
    signature = CURVE.sign(message, ec.ECDSA(hashes.SHA256()))
    if raw:
        r, s = utils.decode_dss_signature(signature)
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return Envelope(
        payload=PAYLOAD,
        payload_type=TYPE,
        signatures=(EnvelopeSignature(signature=signature),),
    )


def document() -> Any:
    return json.loads(signed(ALICE, BOB, keyid="one of us").encode())


def spoiled(*path: str | int, to: object) -> bytes:
    """The true envelope as JSON, with the value at `path` replaced or dropped."""
    return json.dumps(replaced(document(), *path, to=to)).encode()


# What is signed


def test_the_bytes_that_are_signed_are_those_of_the_published_vector():
    vector = json.loads((foreign.folder("dsse") / "vector.json").read_text())
    payload = vector["payload_ascii"].encode()
    assert pae(vector["payload_type"], payload) == vector["pae"].encode()
    envelope = Envelope.parse(json.dumps(vector["envelope"]).encode())
    assert (envelope.payload, envelope.payload_type) == (
        payload,
        vector["payload_type"],
    )


@pytest.mark.parametrize("kind", [Algorithm.ECDSA_P256, Algorithm.ECDSA_P256_RAW])
def test_the_key_of_the_published_vector_has_signed_it(kind):
    vector = json.loads((foreign.folder("dsse") / "vector.json").read_text())
    x, y = int(vector["key"]["x"]), int(vector["key"]["y"])
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    envelope = Envelope.parse(json.dumps(vector["envelope"]).encode())
    public = PublicKey(kind, spki(key))
    assert signers_of(envelope, [key_of(ALICE), public]) == [public]


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        ("", b"", b"DSSEv1 0  0 "),
        ("t", b"", b"DSSEv1 1 t 0 "),
        ("ä", "ö€".encode(), b"DSSEv1 2 \xc3\xa4 5 \xc3\xb6\xe2\x82\xac"),
        ("t 1 x", b"\0\n", b"DSSEv1 5 t 1 x 2 \0\n"),
        ("t" * 10, bytes(100), b"DSSEv1 10 " + b"t" * 10 + b" 100 " + bytes(100)),
    ],
)
def test_the_lengths_are_those_of_bytes_in_decimal(kind, payload, expected):
    assert pae(kind, payload) == expected


@given(TEXT, st.binary(max_size=20), TEXT, st.binary(max_size=20))
def test_no_two_payloads_or_types_are_signed_by_the_same_bytes(one, a, other, b):
    assert (pae(one, a) == pae(other, b)) == ((one, a) == (other, b))


@given(
    st.text("ä1 ", max_size=4), st.text("ä1 ", max_size=4), st.text("ä1 ", min_size=1)
)
def test_what_moves_between_type_and_payload_is_noticed(kind, payload, moved):
    left = pae(kind + moved, payload.encode())
    assert left != pae(kind, (moved + payload).encode())
    assert left != pae(kind, (moved + " " + payload).encode())


# Reading and writing


@given(ENVELOPES)
def test_an_envelope_is_read_as_it_is_written(envelope):
    data = envelope.encode()
    assert Envelope.parse(data) == envelope
    assert Envelope.parse(data).encode() == data
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1


def test_it_is_written_in_the_order_of_the_specification_and_without_empty_hints():
    one = replace(signed(ALICE), signatures=(EnvelopeSignature(signature=b"\xfb\xff"),))
    assert one.encode() == (
        b'{"payload":"%s","payloadType":"%s","signatures":[{"sig":"+/8="}]}\n'
        % (b64encode(PAYLOAD), TYPE.encode())
    )
    two = replace(one, signatures=(EnvelopeSignature(keyid="ü", signature=b""),))
    assert two.encode().endswith('[{"keyid":"ü","sig":""}]}\n'.encode())


def test_what_nobody_knows_is_passed_over():
    more = document() | {"version": None, "x": 1.5}
    more["signatures"][0]["cert"] = {"pem": []}
    assert Envelope.parse(json.dumps(more).encode()) == Envelope.parse(
        json.dumps(document()).encode()
    )


@pytest.mark.parametrize("unset", [DROP, None, ""])
def test_a_hint_may_be_unset_in_any_way(unset):
    envelope = Envelope.parse(spoiled("signatures", 0, "keyid", to=unset))
    assert [each.keyid for each in envelope.signatures] == ["", "one of us"]


def test_an_envelope_inside_another_document_is_the_same():
    assert Envelope.of(document()) == signed(ALICE, BOB, keyid="one of us")


def test_an_empty_payload_and_an_empty_signature_are_set():
    envelope = Envelope.parse(spoiled("payload", to=""))
    assert envelope.payload == b""
    empty = Envelope.parse(spoiled("signatures", 0, "sig", to=""))
    assert signers_of(empty, [key_of(ALICE), key_of(BOB)]) == [key_of(BOB)]


@pytest.mark.parametrize(
    ("path", "to", "named"),
    [
        (["payload"], DROP, '"payload" that is text'),
        (["payload"], None, '"payload" that is text'),
        (["payload"], 1, '"payload" that is text'),
        (["payload"], 1.5, '"payload" that is text'),
        (["payload"], "!", "the envelope's payload is not base64"),
        (["payloadType"], DROP, '"payloadType" that is text'),
        (["payloadType"], [], '"payloadType" that is text'),
        (["payloadType"], "", "payloadType has 1 to 1024 characters"),
        (["payloadType"], "t" * (MAX_TYPE + 1), "1 to 1024 characters"),
        (["signatures"], DROP, '"signatures" that is a list'),
        (["signatures"], {}, '"signatures" that is a list'),
        (["signatures"], [], "1 to 64 signatures; this has 0"),
        (["signatures", 0], None, "a signature of the envelope is not an object"),
        (["signatures", 0], "c2ln", "a signature of the envelope is not an object"),
        (["signatures", 0, "sig"], DROP, '"sig" that is text'),
        (["signatures", 0, "sig"], None, '"sig" that is text'),
        (["signatures", 0, "sig"], "A", "a signature of the envelope is not base64"),
        (["signatures", 0, "keyid"], 1, '"keyid" that is not text'),
        (["signatures", 0, "keyid"], {}, '"keyid" that is not text'),
    ],
    ids=lambda each: "dropped" if each is DROP else str(each)[:40],
)
def test_an_envelope_of_another_form_is_refused(path, to, named):
    with pytest.raises(MalformedError, match=named):
        Envelope.parse(spoiled(*path, to=to))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b'{"payload":', b"\xd2\x84"])
def test_what_is_no_json_object_is_no_envelope(data):
    with pytest.raises(MalformedError, match="the envelope is not"):
        Envelope.parse(data)


def test_a_payload_stands_once():
    twice = signed(ALICE).encode().replace(b"{", b'{"payload": "",', 1)
    with pytest.raises(MalformedError, match="twice"):
        Envelope.parse(twice)


def test_64_signatures_are_read_and_counted_before_they_are():
    envelope = signed(*[ALICE] * MAX_SIGNATURES)
    assert Envelope.parse(envelope.encode()) == envelope
    with pytest.raises(MalformedError, match="1 to 64 signatures; this has 65"):
        Envelope.parse(spoiled("signatures", to=[None] * (MAX_SIGNATURES + 1)))
    with pytest.raises(MalformedError, match="1 to 64 signatures; this has 0"):
        replace(envelope, signatures=()).encode()


def test_an_envelope_is_no_larger_than_what_a_log_holds():
    bare = signed(ALICE, keyid="k")
    rest = MAX_BODY_BYTES - len(bare.encode())
    fits = signed(ALICE, keyid="k" * (rest + 1))
    assert len(fits.encode()) == MAX_BODY_BYTES == 65_000
    assert Envelope.parse(fits.encode()) == fits
    with pytest.raises(MalformedError, match="put the digest of what makes it larger"):
        signed(ALICE, keyid="k" * (rest + 2)).encode()
    with pytest.raises(MalformedError, match="at most 65000 are read"):
        Envelope.parse(b"{" + b" " * MAX_BODY_BYTES)


@pytest.mark.parametrize("kind", ["t", "t" * MAX_TYPE], ids=len)
def test_the_shortest_and_the_longest_type_are_types(kind):
    assert Envelope.parse(spoiled("payloadType", to=kind)).payload_type == kind


@given(st.binary(max_size=200))
def test_whatever_it_is_fed_a_reader_refuses_in_our_words(data):
    with suppress(MalformedError):
        Envelope.parse(data)


@given(st.data())
def test_an_envelope_with_any_byte_replaced_is_read_or_refused(data):
    whole = bytearray(signed(ALICE).encode())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):
        Envelope.parse(bytes(whole))


# Base64


@given(st.binary(max_size=40))
def test_both_alphabets_are_read_with_padding_or_without(data):
    for encode in (b64encode, urlsafe_b64encode):
        text = encode(data).decode()
        assert parse_bytes(text, "it") == parse_bytes(text.rstrip("="), "it") == data


@given(st.text("AQg=+/-_", max_size=9))
def test_no_bits_are_thrown_away_and_nothing_is_passed_over(text):
    with suppress(MalformedError):
        found = parse_bytes(text, "it")
        written = b64encode(found).decode()
        safe = urlsafe_b64encode(found).decode()
        assert text in {written, safe, written.rstrip("="), safe.rstrip("=")}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "A",
            "AAAAA",
            "AB==",
            "AB",
            "AAB=",
            "AAB",
            "=",
            "==",
            "AA=",
            "AAA==",
            "AAAA=",
        ),
        *("AAAA====", "A===", "AA==AA==", "+_8=", "-/8=", " AAAA", "AAAA\n", "AA\nAA"),
        *("AA AA", "ÄAAA", "AA=A", "٣٣٣٣"),
    ],
)
def test_another_spelling_of_base64_is_refused(text):
    with pytest.raises(MalformedError, match="it is"):
        parse_bytes(text, "it")


# Who has signed


@pytest.mark.parametrize("who", [ALICE, QUANTUM], ids=["ed25519", "ml-dsa-44"])
def test_the_key_that_signed_is_found_among_others(who):
    keys = [key_of(BOB), key_of(who), key_of(CAROL)]
    assert signers_of(signed(who), keys) == [key_of(who)]


def test_all_that_signed_are_found_in_the_order_of_the_keys():
    envelope = signed(ALICE, QUANTUM, BOB)
    keys = [key_of(each) for each in (BOB, CAROL, QUANTUM, ALICE)]
    assert signers_of(envelope, keys) == [keys[0], keys[2], keys[3]]
    assert signers_of(envelope, iter(keys)) == [keys[0], keys[2], keys[3]]


def test_nobody_is_found_without_keys_or_without_their_signatures():
    assert signers_of(signed(ALICE), []) == []
    assert signers_of(signed(ALICE), [key_of(BOB)]) == []


@pytest.mark.parametrize("raw", [False, True], ids=["der", "r and s"])
@pytest.mark.parametrize("kind", [Algorithm.ECDSA_P256, Algorithm.ECDSA_P256_RAW])
def test_a_p256_signature_counts_however_it_is_written_and_the_key_is_known(raw, kind):
    key = curve_key(kind)
    found = signers_of(by_curve(raw=raw), [key_of(ALICE), key])
    assert found == [key]


def test_a_signature_of_r_and_s_that_looks_like_der_counts():
    # One in 256 begins with the byte 0x30, as all DER does.
    for number in range(10_000):
        payload = b"%d" % number
        signature = CURVE.sign(pae(TYPE, payload), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(signature)
        if r >> 248 == 0x30:
            break
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert raw[0] == 0x30
    envelope = Envelope(
        payload=payload,
        payload_type=TYPE,
        signatures=(EnvelopeSignature(signature=raw),),
    )
    key = curve_key(Algorithm.ECDSA_P256)
    assert signers_of(envelope, [key]) == [key]


# Attacks


def test_a_key_that_signs_thrice_is_one_signer():
    message = pae(TYPE, PAYLOAD)
    # Two of P-256 differ each time, in bytes and in how they are written.
    signatures = [
        *by_curve(raw=False).signatures,
        *by_curve(raw=False).signatures,
        *by_curve(raw=True).signatures,
        *[EnvelopeSignature(keyid=n, signature=ALICE.sign(message)) for n in "abc"],
    ]
    envelope = replace(signed(ALICE), signatures=tuple(signatures))
    keys = [key_of(ALICE), curve_key(Algorithm.ECDSA_P256), key_of(BOB)]
    assert signers_of(envelope, keys) == keys[:2]


def test_a_key_that_is_given_twice_is_one_signer():
    assert signers_of(signed(ALICE), [key_of(ALICE), key_of(ALICE)]) == [key_of(ALICE)]


def test_a_key_that_is_known_for_both_ways_to_write_a_signature_is_one_signer():
    both = replace(
        by_curve(raw=False),
        signatures=by_curve(raw=False).signatures + by_curve(raw=True).signatures,
    )
    keys = [curve_key(Algorithm.ECDSA_P256_RAW), curve_key(Algorithm.ECDSA_P256)]
    assert signers_of(both, keys) == keys[:1]


@pytest.mark.parametrize("keyid", ["bob", ALICE.public.hex(), "\u202e", "a" * 1_000])
def test_a_hint_neither_makes_a_signer_nor_hides_one(keyid):
    envelope = signed(ALICE, keyid=keyid)
    assert signers_of(envelope, [key_of(BOB), key_of(ALICE)]) == [key_of(ALICE)]
    assert signers_of(envelope, [key_of(BOB)]) == []


def test_two_signers_with_the_same_hint_are_two():
    keys = [key_of(ALICE), key_of(BOB)]
    assert signers_of(signed(ALICE, BOB, keyid="same"), keys) == keys


@pytest.mark.parametrize("kind", [TYPE + " ", TYPE.upper(), TYPE[:-1], "text/plain"])
def test_a_payload_is_not_read_as_another_type_than_was_signed(kind):
    assert signers_of(replace(signed(ALICE), payload_type=kind), [key_of(ALICE)]) == []


def test_what_was_signed_otherwise_is_not_signed_as_an_envelope():
    for message in (PAYLOAD, TYPE.encode() + PAYLOAD, pae(TYPE, b64encode(PAYLOAD))):
        signature = EnvelopeSignature(signature=ALICE.sign(message))
        envelope = replace(signed(ALICE), signatures=(signature,))
        assert signers_of(envelope, [key_of(ALICE)]) == []


@pytest.mark.parametrize("bit", range(0, len(PAYLOAD) * 8, 7))
def test_one_flipped_bit_of_the_payload_is_noticed(bit):
    number = int.from_bytes(PAYLOAD, "big") ^ 1 << bit
    other = replace(signed(ALICE), payload=number.to_bytes(len(PAYLOAD), "big"))
    assert signers_of(other, [key_of(ALICE)]) == []


def test_signatures_of_strangers_neither_help_nor_hinder():
    crowd = [
        EnvelopeSignature(signature=bytes([n]) * size)
        for n, size in enumerate([0, 1, 63, 64, 65, 72, 2420])
    ]
    envelope = signed(CAROL, ALICE)
    envelope = replace(envelope, signatures=(*crowd, *envelope.signatures, *crowd))
    keys = [key_of(BOB), curve_key(Algorithm.ECDSA_P256), key_of(QUANTUM)]
    assert signers_of(envelope, [*keys, key_of(ALICE)]) == [key_of(ALICE)]


def test_a_crowd_of_signatures_is_not_tried_with_a_crowd_of_keys():
    keys = [key_of(signer(f"k{n}")) for n in range(MAX_TRIALS // MAX_SIGNATURES + 1)]
    crowd = tuple(
        EnvelopeSignature(signature=bytes([n]) * 64) for n in range(MAX_SIGNATURES)
    )
    envelope = replace(signed(ALICE), signatures=crowd)
    assert signers_of(envelope, keys[:-1]) == []
    with pytest.raises(MalformedError, match="64 signatures, to be tried with 17 keys"):
        signers_of(envelope, keys)
    # The same one 64 times, or the same key, is tried once.
    again = replace(envelope, signatures=signed(signer("k3")).signatures * 64)
    assert signers_of(again, keys) == [keys[3]]
    assert signers_of(envelope, [keys[0]] * 100) == []
