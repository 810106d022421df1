"""Small statements that are made to cost much: for parsers, and for a service."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.authority import ed25519_key, issue
from tests.reference import rfc8949
from tests.statements import IN_TOTO, Maker, envelope, in_toto, sign1, signed

STRANGER: Final = Maker(number=99)
KB: Final = 1 << 10
MB: Final = 1 << 20


def cose(protected: bytes = b"", unprotected: bytes = b"\xa0", rest: bytes = b"\x40"):
    """A COSE_Sign1 out of pieces of CBOR, with no payload and no signature."""
    head = rfc8949.head(rfc8949.BYTES, len(protected)) + protected
    return b"\xd2\x84" + head + unprotected + rest + b"\x40"


def keys_of(numbers: list[int]) -> bytes:
    """A map of integers to nothing."""
    head = rfc8949.head(rfc8949.MAP, len(numbers))
    return head + b"".join(rfc8949.encode(each) + b"\0" for each in numbers)


@cache
def colliding(count: int) -> tuple[int, ...]:
    """Integers that begin their search for a place in a dict at the same one."""
    found = [
        (at << 44) + (2**61 - 1) * turn for turn in range(8) for at in range(count)
    ]
    return tuple(each for each in found if each < 2**64)[:count]


OF_COSE: Final = {
    "deep_lists": cose(unprotected=b"\xa1\x01" + b"\x81" * 100_000 + b"\0"),
    "deep_maps": cose(unprotected=b"\xa1\x01" * 100_000 + b"\0"),
    "deep_tags": cose(unprotected=b"\xa1\x01" + b"\xc6" * 100_000 + b"\0"),
    "deep_protected": cose(b"\xa1\x01" * 20_000 + b"\0"),
    "wide_lists": cose(unprotected=b"\xa1\x01\x9a\x00\x03\x00\x00" + b"\0" * 0x30000),
    "empty_maps": cose(unprotected=b"\xa1\x01\x9a\x00\x03\x00\x00" + b"\xa0" * 0x30000),
    "many_small_lists": cose(
        unprotected=b"\xa1\x01\x9a\x00\x01\x80\x00" + b"\x81\0" * 0x18000
    ),
    "colliding_keys": cose(unprotected=keys_of([*colliding(20_000)])),
    "colliding_protected": cose(keys_of([*colliding(6_000)])),
    "a_list_of_2_to_62": cose(unprotected=b"\xa1\x01\x9b\x40" + bytes(7)),
    "bytes_of_2_to_62": cose(unprotected=b"\xa1\x01\x5b\x40" + bytes(7)),
    "no_length": cose(unprotected=b"\xbf" + b"\x01\x02" * 50_000 + b"\xff"),
    "a_huge_number": cose(
        unprotected=b"\xa1\x01\xc2\x5a\x00\x02\x00\x00" + b"\xff" * (128 * KB)
    ),
    "a_cyclic_list": cose(unprotected=b"\xa1\x01\xd8\x1c\x81\xd8\x1d\x00"),
    "a_pattern": cose(unprotected=b"\xa1\x01\xd8\x23\x68(a+)+$!!"),
    "inside_the_claims": signed(
        b"\xa2\x01\x32\x0f" + b"\xa1\x01" * 20_000 + b"\0", b"", maker=STRANGER
    ),
}


def _with(**members: object) -> bytes:
    return json.dumps({**json.loads(envelope(b"x", STRANGER)), **members}).encode()


OF_JSON: Final = {
    "deep_lists": b"[" * (128 * KB),
    "deep_objects": b'{"a":' * (25 * KB),
    "deep_in_a_member": b'{"payload":' + b"[" * 100 + b"]" * 100 + b"}",
    "wide_lists": b'{"x":[' + b"[]," * 20_000 + b"[]]}",
    "many_members": b"{" + b",".join(b'"%d":0' % n for n in range(7_000)) + b"}",
    "the_same_member_twice": b'{"payload":"","payload":"","payloadType":"x"}',
    "a_number_of_60_000_digits": b'{"payload":' + b"9" * 60_000 + b"}",
    "a_fraction_of_60_000_digits": b'{"payload":0.' + b"9" * 60_000 + b"}",
    "an_exponent_beyond_all": b'{"payload":1e999999999}',
    "not_a_number": b'{"payload":NaN}',
    "half_a_character": b'{"payload":"\\ud800"}',
    "utf_16": '{"payload": 0}'.encode("utf-16"),
    "backslashes": b'{"payload":"' + b"\\" * 60_000 + b'"}',
    "an_open_text": b'{"payload":"' + b"[" * 60_000,
    "base64_of_nothing_but_padding": _with(payload="=" * 60_000),
    "base64_with_lines": _with(payload="QUJD\r\n" * 8_000),
    "base64_of_two_alphabets": _with(payload="-+" * 20_000),
    "base64_that_ends_in_between": _with(payload="A" * 40_001),
    "64_signatures_and_one_more": _with(signatures=[{"sig": "AA=="}] * 65),
    "signatures_that_are_none": _with(signatures=[[[[[]]]]]),
    "no_signatures": _with(signatures=[]),
    "a_type_of_60_000_characters": _with(payloadType="x" * 60_000),
    "a_megabyte": b'{"payload":"' + b"A" * MB + b'"}',
    "a_statement_of_many_subjects": envelope(
        in_toto(subject=[{"digest": {"sha1": "0" * 40}}] * 1_025)[:48_000],
        STRANGER,
        type_=IN_TOTO,
    ),
    "a_deep_statement": envelope(b'{"_type":' + b"[" * 40_000, STRANGER, type_=IN_TOTO),
    "a_bundle_of_many_certificates": json.dumps(
        {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "x509CertificateChain": {"certificates": [{"rawBytes": "AA=="}] * 1_000}
            },
            "dsseEnvelope": json.loads(envelope(b"x", STRANGER)),
        }
    ).encode(),
}


@cache
def fat_chain(count: int = 8) -> tuple[bytes, ...]:
    """Certificates with hundreds of names each; they lead nowhere."""
    names = [x509.DNSName(f"x{number}.example") for number in range(400)]
    top = issue("CN=nobody", ed25519_key(9), authority=True)
    return tuple(
        issue(f"CN=c{n}", ed25519_key(n + 20), top, authority=True, names=names).der
        for n in range(count)
    )


@cache
def huge_key(bits: int = 16_384) -> bytes:
    """A certificate for an RSA key that takes long to use."""
    numbers = rsa.RSAPublicNumbers((1 << 33) + 1, (1 << bits) - 1)
    top = issue("CN=nobody", ed25519_key(9), authority=True)
    return issue("CN=huge", numbers.public_key(), top).der


def der_junk() -> dict[str, bytes]:
    """What is no certificate, or hardly one."""
    good = fat_chain(8)[0]
    return {
        "nothing": b"",
        "zeros": bytes(16 * KB),
        "nested": b"\x30\x80" * 4_000,
        "a_length_of_2_to_31": b"\x30\x84\x7f\xff\xff\xff" + bytes(100),
        "cut_off": good[:-1],
        "longer": good + b"\0",
        "a_flipped_length": good[:1] + b"\x83" + good[2:],
        "too_large": bytes(64 * KB),
        "flipped_in_the_key": good.replace(
            b"\x06\x03\x2b\x65\x70", b"\x06\x03\x2b\xff\x70"
        ),
    }


def chained(*certificates: bytes) -> bytes:
    """A statement that carries certificates, signed by nobody who is known."""
    return sign1(maker=STRANGER, headers={33: [*certificates]}, issuer="x")


def many_signatures(count: int = 64) -> bytes:
    """An envelope with signatures of nobody, each another one."""
    listed = [
        {"sig": b64encode(STRANGER.sign(b"%d" % n)).decode()} for n in range(count)
    ]
    return _with(signatures=listed)
