"""The rows that say where an identity stands: held against the entries, and rebuilt.

They follow from the entries, and nobody believes them: a row that is wrong or
missing leads at most to an entry that is logged twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ledger.errors import WrongBytes
from ledger.log.identity import identity_of, is_of, own_identity
from ledger.store import Charter, LogStore, Snapshot
from verifier.entry import LOG, PREFIX_BYTES, Entry
from verifier.errors import MalformedError
from verifier.own import MEDIA_TYPE, Own, parse_own
from verifier.tile import WIDTH

# The member "by" of the log's own entries, which follows the prefix.
_MEDIA_TYPE: Final = MEDIA_TYPE.encode()
_OWN: Final = b"\x62by\x63" + LOG.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that is wrong, or is not there; `index` is the entry it is about."""

    identity: str
    index: int
    says: str


def wrong_rows(store: LogStore, size: int) -> Iterator[Row]:
    """What is wrong with the rows about the first `size` entries."""
    charter = store.charter
    right = 0
    with store.snapshot() as snapshot:
        for identity, index in snapshot.identities():
            if index >= size and _is_live(snapshot, index):
                continue
            if _stands_at(identity, index, charter, snapshot):
                right += 1
            else:
                says = "another entry stands where it points"
                yield Row(identity=identity.hex(), index=index, says=says)
    wanted = _wanted(store, size)
    if charter.kind == "record" and right < wanted:
        for identity, index in rows_of(store, size):
            with store.snapshot() as snapshot:
                if identity not in snapshot.find([identity]):
                    says = "the row of this entry is missing"
                    yield Row(identity=identity.hex(), index=index, says=says)
    elif charter.kind != "record" and right != wanted:
        says = f"{right} rows are right, where there have to be {wanted}"
        yield Row(identity="", index=size, says=says)


def rows_of(store: LogStore, size: int) -> Iterator[tuple[bytes, int]]:
    """The rows that the first `size` entries of a record log have to have."""
    for index, entry in _entries(store, size):
        if identity := identity_of(entry):
            yield identity, index


def right_rows(
    store: LogStore, size: int, copies: Iterable[LogStore]
) -> Iterator[tuple[bytes, int]]:
    """The right ones among the rows that the log and its backups have.

    In a log whose entries do not say who handed them in there are no others, but for
    those of the log's own entries about producers, which say it themselves.
    """
    if store.charter.kind == "statement":
        for index, entry in _entries(store, size):
            if _MEDIA_TYPE in entry and (identity := own_identity(entry)):
                yield identity, index
    for each in (store, *copies):
        with each.snapshot() as other, store.snapshot() as snapshot:
            for identity, index in other.identities():
                if index < size and _stands_at(
                    identity, index, store.charter, snapshot
                ):
                    yield identity, index


def _entries(store: LogStore, size: int) -> Iterator[tuple[int, bytes]]:
    for start in range(0, size, WIDTH):
        with store.snapshot() as snapshot:
            try:
                entries = snapshot.entries(start, min(start + WIDTH, size))
            except WrongBytes:
                continue  # the audit names it
        yield from enumerate(entries, start)


def _wanted(store: LogStore, size: int) -> int:
    """How many rows there have to be."""
    charter = store.charter
    if charter.kind == "record":
        none = sum(
            entry.startswith(_OWN, PREFIX_BYTES) and identity_of(entry) is None
            for _, entry in _entries(store, size)
        )
        return size - none
    return size if charter.kind == "statement" or charter.dedupe else 0


def _is_live(snapshot: Snapshot, index: int) -> bool:
    """Whether the row is of a batch that came after those that are looked at."""
    return index < snapshot.head().size


def _stands_at(
    identity: bytes, index: int, charter: Charter, snapshot: Snapshot
) -> bool:
    try:
        found = snapshot.entries(index, index + 1)
    except WrongBytes:
        return True  # the audit names it
    if not found:
        return False
    return is_of(identity, found[0], record=charter.kind == "record")


def own_members(entry: bytes) -> Own:
    """What an entry of the log's own says; nothing, if it is not one."""
    try:
        return parse_own(Entry.parse(entry))
    except MalformedError:
        return {}
