"""Keys of each kind that sign statements, and their secrets for whoever checks."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from ledger.keys.producerkey import ProducerKey
from tests.authority import ed25519_key, ml_dsa_key, p256_key


def pem(
    key: Any, form: PrivateFormat = PrivateFormat.PKCS8, secret: bytes | None = None
) -> str:
    """The key as a file has it, encrypted with `secret` if there is one."""
    how = BestAvailableEncryption(secret) if secret else NoEncryption()
    data: bytes = key.private_bytes(Encoding.PEM, form, how)
    return data.decode()


SECRETS = {
    "Ed25519": ed25519_key(7),
    "P-256": p256_key(2**200),
    "ML-DSA-44": ml_dsa_key(7),
}
MAKERS = {name: ProducerKey.parse(pem(key)) for name, key in SECRETS.items()}
ED25519, P256, ML_DSA = MAKERS.values()
