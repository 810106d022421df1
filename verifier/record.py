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
from verifier.document import check_value, parse_document
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError

MEDIA_TYPE: Final = "application/vnd.provlog.record+cbor"

Record: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]

_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def parse_record(body: bytes) -> Record:
    """Read the canonical form, or raise MalformedError naming what is wrong with it."""
    return check_record(cbor.decode(body))


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
    if type(record.get("id")) is not str or not _ID.fullmatch(record["id"]):
        raise MalformedError("the record's id is not a UUIDv7 in lower case")
    return record


def parse_digest(text: object) -> bytes:
    """The hash in a digest such as sha256:2cf24dba…"""
    if type(text) is not str or not _DIGEST.fullmatch(text):
        raise MalformedError("a digest is sha256: and 64 hex digits in lower case")
    return bytes.fromhex(text.removeprefix("sha256:"))


def digest_text(digest: bytes) -> str:
    """Write a SHA-256 hash as records do."""
    return f"sha256:{digest.hex()}"


def texts(value: object) -> Iterator[tuple[Path, str]]:
    """Every text in `value`, with the path that leads to it."""
    todo: list[tuple[Path, object]] = [((), value)]
    while todo:
        path, item = todo.pop()
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, dict):
            todo.extend(((*path, name), each) for name, each in item.items())
        elif isinstance(item, list):
            todo.extend(((*path, at), each) for at, each in enumerate(item))
