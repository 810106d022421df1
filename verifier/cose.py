"""COSE_Sign1: four members under tag 18, as RFC 9052 writes them.

What is signed is the protected header as it was received, byte for byte, and the
payload. The unprotected header is under no signature: it is read where somebody
else vouches for what it says, and nowhere else. The algorithm is the pinned
key's; the header may only agree.

Header maps stand in any order, for RFC 9052 asks for none; a header that a
signature covers is never written again by us.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self, TypeAlias

from verifier import cbor
from verifier.errors import MalformedError, SignatureError
from verifier.keys import Algorithm, PublicKey, verify_signature

TAG: Final = 18
PREFIX: Final = b"\xd2\x84"
"""With what one begins: tag 18, an array of four."""
CONTEXT: Final = "Signature1"
MAX_BYTES: Final = 1 << 20
"""One with receipts in it is larger than an entry can be."""

ALG: Final = 1
CRIT: Final = 2
CONTENT_TYPE: Final = 3
KID: Final = 4

ALGORITHMS: Final[Mapping[int, Algorithm]] = {
    -19: Algorithm.ED25519,
    -9: Algorithm.ECDSA_P256_RAW,
    -48: Algorithm.ML_DSA_44,
    # What RFC 9864 has replaced, and most still write.
    -8: Algorithm.ED25519,
    -7: Algorithm.ECDSA_P256_RAW,
}
"""The algorithms that are verified here."""

Label: TypeAlias = int | str
Headers: TypeAlias = Mapping[Label, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign1:
    """Protected header as received, and read; the other; payload; signature.

        18([h'a10132', {}, h'746869732069732077686174', h'5d8c…'])

    `payload` is None where it is detached, and somebody else has to bring it.
    """

    protected: bytes
    headers: Headers
    unprotected: Headers
    payload: bytes | None
    signature: bytes

    @classmethod
    def parse(cls, data: bytes, what: str = "it") -> Self:
        """Read one, or raise MalformedError naming what is wrong with it."""
        if not data.startswith(PREFIX):
            raise MalformedError(f"{what} is no COSE_Sign1 under tag 18")
        value = cbor.decode(data, tags={TAG}, most=MAX_BYTES, sorted_keys=False)
        assert isinstance(value, cbor.Tag)  # noqa: S101 - by its first byte
        match value.value:
            case [bytes() as protected, other, payload, bytes() as signature] if (
                payload is None or type(payload) is bytes
            ):
                unprotected = _map(other, what)
            case _:
                raise MalformedError(
                    f"{what} is no COSE_Sign1: a protected and an unprotected header, "
                    "a payload and a signature"
                )
        headers = _read_protected(protected, what)
        if both := headers.keys() & unprotected.keys():
            # RFC 9052, section 3: nobody could say which of the two is meant.
            first = repr(min(both, key=str))[:40]
            raise MalformedError(f"{what} has header {first} twice")
        return cls(
            protected=protected,
            headers=headers,
            unprotected=unprotected,
            payload=payload,
            signature=signature,
        )

    def encode(self, unprotected: Headers | None = None) -> bytes:
        """Write it, with `unprotected` instead of the header that it has."""
        kept = self.unprotected if unprotected is None else unprotected
        members = [self.protected, kept, self.payload, self.signature]
        return cbor.encode(cbor.Tag(TAG, members), tags={TAG})

    def bare(self) -> bytes:
        """Write it without what nobody has signed, as a log has it for an entry."""
        return self.encode({})

    def message(self, payload: bytes | None = None) -> bytes:
        """What is signed: RFC 9052, section 4.4. A detached `payload` is given."""
        body = self.payload if payload is None else payload
        if body is None:
            raise MalformedError("the payload is detached, and nobody has given it")
        # Whoever wrote an empty map has signed none: the same section says so.
        protected = b"" if self.protected == b"\xa0" else self.protected
        return cbor.encode([CONTEXT, protected, b"", body])


def verify_sign1(
    message: Sign1,
    key: PublicKey,
    *,
    payload: bytes | None = None,
    understood: AbstractSet[Label] = frozenset(),
) -> None:
    """Return if `key` made the signature; `understood` may be marked as critical."""
    stated = message.headers.get(ALG)
    wanted = ALGORITHMS.get(stated) if type(stated) is int else None
    if wanted is None:
        raise SignatureError(
            "the protected header states none of the algorithms that are verified "
            f"here: {', '.join(map(str, ALGORITHMS))}"
        )
    key = for_cose(key)
    if key.algorithm is not wanted:
        raise SignatureError(
            f"it states algorithm {stated}, and the key is one for {key.algorithm}"
        )
    check_critical(message.headers, understood)
    verify_signature(key, message.message(payload), message.signature)


@lru_cache(maxsize=1_024)
def for_cose(key: PublicKey) -> PublicKey:
    """The same key, for signatures as COSE writes them."""
    if key.algorithm is Algorithm.ECDSA_P256:
        return PublicKey(Algorithm.ECDSA_P256_RAW, key.raw)
    return key


def check_critical(headers: Headers, understood: AbstractSet[Label]) -> None:
    """Return if nothing is marked as critical that is not understood, or not there."""
    if CRIT not in headers:
        return
    listed = headers[CRIT]
    # What cbor2 reads below a tag are tuples.
    if not isinstance(listed, list | tuple) or not listed:
        raise MalformedError("the header crit is no list of labels")
    for label in listed:
        known = type(label) in (int, str) and label in headers
        if not known or label not in {ALG, CRIT, CONTENT_TYPE, KID, *understood}:
            raise MalformedError(
                f"header {str(label)[:20]!r} is marked as critical, and not understood"
            )


def _read_protected(data: bytes, what: str) -> Headers:
    if not data:
        return {}
    try:
        return _map(cbor.decode_foreign(data), what)
    except MalformedError as error:
        raise MalformedError(f"the protected header of {what}: {error}") from None


def _map(value: object, what: str) -> Headers:
    if not isinstance(value, Mapping) or not all(
        type(label) in (int, str) for label in value
    ):
        raise MalformedError(f"{what} has a header that is no map of labels")
    return dict(value)
