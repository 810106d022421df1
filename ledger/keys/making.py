"""Statements, made: COSE_Sign1 with what a SCITT log asks of its protected header.

    18([<< {1: -19, 3: "application/json", 4: h'…', 15: {1: "…", 2: "…"}} >>,
        {}, h'7b22…', h'…'])

RFC 9052 and 9943. All that is said is in the protected header, in deterministic
CBOR; nothing is in the other one, which a log would throw away. The key id is the
key's thumbprint (RFC 9679). With a hash envelope (RFC 9995) the payload is the
digest of something that stays where it is.

What is to be signed is read before it is, as whoever gets it will read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from ledger.errors import Refused
from ledger.keys.payload import check_payload
from verifier import cbor
from verifier.certificate import Certificate
from verifier.cose import (
    ALG,
    ALGORITHMS,
    CONTENT_TYPE,
    KID,
    Headers,
    Label,
    Sign1,
    for_cose,
)
from verifier.cosekey import thumbprint
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.hashing import HASH_SIZE
from verifier.keys import PublicKey
from verifier.pem import key_id
from verifier.receipt.cose import CLAIMS, ISSUER, SUBJECT
from verifier.statement.claims import (
    HASH_ALGORITHM,
    LOCATION,
    PREIMAGE_TYPE,
    SHA_256,
    X5CHAIN,
    Claims,
)


class Maker(Protocol):
    """Who signs: a key in a file, or one in an agent."""

    @property
    def public(self) -> PublicKey:
        """What the signatures verify with."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign `message`; with P-256 the signature is r and s, 32 bytes each."""
        ...


def make_cose(
    maker: Maker,
    payload: bytes,
    *,
    content_type: str,
    issuer: str | None = None,
    subject: str | None = None,
    claims: Mapping[Label, Any] | None = None,
    chain: Sequence[bytes] = (),
    hash_envelope: bool = False,
    location: str | None = None,
    algorithm: int | None = None,
) -> bytes:
    """Sign `payload`, which is of type `content_type`, as a COSE_Sign1.

    `claims` are further CWT claims; `chain` are certificates, that of the signing key
    first. With `hash_envelope` the payload is the SHA-256 of what is of that type, and
    may be found at `location`. `algorithm` is -8 or -7 for readers that do not know
    RFC 9864. Refused where it would be larger than a log takes, MalformedError where
    it is not what its type says.
    """
    headers: dict[Label, Any] = {
        ALG: algorithm_of(maker.public) if algorithm is None else algorithm,
        KID: thumbprint(maker.public),
    }
    if ALGORITHMS.get(headers[ALG]) is not for_cose(maker.public).algorithm:
        raise MalformedError(
            f"algorithm {headers[ALG]} is not one of a key for {maker.public.algorithm}"
        )
    said = {**(claims or {}), ISSUER: issuer, SUBJECT: subject}
    if said := {label: each for label, each in said.items() if each is not None}:
        headers[CLAIMS] = said
    if chain:
        _check_leaf(maker.public, chain[0])
        headers[X5CHAIN] = chain[0] if len(chain) == 1 else list(chain)
    if hash_envelope:
        if len(payload) != HASH_SIZE:
            raise MalformedError(f"a digest has {HASH_SIZE} bytes, not {len(payload)}")
        headers |= {HASH_ALGORITHM: SHA_256, PREIMAGE_TYPE: content_type}
        if location is not None:
            headers[LOCATION] = location
    else:
        headers[CONTENT_TYPE] = content_type
    return _signed(maker, headers, payload)


def algorithm_of(key: PublicKey) -> int:
    """The number by which COSE knows the key's algorithm since RFC 9864."""
    wanted = for_cose(key).algorithm
    return next(number for number, each in ALGORITHMS.items() if each is wanted)


LEGACY: Final = {-19: -8, -9: -7}
"""What the numbers were before RFC 9864; ML-DSA-44 has no other."""


def _signed(maker: Maker, headers: Headers, payload: bytes) -> bytes:
    unsigned = Sign1(
        protected=cbor.encode(headers),
        headers=headers,
        unprotected={},
        payload=payload,
        signature=b"",
    )
    data = unsigned.encode()
    _check_size(len(data))
    # Before somebody is asked to sign it.
    said = Claims.of(Sign1.parse(data, "the statement"))
    check_payload(said.content_type, None if said.hash_algorithm else payload)
    data = replace(unsigned, signature=maker.sign(unsigned.message())).encode()
    _check_size(len(data))
    return data


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise Refused(
            "size",
            f"the statement would have {size} bytes, and a log takes {MAX_BODY_BYTES}; "
            "sign what is larger by its digest",
        )


def _check_leaf(key: PublicKey, der: bytes) -> None:
    leaf = Certificate.parse(der)
    if leaf.key is None or key_id(leaf.key) != key_id(key):
        raise MalformedError(
            "the first certificate of the chain is not that of the key that signs"
        )
