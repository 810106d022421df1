"""Public keys, and the project's only verify_signature.

The algorithm is a property of the key that somebody pinned, never of the
message. Ed25519 is libsodium's stricter rule everywhere: libraries disagree on
165 of the 914 edge cases of C2SP/CCTV, and a signature that admission takes and
an auditor refuses would be a weapon. Keys of small order and keys that are not
in their one canonical form are refused when they are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final, Self

import nacl.bindings
import nacl.exceptions
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, utils

from verifier.errors import MalformedError, SignatureError
from verifier.spelling import base64_text, parse_base64

# The white space of Unicode, as Go's note package sees it. str.isspace() adds
# the separators U+001C to U+001F, which no note may contain anyway.
_SPACES: Final = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(map(chr, range(0x2000, 0x200B)))
)


class Algorithm(StrEnum):
    """What a key can verify."""

    ED25519 = "ed25519"
    ML_DSA_44 = "ml-dsa-44"
    ECDSA_P256 = "ecdsa-p256"  # an ASN.1 DER signature, as in signed notes
    ECDSA_P256_RAW = "ecdsa-p256-raw"  # r and s, 32 bytes each, as in COSE
    ECDSA_P384 = "ecdsa-p384"  # DER over SHA-384, as model signatures have it


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that has been found fit for its algorithm.

    `raw` is 32 bytes for Ed25519, 1,312 for ML-DSA-44, and the DER of a
    SubjectPublicKeyInfo for P-256 and P-384.
    """

    algorithm: Algorithm
    raw: bytes

    def __post_init__(self) -> None:
        _CHECKS[self.algorithm](self.raw)


