"""Records: what a producer says happened. One JSON object, or the same as CBOR.

The data model is that of JSON without floats and null, so that both forms map
one to one. What is logged, hashed and committed to is the CBOR form. This much
holds for a record of any schema: it is an object, and its `id` is a UUIDv7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from verifier import cbor
from verifier.document import check_members, check_value, member, parse_document
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.spelling import parse_digest

MEDIA_TYPE: Final = "application/vnd.provlog.record+cbor"

Record: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]

MAX_PATH: Final = 16

_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)


def parse_record(body: bytes) -> Record:
    """Read the canonical form, or raise MalformedError naming what is wrong with it."""
    return check_record(cbor.decode(body, text_keys=True))


def parse_record_json(text: bytes) -> Record:
    """Read a record as JSON; `encode_record` then gives the form that is logged."""
    return check_record(parse_document(text, "the record", most=2 * MAX_BODY_BYTES))


def encode_record(record: Record) -> bytes:
    """Write the canonical form."""
    body = cbor.encode(check_record(record))
    if len(body) > MAX_BODY_BYTES:
        raise MalformedError(
            f"the record has {len(body)} bytes; log what is larger than "
            f"{MAX_BODY_BYTES} by its digest"
        )
    return body


def check_record(record: object) -> Record:
    """Return `record` if it is one."""
    if not isinstance(record, dict):
        raise MalformedError("a record is an object with named members")
    check_value(record, "the record")
    if "id" not in record:
        raise MalformedError(
            "the record has no id, and needs one: a new UUIDv7, as provlog id prints it"
        )
    if type(record["id"]) is not str or not _ID.fullmatch(record["id"]):
        raise MalformedError("the record's id is not a UUIDv7 in lower case")
    commitments_of(record)
    return record


def texts(value: object) -> Iterator[tuple[Path, str]]:
    """Every text in `value`, in order, with the path that leads to it."""
    todo: list[tuple[Path, object]] = [((), value)]
    while todo:
        path, item = todo.pop()
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, dict):
            todo.extend(((*path, name), item[name]) for name in reversed(item))
        elif isinstance(item, list):
            todo.extend(((*path, at), item[at]) for at in reversed(range(len(item))))


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
