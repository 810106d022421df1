"""May this statement enter: its form, the log's profile, and who has signed it.

The signature is looked at here, once, by the rule by which an auditor looks at it
later. Who submits a statement need not be who has signed it: the entry says the one,
and the statement the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from ledger.errors import Refused
from ledger.keys.payload import check_payload
from ledger.log.registry import Registry
from ledger.store import Charter
from verifier.cose import ALG, ALGORITHMS, PREFIX
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError, VerificationError
from verifier.producers.attribution import verify_statement
from verifier.statement import COSE, Statement
from verifier.statement.claims import Claims, check_scitt
from verifier.statement.own import check_not_own
from verifier.tile import MAX_ENTRY_BYTES

_SIGN: Final = "provlog sign FILE --issuer NAME --subject NAME"
_MARGIN_MS: Final = 60_000
"""Longer than a submission ever waits for its batch."""


class Statements:
    """Looks at statements for the log of `charter`, whose producers `registry` has.

    `types` are the payload types that it takes, all of them where there are none.
    """

    def __init__(
        self,
        charter: Charter,
        registry: Registry,
        now_ms: Callable[[], int],
        types: Collection[str] = (),
    ) -> None:
        self._charter = charter
        self._registry = registry
        self._now_ms = now_ms
        self._types = types

    def read(self, data: bytes) -> Statement:
        """The statement that `data` is, if it is one that this log takes."""
        try:
            statement = self._parsed(data)
            self._check_profile(statement)
        except MalformedError as error:
            raise Refused("form", str(error)) from None
        _check_message(statement)
        most = MAX_BODY_BYTES if self._charter.kind == "record" else MAX_ENTRY_BYTES
        if (size := len(statement.content)) > most:
            raise Refused(
                "size",
                f"{size} bytes, and at most {most}; sign what is larger by its digest: "
                "provlog sign --digest",
            )
        return statement

    def check_signed(self, statement: Statement) -> int:
        """How many entries about producers say that its signature is good now."""
        producers, now_ms = self._registry.current(), self._now_ms()
        known = producers.number
        try:
            signed = verify_statement(statement, producers, at_ms=now_ms)
            if any(x.certificate or x.until_ms is not None for x in signed.by):
                # It is logged a moment later, and has to be good then as well.
                verify_statement(statement, producers, at_ms=now_ms + _MARGIN_MS)
        except MalformedError as error:
            raise Refused("form", str(error)) from None
        except VerificationError as error:
            raise Refused(error.check, str(error)) from None
        return known

    def knows(self, identity: bytes) -> bool:
        """Whether this was logged before; its index does not hang on its key."""
        return self._registry.knows(identity)

    def _parsed(self, data: bytes) -> Statement:
        """The statement; in a log of nothing else, what is none may be a plain file."""
        try:
            return Statement.parse(data)
        except MalformedError:
            if self._charter.kind != "statement" or data.startswith(PREFIX):
                raise
            raise MalformedError(
                "it is no COSE_Sign1 under tag 18, and a statement log takes nothing "
                f"else; sign it first: {_SIGN}"
            ) from None

    def _check_profile(self, statement: Statement) -> None:
        """Return if it is what this kind of log takes: else MalformedError."""
        claims, message = statement.claims, statement.message
        if claims is not None and message is not None:
            check_not_own(claims, self._charter.origin)
        if self._charter.kind == "statement":
            if claims is None or message is None:
                raise MalformedError(
                    f"a statement log takes {COSE}, as SCITT has it; a DSSE envelope "
                    "goes into a record log, or signed again: provlog sign"
                )
            _check_scitt(claims)
        if self._types and statement.payload_type not in self._types:
            raise MalformedError(
                f"a payload of type {str(statement.payload_type)[:80]!r}; this log "
                f"takes {', '.join(self._types)}"
            )
        payload = None if statement.is_digest else statement.payload
        check_payload(statement.payload_type, payload)


def _check_scitt(claims: Claims) -> None:
    try:
        check_scitt(claims)
    except MalformedError as error:
        if claims.issuer and claims.subject:
            raise
        raise MalformedError(f"{error}: {_SIGN}") from None


def _check_message(statement: Statement) -> None:
    """Return if its signature can be looked at; the words are those of SCITT."""
    message = statement.message
    if message is None:
        return
    if message.payload is None:
        says = "the payload is detached; attach it, or sign its digest"
        raise Refused("payload", says)
    stated = message.headers.get(ALG)
    if type(stated) is not int or stated not in ALGORITHMS:
        known = ", ".join(map(str, ALGORITHMS))
        raise Refused("algorithm", f"it has to be signed with one of: {known}")
