"""May this enter: form and size, looked at before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ledger.clock import Clock
from ledger.config import Config
from ledger.errors import Refused
from ledger.log.forms import Canonical
from ledger.log.identity import (
    digest_identity,
    record_identity,
    register_identity,
)
from ledger.log.pool import Admitted
from ledger.log.registry import Registry
from ledger.log.statements import Statements
from ledger.schema.demands import NOTHING, Demands
from ledger.schema.faults import Faulty
from ledger.schema.profile import Profile
from ledger.schema.reading import read_cbor
from ledger.store import Charter
from verifier.entry import BY, LOG, MAX_BODY_BYTES, untimed
from verifier.errors import MalformedError
from verifier.record import MEDIA_TYPE
from verifier.tile import MAX_ENTRY_BYTES


class Admission:
    """Admits what the log's charter allows: statements by `statements`.

    `profiles` say what records have to have beyond the schema.
    """

    def __init__(
        self,
        charter: Charter,
        statements: Statements | None = None,
        profiles: Sequence[Profile] = (),
    ) -> None:
        self.profiles = profiles
        demands = [demand for each in profiles for demand in each.demands]
        self.demands = Demands(demands) if demands else NOTHING
        self._charter = charter
        self._statements = statements
        kinds = {
            "record": self._record,
            "statement": self._statement,
            "opaque": self._opaque,
        }
        self._admit = kinds[charter.kind]

    def admit(self, data: bytes, *, by: str) -> Admitted:
        """Admit `data` from the submitter `by`, or raise Refused."""
        _check_submitter(by)
        return self._admit(data, by)

    def admit_statement(self, data: bytes, *, by: str) -> Admitted:
        """Admit the statement `data` from the submitter `by`, or raise Refused."""
        _check_submitter(by)
        return self._statement(data, by)

    def _record(self, data: bytes, by: str) -> Admitted:
        if len(data) > MAX_BODY_BYTES:
            raise _too_large(len(data), MAX_BODY_BYTES)
        if isinstance(data, Canonical) and data.demands is self.demands:
            id_, lacks, flags = data.id, data.lacks, data.flags
        else:
            try:
                record: Any = read_cbor(data, self.demands)
            except MalformedError as error:
                raise Refused("form", str(error)) from None
            id_, demands = record["id"], self.demands
            lacks, flags = demands.refusals(record), demands.flags(record)
        identity = record_identity(by, id_)
        # What was logged before somebody demanded more keeps its index.
        if lacks and not (self._statements and self._statements.knows(identity)):
            raise Faulty(lacks)
        return Admitted(identity, untimed(by, MEDIA_TYPE, data), flags=flags)

    def _statement(self, data: bytes, by: str) -> Admitted:
        if self._statements is None or self._charter.kind == "opaque":
            raise Refused("form", f"an {self._charter.kind} log takes no statements")
        statement = self._statements.read(data)
        entry = content = statement.content
        if self._charter.kind == "record":
            entry = untimed(by, statement.media_type, content)
        identity = digest_identity(by, content)
        try:
            known = self._statements.check_signed(statement)
        except Refused:
            if self._statements.knows(identity):
                return Admitted(identity, entry)
            raise
        return Admitted(identity, entry, register_identity(known))

    def _opaque(self, data: bytes, by: str) -> Admitted:
        if len(data) > MAX_ENTRY_BYTES:
            raise _too_large(len(data), MAX_ENTRY_BYTES)
        return Admitted(
            digest_identity(by, data) if self._charter.dedupe else None, data
        )


def admission_of(
    config: Config,
    charter: Charter,
    profiles: Sequence[Profile],
    registry: Registry,
    clock: Clock,
) -> Admission:
    """The admission of a log, for whoever has its settings and reads its store."""
    statements = Statements(
        charter, registry, lambda: clock().wall_ms, config.statement_types
    )
    return Admission(charter, statements, profiles)


@lru_cache(maxsize=1_024)
def _check_submitter(by: str) -> None:
    if not BY.fullmatch(by) or by == LOG:
        says = f"{LOG!r} is the log itself" if by == LOG else "no pseudonym"
        raise Refused("by", f"nobody submits as {by!r}: {says}")


def _too_large(size: int, most: int) -> Refused:
    return Refused(
        "size", f"{size} bytes, and at most {most}; log what is larger by its digest"
    )