def verify_signature(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Return if `key` made `signature` over `message`."""
    try:
        _VERIFIERS[key.algorithm](key.raw, message, signature)
    except (InvalidSignature, nacl.exceptions.BadSignatureError, ValueError):
        raise SignatureError(f"the {key.algorithm} signature does not verify") from None


def _verify_ed25519(raw: bytes, message: bytes, signature: bytes) -> None:
    if len(signature) != 64:
        raise ValueError("an Ed25519 signature has 64 bytes")
    nacl.bindings.crypto_sign_open(signature + message, raw)


def _verify_ml_dsa_44(raw: bytes, message: bytes, signature: bytes) -> None:
    mldsa.MLDSA44PublicKey.from_public_bytes(raw).verify(signature, message)


def _verify_p256(raw: bytes, message: bytes, signature: bytes) -> None:
    _ecdsa(raw, "secp256r1").verify(signature, message, ec.ECDSA(hashes.SHA256()))


def _verify_p384(raw: bytes, message: bytes, signature: bytes) -> None:
    _ecdsa(raw, "secp384r1").verify(signature, message, ec.ECDSA(hashes.SHA384()))


def _verify_p256_raw(raw: bytes, message: bytes, signature: bytes) -> None:
    if len(signature) != 64:
        raise ValueError("r and s have 32 bytes each")
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    _verify_p256(raw, message, utils.encode_dss_signature(r, s))


@lru_cache(maxsize=1_024)
def _ecdsa(der: bytes, curve: str) -> ec.EllipticCurvePublicKey:
    key = serialization.load_der_public_key(der)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == curve:
        return key
    raise ValueError(f"not a key on {curve}")


_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


def _check_ed25519(raw: bytes) -> None:
    if len(raw) != 32:
        raise MalformedError(f"an Ed25519 key has 32 bytes, not {len(raw)}")
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _P:
        raise MalformedError("an Ed25519 key that is not in its canonical form")
    # RFC 8032, section 5.1.3: x² = (y² − 1) / (d y² + 1) has to be a square.
    x2 = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if x2 and pow(x2, (_P - 1) // 2, _P) != 1:
        raise MalformedError("an Ed25519 key that is not a point of the curve")
    # Eight times a point of small order is the neutral element (0, 1).
    for _ in range(3):
        x2, y = _double(x2, y)
    if (x2, y) == (0, 1):
        raise MalformedError(
            "an Ed25519 key of small order, for which anybody can sign"
        )


def _double(x2: int, y: int) -> tuple[int, int]:
    """Twice a point, of which x squared is enough to know: x' = 2xy / (y² − x²)."""
    difference = (y * y - x2) % _P
    return (
        4 * x2 * y * y * pow(difference, -2, _P) % _P,
        (y * y + x2) * pow(2 - difference, -1, _P) % _P,
    )


def _check_ml_dsa_44(raw: bytes) -> None:
    if len(raw) != 1312:
        raise MalformedError(f"an ML-DSA-44 key has 1312 bytes, not {len(raw)}")


def _check_p256(raw: bytes) -> None:
    _check_ecdsa(raw, "secp256r1", "P-256")


def _check_p384(raw: bytes) -> None:
    _check_ecdsa(raw, "secp384r1", "P-384")


def _check_ecdsa(raw: bytes, curve: str, name: str) -> None:
    try:
        canonical = _ecdsa(raw, curve).public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except Exception:  # noqa: BLE001 - OpenSSL's reader raises whatever it meets
        raise MalformedError(f"not the DER of a {name} public key") from None
    if canonical != raw:
        raise MalformedError(f"a {name} key that is not in its canonical form")


_CHECKS: Final = {
    Algorithm.ED25519: _check_ed25519,
    Algorithm.ML_DSA_44: _check_ml_dsa_44,
    Algorithm.ECDSA_P256: _check_p256,
    Algorithm.ECDSA_P256_RAW: _check_p256,
    Algorithm.ECDSA_P384: _check_p384,
}


_VERIFIERS: Final = {
    Algorithm.ED25519: _verify_ed25519,
    Algorithm.ML_DSA_44: _verify_ml_dsa_44,
    Algorithm.ECDSA_P256: _verify_p256,
    Algorithm.ECDSA_P256_RAW: _verify_p256_raw,
    Algorithm.ECDSA_P384: _verify_p384,
}


class KeyType(Enum):
    """The signature types of c2sp.org/signed-note that this project verifies."""

    ED25519 = 0x01
    ECDSA = 0x02
    COSIGNATURE = 0x04
    ML_DSA_COSIGNATURE = 0x06


_ALGORITHMS: Final = {
    KeyType.ED25519: Algorithm.ED25519,
    KeyType.ECDSA: Algorithm.ECDSA_P256,
    KeyType.COSIGNATURE: Algorithm.ED25519,
    KeyType.ML_DSA_COSIGNATURE: Algorithm.ML_DSA_44,
}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named key, as c2sp.org/signed-note writes it ("vkey").

    It looks like this: name, key id in hex, and base64 of type and key.

        example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k

    The base64 may itself contain "+". The id is a short hint and proves
    nothing: it is recomputed here, and signatures are always checked with the key.
    """

    name: str
    type: KeyType
    public_key: PublicKey

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a vkey, or raise MalformedError naming what is wrong with it."""
        name, _, rest = text.partition("+")
        key_id, plus, encoded = rest.partition("+")
        if not plus or not re.fullmatch("[0-9a-f]{8}", key_id):
            raise MalformedError("a vkey is NAME+8 hex digits+BASE64")
        check_name(name)
        blob = parse_base64(encoded, "the key of a vkey")
        try:
            kind = KeyType(blob[0] if blob else None)
        except ValueError:
            raise MalformedError(
                f"a vkey of type 0x{blob[:1].hex() or '??'}; "
                "known are 0x01, 0x02, 0x04 and 0x06"
            ) from None
        key = cls(name, kind, PublicKey(_ALGORITHMS[kind], blob[1:]))
        if key.id.hex() != key_id:
            raise MalformedError(
                f"the vkey says key id {key_id}, its key has {key.id.hex()}"
            )
        return key

    @property
    def id(self) -> bytes:
        """The first bytes of a hash: of name, type and key; for ECDSA of the key."""
        raw = self.public_key.raw
        if self.type is KeyType.ECDSA:
            return sha256(raw).digest()[:4]
        return sha256(
            self.name.encode() + b"\n" + bytes([self.type.value]) + raw
        ).digest()[:4]

    def text(self) -> str:
        """Write the vkey."""
        blob = bytes([self.type.value]) + self.public_key.raw
        return f"{self.name}+{self.id.hex()}+{base64_text(blob)}"


def check_name(name: str) -> None:
    """Return if `name` may name a key: not empty, no space, no plus."""
    if not name or any(each in _SPACES or each == "+" or each < " " for each in name):
        raise MalformedError(
            "a key name is empty, or has a space, a plus or a control character"
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise MalformedError("a key name is not valid Unicode") from None
