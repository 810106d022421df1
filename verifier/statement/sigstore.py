"""Sigstore bundles v0.1 to v0.3, read only as far as a log needs.

An envelope, and what its signer wants to be known by: certificates, or a hint at a key.
What other logs say of it is shown as the bundle's own words, and nothing of it is
checked: whether a bundle holds for Sigstore, Sigstore's own verifiers say.
Certificates are not judged here, and a hint is no key.

The JSON is that of protobuf: null is the same as missing, a 64-bit integer is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Self

from verifier.document import member, parse_object
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.spelling import MAX_SIZE, parse_decimal
from verifier.statement.envelope import Envelope, parse_bytes
from verifier.statement.intoto import InTotoStatement, is_in_toto
from verifier.statement.model import PREDICATE_TYPE as MODEL_SIGNATURE

MAX_CERTIFICATES: Final = 8
MAX_TLOG_ENTRIES: Final = 32

_MEDIA_TYPE: Final = re.compile(
    r"application/vnd\.dev\.sigstore\.bundle"
    r"(?:\+json;version=0\.[123]|\.v0\.3\+json)"
)
_KEYLESS: Final = "certificate"
_CHAIN: Final = "x509CertificateChain"
_KEY: Final = "publicKey"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogEntry:
    """What a bundle says of its place in another log: said, and not verified."""

    log_index: int | None
    integrated_time: int | None

    @classmethod
    def of(cls, document: object) -> Self:
        """Read one from a JSON value."""
        if type(document) is not dict:
            raise MalformedError("one of the bundle's tlogEntries is not an object")
        return cls(
            log_index=_integer(document, "logIndex"),
            # Newer logs state no time, and protobuf writes that as 0.
            integrated_time=_integer(document, "integratedTime") or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SigstoreBundle:
    """An envelope with one signature, and what is said beside it.

    `certificates` are DER, that of the signer first; where there are none, the
    signature was made with a key, of which `key_hint` is what its owner calls it.
    """

    media_type: str
    envelope: Envelope
    certificates: tuple[bytes, ...]
    key_hint: str | None
    tlog_entries: tuple[TlogEntry, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a bundle, or raise MalformedError naming what is wrong with it."""
        what = "the bundle"
        document = parse_object(data, what, most=MAX_BODY_BYTES)
        media_type = document.get("mediaType")
        if type(media_type) is not str or not _MEDIA_TYPE.fullmatch(media_type):
            raise MalformedError(
                f"{what}'s mediaType is not that of Sigstore's v0.1, v0.2 or v0.3"
            )
        envelope = _envelope(document)
        material = _member(document, "verificationMaterial", dict, what)
        if material is None:
            raise MalformedError(
                f"{what} has no verificationMaterial: it does not say which "
                "certificate or key it was signed with"
            )
        held = _held(material)
        entries = _listed(material, "tlogEntries", MAX_TLOG_ENTRIES)
        if held == _KEYLESS and not entries:
            _check_logged(envelope)
        key = material[_KEY] if held == _KEY else {}
        return cls(
            media_type=media_type,
            envelope=envelope,
            certificates=_certificates(material, held),
            key_hint=_member(key, "hint", str, f"{what}'s publicKey") or None,
            tlog_entries=tuple(TlogEntry.of(each) for each in entries),
        )


def _envelope(document: dict[str, Any]) -> Envelope:
    what = "the bundle"
    if document.get("messageSignature") is not None:
        raise MalformedError(
            f"{what} signs a file (messageSignature), and has no statement about it; "
            "sign an in-toto statement with the file's digest, or log a record with it"
        )
    inner = _member(document, "dsseEnvelope", dict, what)
    if inner is None:
        raise MalformedError(
            f"{what} has no dsseEnvelope, which is what is logged of it"
        )
    envelope = Envelope.of(inner)
    # Sigstore's rule: which signature the certificate stands for must be no question.
    if len(envelope.signatures) != 1:
        raise MalformedError(
            f"{what}'s envelope has {len(envelope.signatures)} signatures, and has to "
            "have one; make a bundle for each signer, or log the envelope alone"
        )
    return envelope


def _held(material: dict[str, Any]) -> str:
    """The one of three that says what the signature was made with."""
    held = [
        name
        for name in (_KEYLESS, _CHAIN, _KEY)
        if _member(material, name, dict, "the bundle's verificationMaterial")
        is not None
    ]
    if len(held) != 1:
        raise MalformedError(
            "the bundle's verificationMaterial has to have one of "
            f"{_KEYLESS}, {_CHAIN} and {_KEY}; it has {' and '.join(held) or 'none'}"
        )
    return held[0]


def _certificates(material: dict[str, Any], held: str) -> tuple[bytes, ...]:
    if held == _KEY:
        return ()
    listed: list[Any] = (
        [material[_KEYLESS]]
        if held == _KEYLESS
        else _listed(material[_CHAIN], "certificates", MAX_CERTIFICATES)
    )
    if not listed:
        raise MalformedError("the bundle's chain of certificates is empty")
    found = []
    for each in listed:
        what = "a certificate of the bundle"
        if type(each) is not dict or not (raw := _member(each, "rawBytes", str, what)):
            raise MalformedError(f"{what} has no rawBytes, the base64 of its DER")
        found.append(parse_bytes(raw, what))
    return tuple(found)


def _check_logged(envelope: Envelope) -> None:
    """Return unless it is a model signature, which a log has to have seen.

    OMS v1.0, section 4.1: where the signer is known by a certificate of a few minutes,
    there has to be a log entry. Others may have a time-stamp instead.
    """
    if is_in_toto(envelope.payload_type):
        statement = InTotoStatement.parse(envelope.payload)
        if statement.predicate_type == MODEL_SIGNATURE:
            raise MalformedError(
                "the bundle is a model signature with a certificate, and has none of "
                "the tlogEntries that it needs; sign with the log, or with a key"
            )


def _listed(document: dict[str, Any], name: str, most: int) -> list[Any]:
    listed: list[Any] = _member(document, name, list, "the bundle") or []
    if len(listed) > most:
        raise MalformedError(f"the bundle has more than {most} {name}")
    return listed


def _member(document: dict[str, Any], name: str, kind: type, what: str) -> Any:
    """The member `name`, or None; null is the same as missing."""
    if document.get(name) is None:
        return None
    return member(document, name, kind, what)


def _integer(document: dict[str, Any], name: str) -> int | None:
    value = document.get(name)
    if type(value) is str:
        return parse_decimal(value, f"the bundle's {name}")
    if value is not None and not (type(value) is int and 0 <= value <= MAX_SIZE):
        raise MalformedError(
            f"the bundle's {name} is not a number from 0 to {MAX_SIZE}"
        )
    return value
