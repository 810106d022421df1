"""A thumbprint is of the key alone, and is the one that everybody else computes."""

import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.authority import ed25519_key, p256_key, p384_key
from tests.foreign import folder
from verifier import cbor
from verifier.cosekey import cose_key, thumbprint
from verifier.keys import Algorithm, PublicKey

ED25519 = PublicKey(Algorithm.ED25519, ed25519_key().public_key().public_bytes_raw())


def der(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "algorithm", [Algorithm.ECDSA_P256, Algorithm.ECDSA_P256_RAW], ids=str
)
def test_the_example_of_rfc_9679_has_the_thumbprint_that_is_printed_there(algorithm):
    x = "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
    y = "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"
    numbers = ec.EllipticCurvePublicNumbers(int(x, 16), int(y, 16), ec.SECP256R1())
    key = PublicKey(algorithm, der(numbers.public_key()))
    assert cose_key(key).hex() == f"a401022001215820{x}225820{y}"
    assert thumbprint(key).hex() == (
        "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"
    )


def test_the_example_of_rfc_9964_has_its_thumbprint_for_a_key_id():
    path = folder("cose-wg-examples") / "ml-dsa" / "ML_DSA_44.cose.json"
    shown = json.loads(path.read_text())
    raw = bytes.fromhex(shown["raw_public_key"])
    key = PublicKey(Algorithm.ML_DSA_44, raw)
    assert thumbprint(key).hex() in shown["key_diag"].split("\n")[0][:80]


def test_an_ed25519_key_is_its_type_its_curve_and_its_bytes():
    assert cbor.decode(cose_key(ED25519)) == {1: 1, -1: 6, -2: ED25519.raw}
    assert thumbprint(ED25519) == sha256(cose_key(ED25519)).digest()


def test_a_coordinate_keeps_its_leading_zeros():
    scalars = range(1, 2000)
    points = (p256_key(each).public_key() for each in scalars)
    point = next(each for each in points if each.public_numbers().x < 1 << 248)
    key = cbor.decode(cose_key(PublicKey(Algorithm.ECDSA_P256, der(point))))
    assert (len(key[-2]), key[-2][0]) == (32, 0)
    assert int.from_bytes(key[-3], "big") == point.public_numbers().y


def test_a_p_384_key_has_the_number_of_its_curve():
    public = p384_key().public_key()
    key = cbor.decode(cose_key(PublicKey(Algorithm.ECDSA_P384, der(public))))
    numbers = public.public_numbers()
    assert key == {
        1: 2,
        -1: 2,
        -2: numbers.x.to_bytes(48, "big"),
        -3: numbers.y.to_bytes(48, "big"),
    }
