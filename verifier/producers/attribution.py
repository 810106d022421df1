"""Whose statement this is: by whose keys it was signed, and whether they were good.

Admission asks it, and so does the auditor, years later: one rule for both. Names in
a statement, and hints of keys, choose which keys are tried first; what counts is
which of them made a signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.certificate import Certificate, may_lead, verify_chain
from verifier.errors import CertificateError, MalformedError, ProducerError
from verifier.keys import PublicKey
from verifier.producers import Producer, Producers
from verifier.producers.credential import Credential
from verifier.statement import Statement

MAX_TRIED: Final = 1_024
"""How often a key is tried on a signature for one statement: a tenth of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The producer of a statement, and which of its keys have signed it."""

    producer: Producer
    by: tuple[Credential, ...]

    @property
    def says(self) -> str:
        """In words; also what has happened to the keys since."""
        keys = ", ".join(each.text for each in self.by)
        says = f"signed by {self.producer.name} with {keys}"
        later = [each for each in self.by if each.revoked is not None]
        if later:
            ended = ", ".join(f"{x.id} at entry {x.revoked}" for x in later)
            says += f"; revoked since ({ended}), after this was logged: it stays valid"
        return says


def verify_statement(
    statement: Statement,
    producers: Producers,
    *,
    index: int | None = None,
    at_ms: int | None = None,
    likely: str = "",
) -> Signed:
    """The producer who signed `statement`, or ProducerError.

    It stands at `index` of the log and was logged `at_ms`; None where that is not
    known, or it is not logged yet. The one called `likely` is asked first.
    """
    wrong: ProducerError | None = None
    tried, signatures = 0, statement.signatures
    chain = _carried(statement)
    for producer in _in_order(statement, producers, likely):
        keys = dict(_keys(producer, chain, producers, index, at_ms))
        tried += len(producer.credentials) * signatures
        signed = statement.signers(key for _, key in keys.values())
        if signed:
            by = [keys[key.raw][0] for key in signed]
            try:
                return _checked(statement, producer, by, producers, index, at_ms)
            except ProducerError as error:
                wrong = wrong or error
        if tried >= MAX_TRIED:
            break
    raise wrong or ProducerError(_why_nobody(statement, producers))


def _checked(
    statement: Statement,
    producer: Producer,
    credentials: Sequence[Credential],
    producers: Producers,
    index: int | None,
    at_ms: int | None,
) -> Signed:
    good: list[Credential] = []
    wrong: ProducerError | None = None
    for each in credentials:
        try:
            each.check(index=index, at_ms=at_ms)
        except ProducerError as error:
            wrong = wrong or error
        else:
            good.append(each)
    if len(good) < producer.threshold:
        if wrong:
            raise wrong
        raise ProducerError(
            f"{len(good)} of {producer.name}'s keys have signed it, and "
            f"{producer.threshold} have to"
        )
    issuer = statement.claims.issuer if statement.claims else None
    if issuer is not None:
        _check_issuer(issuer, producer, producers)
    return Signed(producer=producer, by=tuple(good))


def _check_issuer(issuer: str, producer: Producer, producers: Producers) -> None:
    """Return unless `producer` calls itself what only another one may."""
    other = producers.issuer(issuer)
    if other is not None and other.name != producer.name:
        raise ProducerError(
            f"{producer.name} signed it as issuer {issuer[:80]!r}, who is {other.name}"
        )
    if producer.issuers and other is None:
        raise ProducerError(
            f"{producer.name} signed it as issuer {issuer[:80]!r}, and is registered "
            f"as {', '.join(map(repr, producer.issuers))}"
        )


def _in_order(
    statement: Statement, producers: Producers, likely: str
) -> Iterator[Producer]:
    """The producers, those first whom the statement, or the caller, hints at."""
    named = [producers.hinted(hint) for hint in _hints(statement)]
    named.append(producers.get(likely))
    issuer = statement.claims.issuer if statement.claims else None
    if issuer is not None:
        named.append(producers.issuer(issuer))
    first = {each.name: each for each in named if each is not None}
    yield from first.values()
    yield from (each for each in producers if each.name not in first)


def _hints(statement: Statement) -> list[bytes]:
    if statement.claims is not None:
        return [] if statement.claims.kid is None else [statement.claims.kid]
    assert statement.envelope is not None  # noqa: S101 - it is one of the two
    return [x.keyid.encode("utf-8", "replace") for x in statement.envelope.signatures]


def _carried(statement: Statement) -> list[Certificate] | None:
    """The certificates in the statement; None if they cannot be read.

    Read once: to read one takes as long as to verify ten signatures.
    """
    try:
        return [Certificate.parse(each) for each in statement.chain]
    except MalformedError:
        return None


def _keys(
    producer: Producer,
    chain: Sequence[Certificate] | None,
    producers: Producers,
    index: int | None,
    at_ms: int | None,
) -> Iterator[tuple[bytes, tuple[Credential, PublicKey]]]:
    """The keys of `producer`, by their bytes.

    Also that of the statement's own certificate, where it leads to one of its own.
    """
    for each in producer.credentials:
        key = each.key
        if each.certificate is not None and chain is not None:
            # Without certificates of its own it may be signed with the one we have.
            carried = chain or [each.certificate]
            key = _leaf_key(carried, each.certificate, producers, index, at_ms)
        if key is not None:
            yield key.raw, (each, key)


def _leaf_key(
    chain: Sequence[Certificate],
    anchor: Certificate,
    producers: Producers,
    index: int | None,
    at_ms: int | None,
) -> PublicKey | None:
    """The key of the first certificate, if that is the anchor, or leads to it."""
    leaf, is_anchor = chain[0], chain[0].der == anchor.der
    if not is_anchor and (at_ms is None or not may_lead(chain, anchor)):
        return None
    if not is_anchor and leaf.key and producers.holds(leaf.key, index):
        # Judged by its own registration: whoever is an authority could make out
        # certificates for the keys of others, or for one that was revoked.
        return None
    try:
        verify_chain([x.der for x in chain], [anchor], at=(at_ms or 0) // 1000)
    except (CertificateError, MalformedError):
        return None
    return leaf.key


def _why_nobody(statement: Statement, producers: Producers) -> str:
    if not len(producers):
        return "no producer is known; statements are believed by their keys"
    names = sorted(each.name for each in producers)
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    says = f"none of the producers that are known has signed it: {shown}"
    if statement.chain:
        says += "; its certificate does not lead to one of theirs, valid at that time"
    return says
