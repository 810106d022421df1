"""Statements: what a producer has signed itself, in one of three forms.

COSE_Sign1 as SCITT has it, a DSSE envelope, or a Sigstore bundle with such an
envelope in it. Which of them it is stands in its first bytes. Reading one says what
is claimed; `signers` says who has signed it, of those whose keys the caller brings.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from verifier.cose import PREFIX, Sign1, verify_sign1
from verifier.document import parse_json
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError, SignatureError
from verifier.keys import PublicKey
from verifier.spelling import digest_text
from verifier.statement import envelope as envelopes
from verifier.statement.claims import SHA_256, UNDERSTOOD, Claims
from verifier.statement.envelope import Envelope, signers_of
from verifier.statement.intoto import InTotoStatement, is_in_toto
from verifier.statement.sigstore import SigstoreBundle

COSE: Final = 'application/cose; cose-type="cose-sign1"'
"""The media type of a COSE_Sign1, of which a SCITT statement is one."""
DSSE: Final = envelopes.MEDIA_TYPE
_BUNDLES: Final = "application/vnd.dev.sigstore.bundle"
"""How the media types begin that Sigstore's bundles have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement, read: nothing of it is believed before `signers` has been asked.

    `content` is the bytes that are logged: as they came, but that a COSE_Sign1 has
    lost its unprotected header, for which nobody stands.
    """

    content: bytes
    media_type: str
    payload: bytes | None
    payload_type: str | None
    claims: Claims | None
    message: Sign1 | None
    envelope: Envelope | None
    chain: tuple[bytes, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a statement, or raise MalformedError naming what is wrong with it."""
        if data.startswith(PREFIX):
            return cls._of_cose(data)
        if len(data) > MAX_BODY_BYTES:
            raise MalformedError(
                f"the statement has {len(data)} bytes; at most {MAX_BODY_BYTES} are "
                "logged, so sign what is larger by its digest"
            )
        document = parse_json(data, "the statement", most=MAX_BODY_BYTES)
        if isinstance(document, dict) and "mediaType" in document:
            bundle = SigstoreBundle.parse(data)
            chain = bundle.certificates
            return cls._of_dsse(data, bundle.media_type, bundle.envelope, chain)
        return cls._of_dsse(data, DSSE, Envelope.parse(data), ())

    @classmethod
    def _of_cose(cls, data: bytes) -> Self:
        message = Sign1.parse(data, "the statement")
        claims = Claims.of(message)
        return cls(
            content=message.bare(),
            media_type=COSE,
            payload=message.payload,
            payload_type=claims.content_type,
            claims=claims,
            message=message,
            envelope=None,
            chain=claims.chain,
        )

    @classmethod
    def _of_dsse(
        cls, data: bytes, type_: str, envelope: Envelope, chain: tuple[bytes, ...]
    ) -> Self:
        return cls(
            content=data,
            media_type=type_,
            payload=envelope.payload,
            payload_type=envelope.payload_type,
            claims=None,
            message=None,
            envelope=envelope,
            chain=chain,
        )

    @property
    def signatures(self) -> int:
        """How many signatures it has."""
        return len(self.envelope.signatures) if self.envelope else 1

    @property
    def is_digest(self) -> bool:
        """Whether the payload is the digest of what the statement is about."""
        return self.claims is not None and self.claims.hash_algorithm is not None

    def in_toto(self) -> InTotoStatement | None:
        """The in-toto statement that is the payload; MalformedError if it is none."""
        if self.is_digest or self.payload is None:
            return None
        if not is_in_toto(self.payload_type or ""):
            return None
        return InTotoStatement.parse(self.payload)

    def digests(self) -> frozenset[str]:
        """The digests of what it is about: of its subjects, or of its payload."""
        found: set[str] = set()
        if statement := self.in_toto():
            found |= set(statement.subject_digests())
        if self.payload is not None:
            found.add(digest_text(sha256(self.payload).digest()))
            if self.claims is not None and self.claims.hash_algorithm == SHA_256:
                found.add(digest_text(self.payload))
        return frozenset(found)

    def signers(self, keys: Iterable[PublicKey]) -> list[PublicKey]:
        """Those of `keys` that have signed it, each once; no signature is by two."""
        if self.envelope is not None:
            return signers_of(self.envelope, keys)
        assert self.message is not None  # noqa: S101 - it is one of the two
        for key in keys:
            with suppress(SignatureError):
                verify_sign1(self.message, key, understood=UNDERSTOOD)
                return [key]
        return []


def check_bare(data: bytes) -> Statement:
    """The statement that is an entry of a statement log, with nothing around it."""
    statement = Statement.parse(data)
    if statement.message is None or statement.content != data:
        raise MalformedError("it is not the one encoding of a statement in a log")
    return statement


def is_statement(media_type: str) -> bool:
    """Whether an entry of this type has a statement in it."""
    return media_type in (COSE, DSSE) or media_type.startswith(_BUNDLES)
