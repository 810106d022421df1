"""Envelopes: a payload and signatures over it, as DSSE v1.0.2 writes them.

What is signed is the payload as bytes and its type, each with its length before it,
and never the JSON around them: that may be written again without harm. So base64 is
read in either alphabet, and members that nobody knows are passed over.

A signature does not say by whom it is. `keyid` is under no signature and means
whatever its writer likes: here it is shown, and decides nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from verifier.document import member, parse_object
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError, SignatureError
from verifier.keys import Algorithm, PublicKey, verify_signature
from verifier.spelling import base64_text, parse_base64

MEDIA_TYPE: Final = "application/vnd.dsse.envelope.v1+json"
"""What DSSE leaves open, as registries of attestations have settled it."""
MAX_SIGNATURES: Final = 64
MAX_TYPE: Final = 1_024
MAX_TRIALS: Final = 1_024
"""The most signatures, times keys that might have made them."""

_P256: Final = (Algorithm.ECDSA_P256, Algorithm.ECDSA_P256_RAW)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSignature:
    """A signature, and a hint at its key that nobody has to believe."""

    keyid: str = ""
    signature: bytes

    @classmethod
    def of(cls, document: object) -> Self:
        """Read one from a JSON value."""
        what = "a signature of the envelope"
        if type(document) is not dict:
            raise MalformedError(f"{what} is not an object")
        keyid = document.get("keyid")
        # Missing, null and empty are the same.
        if keyid is not None and type(keyid) is not str:
            raise MalformedError(f'{what} has a "keyid" that is not text')
        encoded = member(document, "sig", str, what)
        return cls(keyid=keyid or "", signature=parse_bytes(encoded, what))

    def document(self) -> dict[str, str]:
        """The signature as a JSON value."""
        hint = {"keyid": self.keyid} if self.keyid else {}
        return hint | {"sig": base64_text(self.signature)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is signed, what kind of thing it is, and the signatures.

        {
          "payload": "aGVsbG8gd29ybGQ=",
          "payloadType": "application/vnd.in-toto+json",
          "signatures": [{"keyid": "…", "sig": "A3Jqsg…"}]
        }

    The payload is to be read only after a signature has been verified.
    """

    payload: bytes
    payload_type: str
    signatures: tuple[EnvelopeSignature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an envelope, or raise MalformedError naming what is wrong with it."""
        return cls.of(parse_object(data, "the envelope", most=MAX_BODY_BYTES))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read one from a JSON object that was read with `parse_object`."""
        what, members = "the envelope", dict(document)
        listed = member(members, "signatures", list, what)
        _check_count(len(listed))
        envelope = cls(
            payload=parse_bytes(
                member(members, "payload", str, what), "the envelope's payload"
            ),
            payload_type=member(members, "payloadType", str, what),
            signatures=tuple(EnvelopeSignature.of(each) for each in listed),
        )
        envelope.check()
        return envelope

    def check(self) -> None:
        """Return if every member is within its bounds."""
        _check_count(len(self.signatures))
        if not 1 <= len(self.payload_type) <= MAX_TYPE:
            raise MalformedError(
                f"the envelope's payloadType has 1 to {MAX_TYPE} characters: it says "
                "how the payload is to be read"
            )

    def encode(self) -> bytes:
        """Write the envelope: standard base64, no spaces, a newline at its end."""
        self.check()
        document = {
            "payload": base64_text(self.payload),
            "payloadType": self.payload_type,
            "signatures": [each.document() for each in self.signatures],
        }
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        data = f"{text}\n".encode()
        if len(data) > MAX_BODY_BYTES:
            raise MalformedError(
                f"the envelope has {len(data)} bytes; put the digest of what makes it "
                f"larger than {MAX_BODY_BYTES} into the payload"
            )
        return data


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding.

    The lengths are those of bytes. Without them, a payload could begin with what
    looks like the end of another type.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def signers_of(envelope: Envelope, keys: Iterable[PublicKey]) -> list[PublicKey]:
    """Those of `keys` that made a signature in `envelope`, in their order, each once.

    A threshold is counted over these. Signatures are cheap for whoever has a key, and
    one key may be known under several names, or as made for DER and as made for r and
    s: it is its bytes that are counted. No two algorithms have keys of the same bytes.
    Nor does a signature count twice: to one of ECDSA a second key can be computed that
    it is also by, and whose secret nobody has.
    """
    distinct: dict[bytes, PublicKey] = {}
    for key in keys:
        distinct.setdefault(key.raw, key)
    signatures = dict.fromkeys(each.signature for each in envelope.signatures)
    if len(distinct) * len(signatures) > MAX_TRIALS:
        raise MalformedError(
            f"an envelope with {len(signatures)} signatures, to be tried with "
            f"{len(distinct)} keys; at most {MAX_TRIALS} trials are made: leave out "
            "signatures that are not needed"
        )
    message = pae(envelope.payload_type, envelope.payload)
    found = []
    for key in distinct.values():
        by = next((x for x in signatures if _has_made(key, message, x)), None)
        if by is not None:
            del signatures[by]
            found.append(key)
    return found


def _has_made(key: PublicKey, message: bytes, signature: bytes) -> bool:
    readings = [key]
    if key.algorithm in _P256:
        # DSSE does not say how r and s are written; DER and 64 bytes are both common.
        readings = [PublicKey(each, key.raw) for each in _P256]
    for each in readings:
        with suppress(SignatureError):
            verify_signature(each, message, signature)
            return True
    return False


_ALPHABETS: Final = re.compile(r"(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}")
_STANDARD: Final = str.maketrans("-_", "+/")


def parse_bytes(text: str, what: str) -> bytes:
    """Read base64, standard or URL-safe, with its padding or with none of it.

    DSSE asks for the two alphabets, the JSON of protobuf for the rest. They are not
    mixed, and no bits are thrown away.
    """
    bare = text.rstrip("=")
    padded = bare.translate(_STANDARD) + "=" * (-len(bare) % 4)
    if not _ALPHABETS.fullmatch(text) or len(text) not in (len(bare), len(padded)):
        raise MalformedError(f"{what} is not base64, nor URL-safe base64")
    return parse_base64(padded, what)


def _check_count(signatures: int) -> None:
    if not 1 <= signatures <= MAX_SIGNATURES:
        raise MalformedError(
            f"an envelope has 1 to {MAX_SIGNATURES} signatures; this has {signatures}"
        )
