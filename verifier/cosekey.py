"""Public keys as COSE writes them, and the thumbprint that a COSE key id is.

RFC 9679: the SHA-256 of a COSE_Key that has the required members and no other, in
deterministic CBOR. For Ed25519 (OKP) and the curves of NIST (EC2) these say what
the curve is; for ML-DSA-44 (AKP, RFC 9964) the algorithm takes the curve's place.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from verifier import cbor
from verifier.keys import Algorithm, PublicKey

_KTY: Final = 1
_ALG: Final = 3
_OKP, _EC2, _AKP = 1, 2, 7
_ML_DSA_44: Final = -48
_ED25519: Final = 6
_CURVES: Final = {
    Algorithm.ECDSA_P256: (1, 32),
    Algorithm.ECDSA_P256_RAW: (1, 32),
    Algorithm.ECDSA_P384: (2, 48),
}
"""The number of a curve, and how many bytes a coordinate has."""


def cose_key(key: PublicKey) -> bytes:
    """The COSE_Key with its required members, in deterministic CBOR."""
    if key.algorithm is Algorithm.ED25519:
        return cbor.encode({_KTY: _OKP, -1: _ED25519, -2: key.raw})
    if key.algorithm is Algorithm.ML_DSA_44:
        return cbor.encode({_KTY: _AKP, _ALG: _ML_DSA_44, -1: key.raw})
    curve, size = _CURVES[key.algorithm]
    # The DER ends in an uncompressed point: in its canonical form there is no other.
    x, y = key.raw[-2 * size : -size], key.raw[-size:]
    return cbor.encode({_KTY: _EC2, -1: curve, -2: x, -3: y})


def thumbprint(key: PublicKey) -> bytes:
    """The SHA-256 of `cose_key`, which is the kid of what the key has signed."""
    return sha256(cose_key(key)).digest()
