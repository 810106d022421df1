"""Which keys of a producer may have made a statement's signature, and as what.

A key is registered itself, or an authority is, whose certificates stand for it: then
the statement brings those, the signer's first. Nobody asks for a proof that who
registers a key has it, nor does an authority that makes out a certificate: so each
key is somebody's by one of the two, and where it is not clear by which, nobody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from verifier.certificate import Certificate, may_lead, verify_chain
from verifier.errors import CertificateError, MalformedError, ProducerError
from verifier.keys import PublicKey
from verifier.producers import Producer, Producers
from verifier.producers.credential import Credential
from verifier.statement import Statement

Keys: TypeAlias = dict[bytes, tuple[PublicKey, list[Credential]]]
"""By their bytes, each with all that it is registered as."""


def carried(statement: Statement) -> list[Certificate]:
    """The certificates in the statement; none if one cannot be read.

    Read once: to read one takes as long as to verify ten signatures.
    """
    try:
        return [Certificate.parse(each) for each in statement.chain]
    except MalformedError:
        return []


def keys_of(
    producer: Producer,
    chain: Sequence[Certificate],
    producers: Producers,
    index: int | None,
    at_ms: int | None,
) -> Keys:
    """The keys of `producer`, by their bytes, each with all that it is known by.

    Also that of the statement's own certificate, where it leads to one of its own.
    What was registered behind the statement is left out.
    """
    found: Keys = {}
    for each in producer.credentials:
        if index is not None and each.since > index:
            continue
        key = _key(each, producer, chain, producers, index, at_ms)
        if key is not None:
            found.setdefault(key.raw, (key, []))[1].append(each)
    return found


def _key(
    credential: Credential,
    producer: Producer,
    chain: Sequence[Certificate],
    producers: Producers,
    index: int | None,
    at_ms: int | None,
) -> PublicKey | None:
    """The key that may have made the signature, if it is by this credential."""
    anchor = credential.certificate
    if anchor is not None and chain and chain[0].der != anchor.der:
        leaf = chain[0].key
        if leaf is None or _is_taken(leaf, producers, index):
            return None
        return leaf if _leads(chain, anchor, at_ms) else None
    key = credential.key if anchor is None else anchor.key
    if anchor is not None and key is not None and not _leads([anchor], anchor, 0):
        return None
    if key is not None and chain and chain[0].key == key:
        _check_alone(chain, credential, producer, producers, at_ms)
    return key


def _check_alone(
    chain: Sequence[Certificate],
    credential: Credential,
    producer: Producer,
    producers: Producers,
    at_ms: int | None,
) -> None:
    """Return unless the statement's certificate is by an authority that came first.

    Neither of the two gets what may be the other's.
    """
    for other in producers:
        for each in other.credentials:
            if other.name == producer.name or each.since >= credential.since:
                continue
            if each.certificate and _leads(chain, each.certificate, at_ms):
                raise ProducerError(
                    f"its key was registered for {producer.name}, and its certificate "
                    f"is by {other.name}: whose it is cannot be told; sign it without "
                    "the certificate, or with another key"
                )


def _is_taken(leaf: PublicKey, producers: Producers, index: int | None) -> bool:
    """Whether this key is judged by a registration of its own, made before `index`.

    Whoever is an authority could make out certificates for the keys of others, or for
    one that was revoked.
    """
    held = producers.holder(leaf)
    return held is not None and (index is None or held.since <= index)


def _leads(
    chain: Sequence[Certificate], anchor: Certificate, at_ms: int | None
) -> bool:
    if at_ms is None or not may_lead(chain, anchor):
        return False
    try:
        verify_chain([x.der for x in chain], [anchor], at=at_ms // 1000)
    except (CertificateError, MalformedError):
        return False
    return True
