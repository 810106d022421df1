"""What an entry says, and what else in hand fits it: openings, a file, a producer.

It is the last link: the entry has been proven, and now is read. What is said in a
report is no more than was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from verifier.commitment import Opening, verify_openings
from verifier.cose import PREFIX as COSE_PREFIX
from verifier.entry import PREFIX, Entry
from verifier.errors import (
    ArtifactError,
    EntryError,
    MalformedError,
    OpeningError,
    ProducerError,
)
from verifier.producers import Producers
from verifier.producers.attribution import verify_statement
from verifier.record import MEDIA_TYPE, Record, parse_record, texts
from verifier.report import Report, path_text, time_text
from verifier.spelling import digest_text
from verifier.statement import Statement, check_bare, is_statement
from verifier.statement.telling import note_statement

# In an opaque log anybody can submit what looks like a record log's entry.
_WHOSE_WORD: Final = {
    "record": "the log wrote",
    "auto": "if this is a record log, it wrote",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What was submitted, and what it is, if that can be told.

    `at_ms` is the time that the log wrote, where it writes one.
    """

    body: bytes
    record: Record | None = None
    statement: Statement | None = None
    at_ms: int | None = None


def kind_of(data: bytes, kind: str, signed: str | None) -> str:
    """How to read the entry `data`: `kind`, or what the log has signed of itself."""
    if kind == "auto" and signed == "record" and data.startswith(PREFIX):
        return "record"
    return kind


def read_content(data: bytes, kind: str, report: Report) -> Content:
    """What the entry `data` has in it, in a log whose entries are of `kind`.

    Its time counts where that is said: to a log that takes any bytes anybody could have
    submitted an older one.
    """
    if kind == "statement" or (kind == "auto" and data.startswith(COSE_PREFIX)):
        return _read_bare(data, kind, report)
    if kind == "opaque" or (kind == "auto" and not data.startswith(PREFIX)):
        return _read_opaque(data, report)
    try:
        entry = Entry.parse(data)
    except MalformedError as error:
        raise EntryError(f"not an entry of a record log: {error}") from None
    digest = digest_text(sha256(entry.body).digest())
    report.notes(
        "entry",
        f"{_WHOSE_WORD[kind]}: by {entry.by} at {time_text(entry.at // 1000)}, "
        f"{len(entry.body)} bytes, {digest}, of type {entry.type}",
        by=entry.by,
        at=entry.at,
        type=entry.type,
        body_digest=digest,
    )
    at_ms = entry.at if kind == "record" else None
    if entry.type == MEDIA_TYPE:
        record = parse_record(entry.body)
        report.notes("record", f"id {record['id']}", record=record)
        return Content(body=entry.body, record=record, at_ms=at_ms)
    if is_statement(entry.type):
        statement = Statement.parse(entry.body)
        note_statement(statement, report)
        return Content(body=entry.body, statement=statement, at_ms=at_ms)
    return Content(body=entry.body, at_ms=at_ms)


def _read_opaque(data: bytes, report: Report) -> Content:
    digest = digest_text(sha256(data).digest())
    says = f"{len(data)} bytes, {digest}"
    report.notes("entry", says, bytes=len(data), digest=digest)
    return Content(body=data)


def _read_bare(data: bytes, kind: str, report: Report) -> Content:
    """A statement log's entry: a COSE_Sign1 with nothing around it."""
    try:
        statement = check_bare(data)
    except MalformedError as error:
        if kind == "auto":
            return _read_opaque(data, report)
        raise EntryError(f"not an entry of a statement log: {error}") from None
    _read_opaque(data, report)
    note_statement(statement, report)
    return Content(body=data, statement=statement)


def check_openings(
    content: Content, openings: Sequence[Opening], report: Report
) -> None:
    """Return if each opening fits a commitment of the record."""
    record = content.record
    if record is None:
        if openings:
            raise OpeningError(
                "the evidence opens commitments, but the entry is not a record"
            )
        return
    closed = verify_openings(record, list(openings))
    for opening in openings:
        report.holds(
            "opening",
            f"{path_text(opening.path)} is {opening.value!r}",
            path=list(opening.path),
            value=opening.value,
        )
    for path in closed:
        report.notes(
            "closed", f"{path_text(path)} is withheld or erased", path=list(path)
        )


def check_producer(
    content: Content,
    producers: Producers | None,
    report: Report,
    *,
    origin: str | None,
    index: int | None,
    said_index: int | None = None,
    now_ms: int | None = None,
) -> None:
    """Return if one of `producers` has signed it; None if nobody has named any.

    `said_index` is for evidence whose index nobody has signed.
    """
    statement = content.statement
    if producers is None:
        if statement is not None:
            says = "its signature was not looked at: nobody was named to believe"
            report.notes("producer", says)
        return
    if statement is None:
        raise ProducerError("the entry is no statement, and nobody has signed it")
    _check_register(producers, origin)
    at_ms = now_ms if content.at_ms is None else content.at_ms
    known, at = producers.size, said_index if index is None else index
    older = known is not None and at is not None and at >= known
    try:
        signed = verify_statement(statement, producers, index=index, at_ms=at_ms)
    except ProducerError as error:
        if not older:
            raise
        says = f"{error}; the register ends before entry {known}: get a newer one"
        raise ProducerError(says) from None
    report.holds(
        "producer",
        signed.says,
        producer=signed.who,
        keys=[each.id for each in signed.by],
    )
    if older:
        says = (
            f"the register ends before entry {known}: what was revoked since, and "
            "before this was logged, is not in it"
        )
        report.notes("register", says, register_size=known)


def _check_register(producers: Producers, origin: str | None) -> None:
    """Return if what is known of the producers is of this log.

    An index of one log says nothing in another one.
    """
    if producers.origin is not None and origin != producers.origin:
        raise ProducerError(
            f"the register is that of {producers.origin}, and this is by "
            f"{origin or 'nobody that it names'}; take the register of that log"
        )


def check_artifact(
    content: Content, openings: Sequence[Opening], artifact: bytes, report: Report
) -> None:
    """Return if the entry describes the file whose SHA-256 is `artifact`."""
    digest = digest_text(artifact)
    if content.statement is not None:
        if digest not in content.statement.digests():
            raise ArtifactError(f"the statement is about no file with {digest}")
        says = f"the statement is about {digest}"
        report.holds("artifact", says, digest=digest)
        return
    if content.record is None:
        digests = {artifact, artifact.hex().encode(), digest.encode()}
        body = content.body
        if sha256(body).digest() != artifact and body not in digests:
            raise ArtifactError(
                f"what was logged is neither the file nor its digest, {digest}"
            )
        report.holds(
            "artifact", "what was logged is the file, or its digest", digest=digest
        )
        return
    _check_mentioned(content.record, openings, digest, report)


def _check_mentioned(
    record: Record, openings: Sequence[Opening], digest: str, report: Report
) -> None:
    # A commitment's digest is not the digest of a file.
    stated = {name: value for name, value in record.items() if name != "commitments"}
    found = [path for path, text in texts(stated) if text == digest]
    for each in openings:
        found += [
            (*each.path, *path) for path, text in texts(each.value) if text == digest
        ]
    if not found:
        raise ArtifactError(f"the record does not mention the file's digest, {digest}")
    says = f"the record has {digest} at {', '.join(map(path_text, found))}"
    report.holds("artifact", says, digest=digest, paths=[list(each) for each in found])
