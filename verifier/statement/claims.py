"""What the protected header of a signed statement says: RFC 9943, 9597, 9995, 9360.

Who issued it about what, of which type the payload is, by which certificates it can
be checked, and whether the payload is a digest that stands for something larger.
All of it is signed; none of it says whom to believe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from verifier.cose import CONTENT_TYPE, KID, Headers, Sign1
from verifier.errors import MalformedError
from verifier.receipt.cose import CLAIMS, ISSUER, SUBJECT, VDP, VDS

X5CHAIN: Final = 33
RECEIPTS: Final = 394
HASH_ALGORITHM: Final = 258
PREIMAGE_TYPE: Final = 259
LOCATION: Final = 260
SHA_256: Final = -16
_DIGEST_BYTES: Final = {SHA_256: 32, -43: 48, -44: 64}
"""SHA-256, SHA-384 and SHA-512, by their numbers in COSE."""

UNDERSTOOD: Final = frozenset(
    {CLAIMS, X5CHAIN, HASH_ALGORITHM, PREIMAGE_TYPE, LOCATION}
)
"""What may be marked as critical in a statement."""
MAX_TEXT: Final = 8_192
MAX_CHAIN: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims of one statement; None and () where it makes none."""

    issuer: str | None
    subject: str | None
    content_type: str | None
    kid: bytes | None
    chain: tuple[bytes, ...]
    hash_algorithm: int | None
    location: str | None

    @classmethod
    def of(cls, message: Sign1) -> Self:
        """Read them, or raise MalformedError naming what is wrong."""
        headers = message.headers
        if VDS in headers or VDP in headers:
            raise MalformedError("it is a receipt, and no statement: it has label 395")
        claims = headers.get(CLAIMS, {})
        if not isinstance(claims, Mapping):
            raise MalformedError("the claims (15) of the statement are no map")
        hashed = _hash_envelope(message)
        kid = headers.get(KID)
        if kid is not None and type(kid) is not bytes:
            raise MalformedError("the statement's key id (4) is no byte string")
        type_ = PREIMAGE_TYPE if hashed is not None else CONTENT_TYPE
        return cls(
            issuer=_text(claims.get(ISSUER), "issuer"),
            subject=_text(claims.get(SUBJECT), "subject"),
            content_type=_type(headers.get(type_)),
            kid=kid,
            chain=_chain(headers),
            hash_algorithm=hashed,
            location=_text(headers.get(LOCATION), "location"),
        )


def check_scitt(claims: Claims) -> None:
    """Return if a SCITT log may take the statement: RFC 9943, section 5."""
    if claims.issuer is None or claims.subject is None:
        raise MalformedError(
            "the statement names no issuer and subject in its protected header; give "
            "it CWT claims (15) with 1 and 2"
        )
    if claims.content_type is None and claims.hash_algorithm is None:
        raise MalformedError("the statement does not say of which type its payload is")


def _hash_envelope(message: Sign1) -> int | None:
    """The algorithm by which the payload is a digest: RFC 9995."""
    headers = message.headers
    if any(
        label in message.unprotected
        for label in (HASH_ALGORITHM, PREIMAGE_TYPE, LOCATION)
    ):
        raise MalformedError("what a digest is of (258 to 260) is not signed")
    if HASH_ALGORITHM not in headers:
        if PREIMAGE_TYPE in headers or LOCATION in headers:
            raise MalformedError("259 and 260 stand without 258")
        return None
    algorithm = headers[HASH_ALGORITHM]
    if type(algorithm) is not int:
        raise MalformedError("the payload's hash algorithm (258) is no number")
    if CONTENT_TYPE in headers:
        raise MalformedError("a payload that is a digest has no content type (3)")
    size = _DIGEST_BYTES.get(algorithm)
    if size and message.payload is not None and len(message.payload) != size:
        raise MalformedError(f"the payload is no digest of {size} bytes, as 258 says")
    return algorithm


def _chain(headers: Headers) -> tuple[bytes, ...]:
    """The certificates of x5chain, the signer's first."""
    found: Any = headers.get(X5CHAIN, ())
    listed = (found,) if type(found) is bytes else found
    if (
        not isinstance(listed, list | tuple)
        or len(listed) > MAX_CHAIN
        or not all(type(each) is bytes for each in listed)
    ):
        raise MalformedError(f"x5chain (33) is not one to {MAX_CHAIN} certificates")
    return tuple(listed)


def _text(value: object, name: str) -> str | None:
    if value is None:
        return None
    if type(value) is not str or not 1 <= len(value) <= MAX_TEXT:
        raise MalformedError(f"the statement's {name} is no text of 1 to {MAX_TEXT}")
    return value


def _type(value: object) -> str | None:
    # RFC 9052 allows a number of the CoAP registry as well.
    if type(value) is int and 0 <= value < 1 << 16:
        return f"CoAP content format {value}"
    return _text(value, "content type")
