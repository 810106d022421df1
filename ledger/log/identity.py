"""Identity: by what a submission is known when it comes again.

For a record it is who submits it and its id, for other things who submits them and
the hash of their bytes; for what the log enters about producers or rules its number,
for a schema or profile its digest. Who submits comes first in the key, and an id that
begins with its time second, so that rows are written one behind the other; a row at a
random place would cost ten times as much.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Final

from verifier.entry import LOG, Entry
from verifier.errors import MalformedError
from verifier.own import PRODUCERS, PUBLISHED, RULES_APPLY, Own, parse_own
from verifier.record import parse_record
from verifier.spelling import parse_digest
from verifier.statement import is_statement
from verifier.statement.own import own_in

BY_BYTES: Final = 16
_REGISTER: Final = b"producer"
_PUBLISHED: Final = b"published"
_RULES: Final = b"rules"


def record_identity(by: str, id_: str) -> bytes:
    """The identity of a record: 16 bytes for its submitter, and the 16 of its id."""
    return _of(by) + bytes.fromhex(id_.replace("-", ""))


def digest_identity(by: str, entry: bytes) -> bytes:
    """The identity of bytes: 16 bytes for their submitter, and their hash."""
    return _of(by) + sha256(entry).digest()


def register_identity(number: int) -> bytes:
    """The identity of the entry that is number `number` about producers."""
    return _of(LOG) + _REGISTER + number.to_bytes(8, "big")


def published_identity(digest: str) -> bytes:
    """The identity of the entry that publishes a schema or profile by its digest."""
    return _of(LOG) + _PUBLISHED + parse_digest(digest)


def rules_identity(number: int) -> bytes:
    """The identity of the entry that is number `number` about what is demanded."""
    return _of(LOG) + _RULES + number.to_bytes(8, "big")


def is_of_log(identity: bytes) -> bool:
    """Whether it is that of one of the log's own entries."""
    return identity.startswith(_of(LOG))


def identity_of(entry: bytes) -> bytes | None:
    """The identity of an entry of a record log; most of the log's own have none."""
    try:
        whole = Entry.parse(entry)
        if whole.by == LOG:
            return _registered(parse_own(whole))
        if is_statement(whole.type):
            return digest_identity(whole.by, whole.body)
        return record_identity(whole.by, parse_record(whole.body)["id"])
    except MalformedError:
        return None


def is_of(identity: bytes, entry: bytes, *, record: bool) -> bool:
    """Whether `entry` is one that has `identity`, as far as the entry can tell."""
    if record:
        return identity_of(entry) == identity
    if is_of_log(identity):
        return own_identity(entry) == identity
    return sha256(entry).digest() == identity[BY_BYTES:]


def own_identity(entry: bytes) -> bytes | None:
    """The identity of an entry of a statement log, if it is the log's own."""
    try:
        own = own_in(entry)
    except MalformedError:
        return None
    return None if own is None else _registered(own)


def _registered(own: Own) -> bytes | None:
    if own["kind"] in PUBLISHED:
        return published_identity(own["digest"])
    if own["kind"] == RULES_APPLY:
        return rules_identity(own["number"])
    return register_identity(own["number"]) if own["kind"] in PRODUCERS else None


@lru_cache(maxsize=1_024)
def _of(by: str) -> bytes:
    return sha256(by.encode()).digest()[:BY_BYTES]
