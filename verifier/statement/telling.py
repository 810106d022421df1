"""What a statement says, in the words of a report; not whether it is so."""

from __future__ import annotations

from typing import Any, Final

from verifier import own
from verifier.errors import MalformedError
from verifier.report import Report
from verifier.statement import COSE, DSSE, Statement
from verifier.statement.predicates import summarise

_SHOWN_DIGESTS: Final = 8


def note_statement(statement: Statement, report: Report) -> None:
    """Note in `report` what kind of statement it is, and what it says about what."""
    claims = statement.claims
    values: dict[str, Any] = {
        "media_type": statement.media_type,
        "payload_type": statement.payload_type,
        "issuer": claims.issuer if claims else None,
        "subject": claims.subject if claims else None,
    }
    named = "COSE_Sign1" if claims else "DSSE envelope"
    if statement.media_type not in (COSE, DSSE):
        named = "Sigstore bundle with a DSSE envelope"
    size = (
        "detached" if statement.payload is None else f"{len(statement.payload)} bytes"
    )
    what = "a digest of something" if statement.is_digest else "a payload"
    words = [f"{named}, {what}, {size}, of type {statement.payload_type or 'unknown'}"]
    words += [
        f"{name} {values[name]!r}" for name in ("issuer", "subject") if values[name]
    ]
    if claims and claims.location:
        words.append(f"to be found at {claims.location!r}")
    report.notes("statement", "; ".join(words), **values)
    _note_payload(statement, report)


def told(statement: Statement) -> list[dict[str, Any]]:
    """The same, as a list of JSON objects."""
    report = Report()
    note_statement(statement, report)
    return [each.document() for each in report.findings]


def _note_payload(statement: Statement, report: Report) -> None:
    if statement.payload_type == own.MEDIA_TYPE and statement.payload is not None:
        try:
            for name, value in own.parse_members(statement.payload).items():
                report.notes("own", f"{name}: {value!r}")
        except MalformedError as error:
            report.notes("own", f"it does not say what a log says of itself: {error}")
        return
    try:
        found = statement.in_toto()
        if found is None:
            return
        summary = summarise(found)
    except MalformedError as error:
        report.notes("payload", f"it is not what its type says: {error}")
        return
    digests = sorted(found.subject_digests())
    shown = ", ".join(digests[:_SHOWN_DIGESTS])
    more = len(digests) - _SHOWN_DIGESTS
    report.notes(
        "payload",
        f"{summary.says}; about {shown}{f' and {more} more' if more > 0 else ''}",
        predicate_type=found.predicate_type,
        predicate=summary.kind,
        subjects=digests,
        **{f"{summary.kind}": summary.values},
    )
