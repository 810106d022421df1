"""Transparent statements: RFC 9943. A signed statement that carries its receipts.

They stand in the unprotected header (394), since they come after the signature. The
entry that they are about is the statement with that header emptied, in deterministic
CBOR: anybody can make it again out of what is in hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from verifier.cose import Sign1
from verifier.errors import MalformedError

MEDIA_TYPE: Final = "application/scitt-statement+cose"
RECEIPTS: Final = 394
MAX_RECEIPTS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TransparentStatement:
    """A statement, and the receipts that it carries, not read yet."""

    statement: Sign1
    receipts: tuple[bytes, ...]

    @classmethod
    def of(cls, message: Sign1) -> Self:
        """Read it, or raise MalformedError naming what is wrong with it."""
        found = message.unprotected.get(RECEIPTS)
        if (
            not isinstance(found, list | tuple)
            or not 1 <= len(found) <= MAX_RECEIPTS
            or not all(type(each) is bytes for each in found)
        ):
            raise MalformedError(
                f"the statement's receipts (394) are no list of 1 to {MAX_RECEIPTS}"
            )
        return cls(statement=message, receipts=tuple(found))


def with_receipts(statement: bytes, receipts: Sequence[bytes]) -> bytes:
    """The COSE_Sign1 `statement` with `receipts`, and nothing else that is unsigned."""
    return Sign1.parse(statement, "the statement").encode({RECEIPTS: [*receipts]})
