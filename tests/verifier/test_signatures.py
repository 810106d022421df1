"""A signature counts if the key made it, by one rule, whichever library is generous.

The judges are Wycheproof and the Ed25519 edge cases of C2SP/CCTV. ECDSA keys are
here, too: a verifier that reads many spellings of a key takes many keys for one.
"""

import json
from collections import Counter
from itertools import product

import nacl.bindings
import nacl.exceptions
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.foreign import folder
from tests.testlog import signer
from verifier.errors import MalformedError, SignatureError
from verifier.keys import Algorithm, PublicKey, verify_signature


def tlv(tag: int, value: bytes) -> bytes:
    long = b"\x82" + len(value).to_bytes(2, "big")
    return bytes([tag]) + (long if len(value) > 127 else long[2:]) + value


def spki(point: bytes, algorithm: bytes | None = None) -> bytes:
    """A SubjectPublicKeyInfo; of id-ecPublicKey on P-256, unless told otherwise."""
    usual = tlv(0x06, EC_PUBLIC_KEY) + tlv(0x06, PRIME256V1)
    header = tlv(0x30, usual if algorithm is None else algorithm)
    return tlv(0x30, header + tlv(0x03, b"\x00" + point))


EC_PUBLIC_KEY = bytes.fromhex("2a8648ce3d0201")
PRIME256V1 = bytes.fromhex("2a8648ce3d030107")
P256 = ec.derive_private_key(7, ec.SECP256R1()).public_key()
POINT = P256.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
COMPRESSED = P256.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
DER = P256.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def explicit_parameters() -> bytes:
    """P-256 spelled out by its numbers, as CVE-2020-0601 liked it."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    one = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    generator = one.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def integer(value: int) -> bytes:
        return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))

    field = tlv(0x06, bytes.fromhex("2a8648ce3d0101")) + integer(prime)
    curve = tlv(0x04, (prime - 3).to_bytes(32, "big"))
    curve += tlv(0x04, b.to_bytes(32, "big"))
    numbers = integer(1) + tlv(0x30, field) + tlv(0x30, curve)
    numbers += tlv(0x04, generator) + integer(order) + integer(1)
    return tlv(0x06, EC_PUBLIC_KEY) + tlv(0x30, numbers)


def other_curve(curve: ec.EllipticCurve) -> bytes:
    key = ec.derive_private_key(7, curve).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def wycheproof(file: str):
    data = json.loads((folder("wycheproof") / f"{file}_test.json").read_text())
    for group in data["testGroups"]:
        for case in group["tests"]:
            yield group, case


def holds(algorithm: Algorithm, key: str, message: bytes, signature: str) -> bool:
    try:
        public_key = PublicKey(algorithm, bytes.fromhex(key))
        verify_signature(public_key, message, bytes.fromhex(signature))
    except (MalformedError, SignatureError):
        return False
    return True


def judge(algorithm, file, key_of):
    """How often we and Wycheproof said what, and where we did not agree."""
    answers, disputed = Counter(), []
    for group, case in wycheproof(file):
        message = bytes.fromhex(case["msg"])
        ours = holds(algorithm, key_of(group), message, case["sig"])
        answers[ours] += 1
        if ours != (case["result"] == "valid"):
            disputed.append(case["tcId"])
    return answers, disputed


def test_ed25519_agrees_with_wycheproof():
    judged = judge(Algorithm.ED25519, "ed25519", lambda group: group["publicKey"]["pk"])
    assert judged == ({True: 88, False: 63}, [])


@pytest.mark.parametrize(
    ("algorithm", "file", "valid", "invalid"),
    [
        (Algorithm.ECDSA_P256, "ecdsa_secp256r1_sha256", 174, 310),
        (Algorithm.ECDSA_P256_RAW, "ecdsa_secp256r1_sha256_p1363", 173, 89),
    ],
)
def test_ecdsa_agrees_with_wycheproof(algorithm, file, valid, invalid):
    judged = judge(algorithm, file, lambda group: group["publicKeyDer"])
    assert judged == ({True: valid, False: invalid}, [])


def test_ml_dsa_agrees_with_wycheproof_where_the_context_is_empty_as_ours_is():
    # A signature made for a context was not made for us, however valid it is there.
    judged = judge(Algorithm.ML_DSA_44, "mldsa_44_verify", lambda g: g["publicKey"])
    other_contexts = [
        case["tcId"]
        for _, case in wycheproof("mldsa_44_verify")
        if case.get("ctx") and case["result"] == "valid"
    ]
    assert len(other_contexts) > 0
    assert judged == (
        {True: 77 - len(other_contexts), False: 103 + len(other_contexts)},
        other_contexts,
    )


CCTV_FLAWS = {"low_order_A", "low_order_R", "low_order_residue"}
CCTV_FLAWS |= {"non_canonical_A", "non_canonical_R", "reencoded_k"}


def libsodium_holds(key: str, message: bytes, signature: str) -> bool:
    signed = bytes.fromhex(signature) + message
    try:
        nacl.bindings.crypto_sign_open(signed, bytes.fromhex(key))
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def test_of_the_914_edge_cases_of_ed25519_the_43_of_libsodium_hold():
    data = json.loads((folder("c2sp-cctv") / "ed25519vectors.json").read_text())
    held = 0
    for case in data:
        signed = case["key"], case["msg"].encode(), case["sig"]
        ours = holds(Algorithm.ED25519, *signed)
        # Mixed order is no flaw; anything of small order, or spelled oddly, is.
        assert ours == CCTV_FLAWS.isdisjoint(case["flags"] or []), case["number"]
        assert ours == libsodium_holds(*signed), case["number"]
        held += ours
    assert (len(data), held) == (914, 43)


def signed(algorithm: Algorithm) -> tuple[PublicKey, bytes, bytes]:
    """A key, a message, and a signature that verifies."""
    message = b"a message"
    if algorithm in (Algorithm.ED25519, Algorithm.ML_DSA_44):
        owner = signer("owner", 0x01 if algorithm is Algorithm.ED25519 else 0x06)
        return PublicKey(algorithm, owner.public), message, owner.sign(message)
    if algorithm is Algorithm.ECDSA_P384:
        large = ec.derive_private_key(7, ec.SECP384R1())
        der = large.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        signature = large.sign(message, ec.ECDSA(hashes.SHA384()))
        return PublicKey(algorithm, der), message, signature
    key = ec.derive_private_key(7, ec.SECP256R1())
    signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
    if algorithm is Algorithm.ECDSA_P256_RAW:
        r, s = decode_dss_signature(signature)
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return PublicKey(algorithm, DER), message, signature


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_signature_holds_for_its_key_and_message_only(algorithm):
    key, message, signature = signed(algorithm)
    verify_signature(key, message, signature)
    for spoiled in (b"", message[:-1], message + b"\0", signature):
        with pytest.raises(SignatureError, match=f"the {algorithm} signature"):
            verify_signature(key, spoiled, signature)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_signature_of_another_length_does_not_hold(algorithm):
    key, message, signature = signed(algorithm)
    for spoiled in (b"", signature[:-1], signature + b"\0", signature + signature):
        with pytest.raises(SignatureError):
            verify_signature(key, message, spoiled)


def test_nothing_moves_between_an_ed25519_signature_and_its_message():
    # libsodium takes the two as one string, and does not see where they meet.
    key, message, signature = signed(Algorithm.ED25519)
    for at in (63, 65):
        whole = signature + message
        with pytest.raises(SignatureError):
            verify_signature(key, whole[at:], whole[:at])


def test_the_key_says_how_a_signature_is_spelled():
    der, message, der_signature = signed(Algorithm.ECDSA_P256)
    raw, _, raw_signature = signed(Algorithm.ECDSA_P256_RAW)
    for key, signature in ((der, raw_signature), (raw, der_signature)):
        with pytest.raises(SignatureError):
            verify_signature(key, message, signature)


@pytest.mark.parametrize("r", [0, 1])
def test_an_ecdsa_signature_of_zeros_does_not_hold(r):
    key, message, _ = signed(Algorithm.ECDSA_P256_RAW)
    with pytest.raises(SignatureError):
        verify_signature(key, message, bytes([*bytes(31), r, *bytes(32)]))


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_P256, Algorithm.ECDSA_P256_RAW])
def test_a_p_256_key_is_the_der_of_an_uncompressed_point(algorithm):
    assert spki(POINT) == DER
    assert PublicKey(algorithm, DER).raw == DER


NOT_P256 = {
    "nothing": b"",
    "compressed": spki(COMPRESSED),
    "hybrid": spki(bytes([6 + (POINT[-1] & 1)]) + POINT[1:]),
    "infinity": spki(b"\x00"),
    "off the curve": spki(POINT[:-1] + bytes([POINT[-1] ^ 1])),
    "short point": spki(POINT[:-1]),
    "trailing byte": DER + b"\x00",
    "trailing byte inside": tlv(0x30, DER[2:] + b"\x00"),
    "cut": DER[:-1],
    "BER: long length": b"\x30\x81" + DER[1:],
    "BER: indefinite length": b"\x30\x80" + DER[2:] + b"\x00\x00",
    "unused bits": DER.replace(b"\x03\x42\x00", b"\x03\x42\x01"),
    "no curve": spki(POINT, tlv(0x06, EC_PUBLIC_KEY) + tlv(0x05, b"")),
    "curve by its numbers": spki(POINT, explicit_parameters()),
    "bare point": POINT,
    "secp256k1": other_curve(ec.SECP256K1()),
    "P-384": other_curve(ec.SECP384R1()),
    "P-521": other_curve(ec.SECP521R1()),
    "brainpool": other_curve(ec.BrainpoolP256R1()),
    "Ed25519": bytes.fromhex("302a300506032b6570032100") + signer("somebody").public,
}


@pytest.mark.parametrize("name", NOT_P256)
def test_no_other_spelling_or_curve_is_a_p_256_key(name):
    assert NOT_P256[name] != DER
    with pytest.raises(MalformedError, match="P-256"):
        PublicKey(Algorithm.ECDSA_P256, NOT_P256[name])


def test_no_single_bit_of_a_p_256_key_can_be_changed_without_notice():
    # Every bit counts: what is still read is another key, in its one spelling.
    for at, bit in product(range(len(DER)), range(8)):
        spoiled = bytes([*DER[:at], DER[at] ^ 1 << bit, *DER[at + 1 :]])
        try:
            key = PublicKey(Algorithm.ECDSA_P256, spoiled)
        except MalformedError:
            continue
        pytest.fail(f"bit {bit} of byte {at}: {key.raw.hex()}")
