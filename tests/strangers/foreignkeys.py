"""Keys that other people's tools sign with, as those tools and as we want them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ledger.keys import registry
from verifier.keys import PublicKey
from verifier.pem import parse_keys
from verifier.producers.credential import Credential


@dataclass(frozen=True)
class ForeignKey:
    """A private key of cryptography's, and both halves as PEM."""

    private: Any

    @property
    def pem(self) -> bytes:
        form = PrivateFormat.PKCS8
        data: bytes = self.private.private_bytes(Encoding.PEM, form, NoEncryption())
        return data

    @property
    def public_pem(self) -> bytes:
        form = PublicFormat.SubjectPublicKeyInfo
        data: bytes = self.private.public_key().public_bytes(Encoding.PEM, form)
        return data

    @property
    def public(self) -> PublicKey:
        """The public half as our verifier reads it."""
        (key,) = keys_in(self.public_pem)
        return key


def keys_in(pem: bytes) -> list[PublicKey]:
    """The keys in a file, as our verifier reads them."""
    return [each for each in parse_keys(pem) if isinstance(each, PublicKey)]


def ed25519_key(number: int = 1) -> ForeignKey:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return ForeignKey(key)


def p256_key(number: int = 1) -> ForeignKey:
    return ForeignKey(ec.derive_private_key(number, ec.SECP256R1()))


def p384_key(number: int = 1) -> ForeignKey:
    return ForeignKey(ec.derive_private_key(number, ec.SECP384R1()))


def producer(name: str, *keys: ForeignKey, **more: Any) -> dict[str, Any]:
    """What a log enters when somebody with these keys is added."""
    return registry.add(name, [Credential.of_key(each.public) for each in keys], **more)
