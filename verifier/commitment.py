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
from verifier.record import Path, Record, parse_digest
from verifier.spelling import base64_text, parse_base64

DOMAIN: Final = "provlog/commitment/1"
SALT_SIZE: Final = 32
MAX_PATH: Final = 16


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


def parse_path(steps: list[Any]) -> Path:
    """Read a path: member names, and positions in lists."""
    if not 1 <= len(steps) <= MAX_PATH:
        raise MalformedError(f"a path has 1 to {MAX_PATH} steps")
    for step in steps:
        if type(step) is not str and (type(step) is not int or step < 0):
            raise MalformedError("a path's step is neither a name nor a position")
    return tuple(steps)


def commitments_of(record: Record) -> dict[Path, bytes]:
    """The commitments that `record` carries, by path."""
    listed = record.get("commitments", [])
    if type(listed) is not list:
        raise MalformedError("the record's commitments are not a list")
    found: dict[Path, bytes] = {}
    for each in listed:
        if type(each) is not dict:
            raise MalformedError("a commitment is not an object")
        check_members(each, frozenset({"path", "digest"}), "a commitment")
        path = parse_path(member(each, "path", list, "a commitment"))
        if path in found:
            raise MalformedError("two commitments for the same path")
        found[path] = parse_digest(each.get("digest"))
    for path in found:
        # Two values in one place, or one inside another, are two stories.
        if any(path[:length] in found for length in range(1, len(path))):
            raise MalformedError("a commitment for what is inside another one")
        if _stands(record, path):
            raise MalformedError("a commitment for what the record says openly")
    return found


def _stands(value: Any, path: Path) -> bool:
    """Whether `value` has something at `path`."""
    for step in path:
        if isinstance(step, str):
            there = isinstance(value, dict) and step in value
        else:
            there = isinstance(value, list) and step < len(value)
        if not there:
            return False
        value = value[step]
    return True


def verify_openings(record: Record, openings: list[Opening]) -> list[Path]:
    """Return the paths that stay closed if each of `openings` opens a commitment."""
    closed = commitments_of(record)
    if len({opening.salt for opening in openings}) < len(openings):
        # Who sees one opening could try guesses at the other.
        raise OpeningError("two openings have the same salt, or one stands twice")
    for opening in openings:
        shown = "/".join(map(str, opening.path))
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
