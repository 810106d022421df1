"""Envelopes, made: DSSE around any payload, and in-toto Statements to put into one.

A P-256 signature is written as DER, which securesystemslib and Go's libraries expect;
the key id is our short name of the key, and a hint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ledger.errors import Refused
from ledger.keys.making import Maker
from ledger.keys.payload import check_payload
from verifier.cose import PREFIX
from verifier.document import parse_object
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.keys import Algorithm
from verifier.pem import key_id
from verifier.statement.envelope import (
    Envelope,
    EnvelopeSignature,
    pae,
    signers_of,
)
from verifier.statement.intoto import PAYLOAD_TYPE, VERSIONS

_TYPE: Final = next(uri for uri, version in VERSIONS.items() if version == "v1")


def make_dsse(makers: Sequence[Maker], payload: bytes, payload_type: str) -> bytes:
    """Sign `payload`, which is of type `payload_type`, with each of `makers`."""
    check_payload(payload_type, payload)
    made = tuple(_signature(each, payload, payload_type) for each in makers)
    return _written(
        Envelope(payload=payload, payload_type=payload_type, signatures=made)
    )


def add_signature(maker: Maker, data: bytes) -> bytes:
    """The envelope `data` with one signature more, over the same payload.

    Refused where the key has signed it already: a threshold counts keys.
    """
    envelope = _parsed(data)
    check_payload(envelope.payload_type, envelope.payload)
    if signers_of(envelope, [maker.public]):
        raise Refused(
            "signed",
            f"the key {key_id(maker.public)} has signed this already; another one has "
            "to sign",
        )
    ours = _signature(maker, envelope.payload, envelope.payload_type)
    return _written(replace(envelope, signatures=(*envelope.signatures, ours)))


def make_intoto(
    subjects: Mapping[str, bytes], predicate_type: str, predicate: bytes
) -> bytes:
    """An in-toto Statement v1 that says `predicate` of files, by their SHA-256.

    The predicate is a JSON object, and stands there as it was written: no number in
    it is read and written again.
    """
    parse_object(predicate, "the predicate", most=MAX_BODY_BYTES)
    document = {
        "_type": _TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": digest.hex()}}
            for name, digest in subjects.items()
        ],
        "predicateType": predicate_type,
    }
    head = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    data = b'%b,"predicate":%b}' % (head[:-1], predicate.strip())
    # Before it is a part of something: what is wrong is then said of the statement.
    check_payload(PAYLOAD_TYPE, data)
    return data


def _parsed(data: bytes) -> Envelope:
    """The envelope; of what is none it is said what can be signed once more."""
    try:
        return Envelope.parse(data)
    except MalformedError as error:
        if data.startswith(PREFIX):
            says = "it is a COSE_Sign1, which has one signature and takes no other"
        else:
            says = "it is no DSSE envelope, and nothing else takes another signature"
            # Of what is JSON it can be said what it lacks.
            if data.lstrip()[:1] == b"{":
                says += f": {error}"
        raise MalformedError(says) from None


def _signature(maker: Maker, payload: bytes, payload_type: str) -> EnvelopeSignature:
    signature = maker.sign(pae(payload_type, payload))
    if maker.public.algorithm is Algorithm.ECDSA_P256_RAW:
        r, s = (int.from_bytes(x, "big") for x in (signature[:32], signature[32:]))
        signature = encode_dss_signature(r, s)
    return EnvelopeSignature(keyid=key_id(maker.public), signature=signature)


def _written(envelope: Envelope) -> bytes:
    try:
        return envelope.encode()
    except MalformedError as error:
        raise Refused("form", str(error)) from None
