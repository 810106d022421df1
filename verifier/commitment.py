"""Commitments: what a record says about a value without holding it.

A sensitive value never enters the tree. The record carries the hash of the
value and of 32 random bytes, the salt; who holds both can open it. When they
are destroyed nobody can, guesses cannot be tried, and every proof stays valid:
a closed commitment is a record like any other. Whether it is closed because it
was erased or because somebody keeps it back cannot be told from outside.

In a record they stand as a list, each path once:

    "commitments": [{"path": ["prompt", "text"], "digest": "sha256:…"}]
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

from verifier import cbor
from verifier.document import check_members, check_value, member
from verifier.errors import MalformedError, OpeningError
from verifier.record import Path, Record, commitments_of, parse_path
from verifier.report import path_text
from verifier.spelling import base64_text, parse_base64

DOMAIN: Final = "provlog/commitment/1"
SALT_SIZE: Final = 32


def commitment(*, salt: bytes, record_id: str, path: Path, value: Any) -> bytes:
    """The hash that commits the record `record_id` to `value` at `path`."""
    if len(salt) != SALT_SIZE:
        raise MalformedError(f"a salt has {SALT_SIZE} bytes, not {len(salt)}")
    check_value(value, "the committed value")
    return sha256(cbor.encode([DOMAIN, salt, record_id, [*path], value])).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What opens a commitment: where it is, the salt and the value."""

    path: Path
    salt: bytes
    value: Any

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read an opening from a JSON value."""
        what = "an opening"
        if type(document) is not dict:
            raise MalformedError(f"{what} is not an object")
        check_members(document, frozenset({"path", "salt", "value"}), what)
        if "value" not in document:
            raise MalformedError(f"{what} has no value")
        return cls(
            path=parse_path(member(document, "path", list, what)),
            salt=parse_base64(member(document, "salt", str, what), "a salt"),
            value=document["value"],
        )

    def document(self) -> dict[str, Any]:
        """Write the opening as a JSON value."""
        return {
            "path": [*self.path],
            "salt": base64_text(self.salt),
            "value": self.value,
        }


def verify_openings(record: Record, openings: list[Opening]) -> list[Path]:
    """Return the paths that stay closed if each of `openings` opens a commitment."""
    closed = commitments_of(record)
    if len({opening.salt for opening in openings}) < len(openings):
        # Who sees one opening could try guesses at the other.
        raise OpeningError("two openings have the same salt, or one stands twice")
    for opening in openings:
        shown = path_text(opening.path)
        committed = closed.pop(opening.path, None)
        if committed is None:
            raise OpeningError(
                f"the record has no commitment at {shown}, or it is opened twice"
            )
        computed = commitment(
            salt=opening.salt,
            record_id=record["id"],
            path=opening.path,
            value=opening.value,
        )
        if computed != committed:
            raise OpeningError(
                f"the opening at {shown} does not lead to the commitment there"
            )
    return [*closed]
