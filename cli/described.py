"""What an entry is, in a line: who handed it in and when, and what is in it.

In a statement log nothing is around a statement, so it says who issued it about what,
and nobody says when. Whose signature it has is not looked at here.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Any

from verifier import own
from verifier.cose import PREFIX as COSE_PREFIX
from verifier.entry import LOG, PREFIX, Entry
from verifier.errors import MalformedError
from verifier.record import MEDIA_TYPE, parse_record
from verifier.report import escape, time_text
from verifier.spelling import digest_text
from verifier.statement import Statement, check_bare, is_statement
from verifier.statement.envelope import MEDIA_TYPE as DSSE
from verifier.statement.own import own_in
from verifier.statement.predicates import summarise


def described(index: int, data: bytes, kind: str) -> dict[str, Any]:
    """What an entry is, as far as it is not just bytes."""
    found: dict[str, Any] = {
        "index": index,
        "bytes": len(data),
        "digest": digest_text(sha256(data).digest()),
    }
    try:
        if kind in ("record", "auto") and data.startswith(PREFIX):
            return found | _wrapped(data)
        if kind in ("statement", "auto") and data.startswith(COSE_PREFIX):
            return found | _bare(data)
    except MalformedError as error:
        if kind == "record":
            raise MalformedError(f"entry {index}: {error}") from None
    return found


def line(found: dict[str, Any]) -> str:
    """The same for people."""
    words = [found["index"]]
    if "at" in found:
        seconds, ms = divmod(found["at"], 1000)
        words += [time_text(seconds).replace("Z", f".{ms:03}Z"), found["by"]]
    if "form" in found:
        # A statement need not have them, and the others stay in their columns.
        words += [found["form"], found["issuer"] or "-", found["subject"] or "-"]
        words.append(found.get("predicate") or found["payload_type"] or "-")
    elif "kind" in found:
        # So it is with the kind of a record.
        words += [found["kind"] or "-", *([found["id"]] if "id" in found else [])]
    else:
        size = f"{found['bytes']} bytes"
        words += [found["type"], size] if "type" in found else [size, found["digest"]]
    return "  ".join(escape(str(each)) for each in words)


def _wrapped(data: bytes) -> dict[str, Any]:
    """An entry of a record log."""
    entry = Entry.parse(data)
    found: dict[str, Any] = {"at": entry.at, "by": entry.by, "type": entry.type}
    if entry.by == LOG and entry.type == own.MEDIA_TYPE:
        found["kind"] = own.parse_own(entry)["kind"]
    elif entry.type == MEDIA_TYPE:
        record = parse_record(entry.body)
        found |= {"id": record["id"], "kind": record.get("kind")}
    elif is_statement(entry.type):
        found |= _stated(Statement.parse(entry.body))
    return found


def _bare(data: bytes) -> dict[str, Any]:
    """An entry of a statement log."""
    found = _stated(check_bare(data))
    if said := own_in(data):
        found["kind"] = said["kind"]
    return found


def _stated(statement: Statement) -> dict[str, Any]:
    """What a statement is; what it says of its subjects is in the whole of it."""
    claims = statement.claims
    form = "dsse" if statement.media_type == DSSE else "sigstore"
    found = {
        "form": "cose" if claims else form,
        "issuer": claims.issuer if claims else None,
        "subject": claims.subject if claims else None,
        "payload_type": statement.payload_type,
    }
    with suppress(MalformedError):  # another log may have looked less closely
        if about := statement.in_toto():
            found["predicate_type"] = about.predicate_type
            kind = summarise(about).kind
            found["predicate"] = about.predicate_type if kind == "other" else kind
    return found
