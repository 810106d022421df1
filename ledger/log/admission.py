"""May this enter: form and size, looked at before anything is written."""

from __future__ import annotations

from typing import Final

from ledger.errors import Refused
from ledger.log.forms import Canonical
from ledger.log.identity import digest_identity, record_identity
from ledger.log.pool import Admitted
from ledger.store import Charter
from verifier import cbor
from verifier.entry import BY, LOG, MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.record import MEDIA_TYPE, parse_record
from verifier.tile import MAX_ENTRY_BYTES

_SIGN1: Final = 18
_BY, _BODY, _TYPE = map(cbor.encode, ("by", "body", "type"))
"""The keys of an entry behind its time, in their order."""


class Admission:
    """Admits what the log's charter allows."""

    def __init__(self, charter: Charter) -> None:
        self._charter = charter

    def admit(self, data: bytes, *, by: str) -> Admitted:
        """Admit `data` from the submitter `by`, or raise Refused."""
        if not BY.fullmatch(by) or by == LOG:
            says = f"{LOG!r} is the log itself" if by == LOG else "no pseudonym"
            raise Refused("by", f"nobody submits as {by!r}: {says}")
        admit = {"record": _record, "statement": _statement, "opaque": self._opaque}
        return admit[self._charter.kind](data, by)

    def _opaque(self, data: bytes, by: str) -> Admitted:
        if len(data) > MAX_ENTRY_BYTES:
            raise _too_large(len(data), MAX_ENTRY_BYTES)
        return Admitted(
            digest_identity(by, data) if self._charter.dedupe else None, data
        )


def _record(data: bytes, by: str) -> Admitted:
    if len(data) > MAX_BODY_BYTES:
        raise _too_large(len(data), MAX_BODY_BYTES)
    try:
        id_ = data.id if isinstance(data, Canonical) else parse_record(data)["id"]
    except MalformedError as error:
        raise Refused("form", str(error)) from None
    return Admitted(record_identity(by, id_), untimed(by, MEDIA_TYPE, data))


def _statement(data: bytes, by: str) -> Admitted:
    """A COSE_Sign1; its unprotected header is not signed, and not logged."""
    if len(data) > MAX_ENTRY_BYTES:
        raise _too_large(len(data), MAX_ENTRY_BYTES)
    try:
        statement = cbor.decode(data, tags={_SIGN1})
        if not isinstance(statement, cbor.Tag):
            raise MalformedError("a statement is a COSE_Sign1, which has tag 18")
        match statement.value:
            case [bytes() as protected, {}, payload, bytes() as mark]:
                kept = cbor.Tag(_SIGN1, [protected, {}, payload, mark])
            case _:
                raise MalformedError(
                    "a COSE_Sign1 has a protected and an unprotected header, a payload "
                    "and a signature"
                )
        entry = cbor.encode(kept, tags={_SIGN1})
    except MalformedError as error:
        raise Refused("form", str(error)) from None
    return Admitted(digest_identity(by, entry), entry)


def untimed(by: str, type_: str, body: bytes) -> bytes:
    """An entry of a record log, without the 16 bytes that have its time."""
    return b"".join(
        (
            _BY,
            cbor.encode(by),
            _BODY,
            cbor.encode(bytes(body)),
            _TYPE,
            cbor.encode(type_),
        )
    )


def _too_large(size: int, most: int) -> Refused:
    return Refused(
        "size", f"{size} bytes, and at most {most}; log what is larger by its digest"
    )
