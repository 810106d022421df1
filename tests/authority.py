"""Certificates of authorities that exist in tests alone, and those that they issue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding

FROM: Final = 1_790_000_000
TO: Final = 1_800_000_000
NOW: Final = 1_795_000_000

_USAGES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment"),
    *("data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"),
    *("encipher_only", "decipher_only"),
)


def ed25519_key(number: int = 1) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def p256_key(number: int = 1) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


def p384_key(number: int = 1) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP384R1())


def ml_dsa_key(number: int = 1) -> mldsa.MLDSA44PrivateKey:
    return mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes([number]) * 32)


def usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{each: each in allowed for each in _USAGES})


@dataclass(frozen=True)
class Issued:
    """A certificate, and the key that it is for."""

    certificate: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def issue(
    subject: str,
    key: Any,
    by: Issued | None = None,
    *,
    authority: bool = False,
    path_length: int | None = None,
    allowed: x509.KeyUsage | None = None,
    names: Sequence[x509.GeneralName] = (),
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    start: int = FROM,
    end: int = TO,
) -> Issued:
    """A certificate for `key`, issued by another one, or by itself."""
    issuer = by.certificate.subject if by else x509.Name.from_rfc4514_string(subject)
    signing = by.key if by else key
    public = key.public_key() if hasattr(key, "public_key") else key
    builder = (
        x509.CertificateBuilder(
            issuer, x509.Name.from_rfc4514_string(subject), public, 1
        )
        .not_valid_before(datetime.fromtimestamp(start, UTC))
        .not_valid_after(datetime.fromtimestamp(end, UTC))
        .add_extension(x509.BasicConstraints(authority, path_length), critical=True)
    )
    if allowed:
        builder = builder.add_extension(allowed, critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    hashed = isinstance(signing, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    made = builder.sign(signing, hashes.SHA256() if hashed else None)
    return Issued(made, key)
