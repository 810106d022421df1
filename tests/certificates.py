"""Certificates that nobody trusts yet, for servers on the loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOOPBACK: Final = x509.IPAddress(ip_address("127.0.0.1"))


def self_signed(subject: str, *names: x509.GeneralName) -> tuple[bytes, bytes]:
    """A certificate for `names`, valid today, and its key; both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name.from_rfc4514_string(f"CN={subject}")
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), 1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(pem, form, serialization.NoEncryption())
    return made.public_bytes(pem), private
