"""Whose statement this is: by whose keys it was signed, and whether they were good.

Admission asks it, and so does the auditor, years later: one rule for both. Names in
a statement, and hints of keys, choose which keys are tried first; what counts is
which of them made a signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.errors import ProducerError
from verifier.producers import Producer, Producers
from verifier.producers.candidates import carried, keys_of
from verifier.producers.credential import Credential
from verifier.statement import Statement

MAX_TRIED: Final = 1_024
"""How often a key is tried on a signature for one statement that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The producer of a statement, and which of its keys have signed it."""

    producer: Producer
    by: tuple[Credential, ...]

    @property
    def who(self) -> str:
        """The producer; of keys that an auditor brings, those that have signed it."""
        return ", ".join(dict.fromkeys(x.file or self.producer.name for x in self.by))

    @property
    def says(self) -> str:
        """In words; also what has happened to the keys since."""
        says = f"signed by {self.who} with {', '.join(each.text for each in self.by)}"
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
) -> Signed:
    """The producer who signed `statement`, or ProducerError.

    It stands at `index` of the log and was logged `at_ms`; None where that is not
    known, or it is not logged yet. Whatever was registered since has no part in it:
    so an auditor finds what the log has found.
    """
    wrong: ProducerError | None = None
    tried, chain = 0, carried(statement)
    for producer in _in_order(statement, producers, index):
        keys = keys_of(producer, chain, producers, index, at_ms)
        trials = len(keys) * statement.signatures
        if trials > MAX_TRIED:
            # Who has so many keys does not stand in the way of others.
            wrong = wrong or ProducerError(_too_many(producer, statement))
            continue
        tried += trials
        if tried > MAX_TRIED:
            break
        signed = statement.signers(key for key, _ in keys.values())
        if signed:
            by = [keys[key.raw][1] for key in signed]
            try:
                return _checked(statement, producer, by, producers, index, at_ms)
            except ProducerError as error:
                wrong = wrong or error
    if wrong is None and index is not None:
        wrong = _later(statement, producers, at_ms)
    raise wrong or ProducerError(_why_nobody(statement, producers, tried, at_ms))


def _later(
    statement: Statement, producers: Producers, at_ms: int | None
) -> ProducerError | None:
    """What is wrong, if one has signed it who was registered since."""
    try:
        signed = verify_statement(statement, producers, at_ms=at_ms)
    except ProducerError:
        return None
    key = signed.by[0]
    return ProducerError(
        f"{key.text} was registered at entry {key.added}, after this one"
    )


def _checked(
    statement: Statement,
    producer: Producer,
    by: Sequence[Sequence[Credential]],
    producers: Producers,
    index: int | None,
    at_ms: int | None,
) -> Signed:
    """Return who it is, if enough of the keys were good by one of their credentials."""
    good: list[Credential] = []
    wrong: ProducerError | None = None
    for credentials in by:
        found, why = _good(credentials, index, at_ms)
        wrong = wrong or why
        good += found
    if len(good) < producer.threshold:
        raise wrong or ProducerError(
            f"{len(good)} of {producer.name}'s keys have signed it, and "
            f"{producer.threshold} have to"
        )
    issuer = statement.claims.issuer if statement.claims else None
    if issuer is not None:
        _check_issuer(issuer, producer, producers, index)
    return Signed(producer=producer, by=tuple(good))


def _good(
    credentials: Sequence[Credential], index: int | None, at_ms: int | None
) -> tuple[list[Credential], ProducerError | None]:
    """The first of one key's credentials that was good then, or why none was."""
    wrong: ProducerError | None = None
    for each in credentials:
        try:
            each.check(index=index, at_ms=at_ms)
        except ProducerError as error:
            wrong = wrong or error
        else:
            return [each], None
    return [], wrong


def _check_issuer(
    issuer: str, producer: Producer, producers: Producers, index: int | None
) -> None:
    """Return unless `producer` calls itself what only another one may."""
    other = producers.issuer(issuer, index)
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
    statement: Statement, producers: Producers, index: int | None
) -> Iterator[Producer]:
    """The producers, those first whom the statement hints at."""
    named = [producers.hinted(hint) for hint in _hints(statement)]
    issuer = statement.claims.issuer if statement.claims else None
    if issuer is not None:
        named.append(producers.issuer(issuer, index))
    first = {each.name: each for each in named if each is not None}
    yield from first.values()
    yield from (each for each in producers if each.name not in first)


def _hints(statement: Statement) -> list[bytes]:
    if statement.claims is not None:
        return [] if statement.claims.kid is None else [statement.claims.kid]
    assert statement.envelope is not None  # noqa: S101 - it is one of the two
    return [x.keyid.encode("utf-8", "replace") for x in statement.envelope.signatures]


def _too_many(producer: Producer, statement: Statement) -> str:
    return (
        f"{statement.signatures} signatures are too many to try with all keys of "
        f"{producer.name}; leave out those that are not needed"
    )


def _why_nobody(
    statement: Statement, producers: Producers, tried: int, at_ms: int | None
) -> str:
    if not len(producers):
        return "no producer is known; statements are believed by their keys"
    names = sorted(each.name for each in producers)
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    says = f"none of the producers that are known has signed it: {shown}"
    if hints := [hint for hint in map(_shown, _hints(statement)) if hint]:
        says += f"; it names the key {', '.join(hints[:3])}"
    if tried > MAX_TRIED:
        says += (
            "; not all of their keys were tried, for it names none of them: sign it "
            "with the key's id in it (kid, keyid)"
        )
    return says + _why_uncertified(statement, producers, at_ms)


def _why_uncertified(
    statement: Statement, producers: Producers, at_ms: int | None
) -> str:
    """What may be the matter with its certificate, or that it has none."""
    anchors = any(x.certificate for each in producers for x in each.credentials)
    if statement.chain and anchors and at_ms is None:
        says = (
            "; nobody says when it was logged, and its certificate is good for a time "
            "only: take a policy with witnesses, or say when it was (--now)"
        )
    elif statement.chain:
        says = "; its certificate does not lead to one of theirs, valid at that time"
    elif anchors and statement.message is not None:
        says = (
            "; it carries no certificate: where an authority of theirs vouches for its "
            "key, sign it with the chain"
        )
    else:
        says = ""
    return says


def _shown(hint: bytes) -> str:
    """A key's name as we write them: others use text, and bytes, and thumbprints."""
    text = hint.decode("ascii", "replace")
    if text and text.isascii() and text.isprintable():
        return text[:64]
    return hint.hex()[:64]
