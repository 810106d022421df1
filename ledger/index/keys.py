"""What an entry can be found by: its digests, and the id of its record.

A name is one byte that says of which kind it is, and then a SHA-256 hash or the
16 bytes of a UUID, so that the two never mix. The index keeps its first 17 bytes,
its key. To make two names with one key costs 2^64 hashes, and gains nothing: who
follows a key reads the entry and compares the whole name.

The names are what `verifier.claim` would accept: a file is found where the log
has the file, its digest, or a record that mentions its digest. An entry has room
for 900 mentions, and all of them count: were some left out, whoever writes a record
could choose what it is not found by.
"""

from __future__ import annotations

import re
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from ledger.errors import Refused
from verifier import cbor
from verifier.entry import Entry
from verifier.errors import MalformedError
from verifier.own import MEDIA_TYPE as OWN
from verifier.own import PUBLISHED, parse_own
from verifier.record import MEDIA_TYPE, texts
from verifier.spelling import parse_digest
from verifier.statement import Statement, is_statement

DIGEST: Final = "digest"
RECORD: Final = "record"
PREFIXES: Final = {DIGEST: b"d", RECORD: b"r"}
"""The kinds of names, and the byte that a name of each kind begins with."""

KEY_BYTES: Final = 17
_MENTION: Final = re.compile(r"sha256:([0-9a-f]{64})")
_DIGEST: Final = re.compile(rb"(?:sha256:)?([0-9a-f]{64})")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID: Final = re.compile(
    rb"(?s:[\xa1-\xb7]|\xb8.)\x62id"
    rb"\x78\x24([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
"""How a record begins in canonical CBOR: no name of a member comes before id."""
_SPELLED: Final = re.compile(rb"\x78\x47sha256:([0-9a-f]{64})")
"""A text of 71 bytes that is a digest, as CBOR has it."""
_STATED_BYTES: Final = (32, 64, 64 + len("sha256:"))
"""How long a digest is, in each of its forms."""


def digest_name(digest: bytes) -> bytes:
    """The name of what has this SHA-256 hash."""
    return PREFIXES[DIGEST] + digest


def record_name(record_id: str) -> bytes:
    """The name of the record with this id; ValueError if it is not spelled as one."""
    if not _UUID.fullmatch(record_id):
        raise ValueError("a record's id is a UUID in lower case, with its four dashes")
    return _record_name(record_id)


def _record_name(uuid: str) -> bytes:
    return PREFIXES[RECORD] + bytes.fromhex(uuid.replace("-", ""))


def key(kind: str, start: bytes) -> bytes:
    """The key of the names of `kind` that go on with the 16 bytes `start`."""
    if kind not in PREFIXES or len(start) != KEY_BYTES - 1:
        kinds = " or ".join(PREFIXES)
        raise Refused("key", f"a key is of kind {kinds}, and has {KEY_BYTES - 1} bytes")
    return PREFIXES[kind] + start


def keys_of(entry: bytes, kind: str) -> list[bytes]:
    """The keys of `entry`, none twice, in a log whose entries are of `kind`."""
    names = names_of(entry, kind)
    if len(names) == 1:
        return [names[0][:KEY_BYTES]]
    return list(dict.fromkeys(name[:KEY_BYTES] for name in names))


def names_of(entry: bytes, kind: str) -> list[bytes]:
    """The names of `entry`, none twice, in a log whose entries are of `kind`."""
    names = [digest_name(sha256(entry).digest())]
    if kind == "opaque":
        if len(entry) not in _STATED_BYTES:
            return names  # it is about nothing but itself
        names += _stated(entry)
    elif kind == "record":
        names += _names_inside(entry)
    elif kind == "statement":
        names += _names_of_statement(entry)
    return list(dict.fromkeys(names))


def has_name(entry: bytes, kind: str, name: bytes) -> bool:
    """Whether `name` is one of `names_of(entry, kind)`; quick where an id is not."""
    if name.startswith(PREFIXES[RECORD]) and not _has_text(entry, name[1:]):
        return False
    names = names_of(entry, kind)
    if kind == "record" and name in names[2:]:
        # Those out of the bytes are quick, and may be part of a longer text.
        with suppress(MalformedError):
            whole = Entry.parse(entry)
            if whole.type == MEDIA_TYPE:
                record: Any = cbor.decode(whole.body, text_keys=True)
                return name in _names_of_record(record)
    return name in names


def _has_text(entry: bytes, record_id: bytes) -> bool:
    return str(UUID(bytes=record_id)).encode() in entry


def _stated(content: bytes) -> list[bytes]:
    """The digest that is all that was logged, in one of the three forms it may have."""
    if len(content) == 32:
        return [digest_name(content)]
    if found := _DIGEST.fullmatch(content):
        return [digest_name(bytes.fromhex(found[1].decode()))]
    return []


def _names_inside(data: bytes) -> list[bytes]:
    """The names that an entry of a record log has by its body."""
    try:
        entry = Entry.parse(data)
    except MalformedError:
        return []  # an audit says so; it is still found by its bytes
    names = [digest_name(sha256(entry.body).digest())]
    if is_statement(entry.type):
        return names + _names_of_statement(entry.body)
    if entry.type == OWN:
        return names + _published(entry)
    if entry.type != MEDIA_TYPE:
        return names + _stated(entry.body)
    if plain := _names_of_plain(entry.body):
        return names + plain
    try:
        # Only decoded: whether it is a good record was asked when it was admitted.
        record = cbor.decode(entry.body, text_keys=True)
        if isinstance(record, dict):
            names += _names_of_record(record)
    except (MalformedError, ValueError):
        pass
    return names


def _published(entry: Entry) -> list[bytes]:
    """The name of the schema or profile that the log has entered."""
    try:
        own = parse_own(entry)
    except MalformedError:
        return []
    return (
        [digest_name(parse_digest(own["digest"]))] if own["kind"] in PUBLISHED else []
    )


def _names_of_plain(body: bytes) -> list[bytes]:
    """The names of a record without commitments, out of its bytes; nothing of others.

    Inside a longer text such bytes name what the record does not. To whoever wrote
    that a row of the index is lost; who follows it reads the record.
    """
    if b"commitments" in body or not (begin := _ID.match(body)):
        return []
    mentioned = [digest_name(bytes.fromhex(x.decode())) for x in _SPELLED.findall(body)]
    return [_record_name(begin[1].decode()), *mentioned]


def _names_of_record(record: dict[str, object]) -> list[bytes]:
    # A commitment's digest is not the digest of a file.
    open_ = {name: value for name, value in record.items() if name != "commitments"}
    mentioned = [
        digest_name(bytes.fromhex(match[1]))
        for _, text in texts(open_)
        if (match := _MENTION.fullmatch(text))
    ]
    return [record_name(str(record.get("id"))), *mentioned]


def _names_of_statement(data: bytes) -> list[bytes]:
    """The names of what a statement is about: of its subjects, or of its payload."""
    try:
        digests = Statement.parse(data).digests()
    except MalformedError:
        return []
    return [
        digest_name(bytes.fromhex(match[1]))
        for each in sorted(digests)
        if (match := _MENTION.fullmatch(each))
    ]
