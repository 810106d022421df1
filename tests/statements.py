"""Statements as producers make them, by code of the tests' own: COSE by hand, DSSE too.

Nothing of the maker's side of the project is used, so that it is not judged by itself.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import cbor2
import nacl.signing
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.keys import registry
from verifier.keys import Algorithm, PublicKey
from verifier.producers.credential import Credential

ISSUER = "https://ci.example"


class Maker:
    """A key that signs, in all the ways in which one can: `kind` is its algorithm."""

    def __init__(
        self, kind: str = "ed25519", number: int = 1, *, seed: bytes = b""
    ) -> None:
        self.kind = kind
        seed = seed or number.to_bytes(32, "big")
        match kind:
            case "ed25519":
                self._key: Any = nacl.signing.SigningKey(seed)
                raw = bytes(self._key.verify_key)
                self.public = PublicKey(Algorithm.ED25519, raw)
                self.alg = -19
            case "ml-dsa-44":
                self._key = mldsa.MLDSA44PrivateKey.from_seed_bytes(seed)
                raw = self._key.public_key().public_bytes_raw()
                self.public = PublicKey(Algorithm.ML_DSA_44, raw)
                self.alg = -48
            case "p-256":
                self._key = ec.derive_private_key(number, ec.SECP256R1())
                raw = self._key.public_key().public_bytes(
                    Encoding.DER, PublicFormat.SubjectPublicKeyInfo
                )
                self.public = PublicKey(Algorithm.ECDSA_P256, raw)
                self.alg = -9

    def sign(self, message: bytes, *, der: bool = False) -> bytes:
        """The bare signature; of P-256 as r and s, or in DER."""
        if self.kind == "ed25519":
            return bytes(self._key.sign(message).signature)
        if self.kind == "ml-dsa-44":
            return bytes(self._key.sign(message))
        signature: bytes = self._key.sign(message, ec.ECDSA(hashes.SHA256()))
        if der:
            return signature
        r, s = decode_dss_signature(signature)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    @property
    def credential(self) -> Credential:
        """The key, as it is registered."""
        return Credential.of_key(self.public)


CI = Maker()
OTHER = Maker(number=2)


def sign1(
    payload: bytes | None = b"a payload",
    *,
    maker: Maker = CI,
    alg: int | None = None,
    headers: dict[Any, Any] | None = None,
    unprotected: dict[Any, Any] | None = None,
    issuer: str | None = ISSUER,
    subject: str | None = "a subject",
    detached: bytes | None = None,
    signature: bytes | None = None,
) -> bytes:
    """A COSE_Sign1. The headers stand in the order in which they are given here."""
    protected: dict[Any, Any] = {1: maker.alg if alg is None else alg}
    protected |= {3: "text/plain"}
    claims = {1: issuer, 2: subject}
    protected[15] = {name: value for name, value in claims.items() if value is not None}
    protected |= headers or {}
    kept = {name: value for name, value in protected.items() if value is not None}
    return signed(
        cbor2.dumps(kept),
        payload,
        maker=maker,
        unprotected=unprotected,
        detached=detached,
        signature=signature,
    )


def signed(
    protected: bytes,
    payload: bytes | None,
    *,
    maker: Maker = CI,
    unprotected: dict[Any, Any] | None = None,
    detached: bytes | None = None,
    signature: bytes | None = None,
) -> bytes:
    """A COSE_Sign1 with this protected header, byte for byte."""
    body = payload if detached is None else detached
    if signature is None:
        message = cbor2.dumps(["Signature1", protected, b"", body or b""])
        signature = maker.sign(message)
    members = [protected, unprotected or {}, payload, signature]
    return cbor2.dumps(cbor2.CBORTag(18, members))


def pae(type_: str, payload: bytes) -> bytes:
    """What DSSE signs."""
    name = type_.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def envelope(
    payload: bytes = b"a payload",
    *makers: Maker,
    type_: str = "text/plain",
    **more: Any,
) -> bytes:
    """A DSSE envelope, signed by `makers`."""
    signatures = [
        {"sig": b64encode(each.sign(pae(type_, payload), der=True)).decode()}
        for each in makers or (CI,)
    ]
    document = {"payload": b64encode(payload).decode(), "payloadType": type_}
    return json.dumps({**document, "signatures": signatures, **more}).encode()


def in_toto(
    digest: str = "5" * 64,
    predicate_type: str = "https://ci.example/other/v1",
    **more: Any,
) -> bytes:
    """An in-toto statement about one file."""
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a file", "digest": {"sha256": digest}}],
        "predicateType": predicate_type,
        **more,
    }
    return json.dumps(document).encode()


IN_TOTO = "application/vnd.in-toto+json"


def added(
    *makers: Maker, name: str = "ci", issuers: tuple[str, ...] = (ISSUER,), **more: Any
) -> dict[str, Any]:
    """What a log enters when a producer is added."""
    credentials = [each.credential for each in makers or (CI,)]
    return registry.add(name, credentials, issuers=issuers, **more)
