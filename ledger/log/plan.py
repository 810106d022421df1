"""What a batch will be: which submissions are new, at which index each stands.

The same identity with the same bytes has the index of the first, for ever; with
other bytes it is a conflict, and nothing is logged. A row that says where an
identity stands is not believed: the entry there is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.errors import Conflict, Refused, Unavailable, WrongBytes
from ledger.log.identity import is_of
from ledger.log.pool import Order
from ledger.log.reading import check_entries
from ledger.store import Snapshot
from verifier.entry import prefix_of


class Outcome(NamedTuple):
    """What becomes of one order: as in Answer."""

    indexes: Sequence[int | None]
    repeated: frozenset[int] = frozenset()
    refused: Mapping[int, Refused | Unavailable] = {}


@dataclass(slots=True)
class Plan:
    """The entries of a batch, their identities, and what each order is told."""

    entries: list[bytes] = field(default_factory=list)
    identities: dict[bytes, int] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)


class Planner:
    """Sorts out orders for the batch that begins at `size`.

    `at` is the time of its entries in a record log, and None in others.
    """

    def __init__(self, *, size: int, at: int | None, snapshot: Snapshot) -> None:
        self._size = size
        self._prefix = b"" if at is None else prefix_of(at)
        self._snapshot = snapshot
        self._known: dict[bytes, int] = {}
        self._planned = Plan()

    def plan(self, orders: Sequence[Order]) -> Plan:
        """Sort them out, in their order."""
        wanted = {
            each.identity
            for order in orders
            if order.identified
            for each in order.admitted
            if each.identity is not None
        }
        # What was admitted by what is not so any more: a key may be revoked since.
        wanted |= {
            each.unless
            for order in orders
            if order.identified
            for each in order.admitted
            if each.unless is not None
        }
        self._known = self._snapshot.find(wanted) if wanted else {}
        for order in orders:
            sort_out = self._identify if order.identified else self._take
            self._planned.outcomes.append(sort_out(order))
        return self._planned

    def _take(self, order: Order) -> Outcome:
        """All of an order without identities is new."""
        entries, prefix = self._planned.entries, self._prefix
        first = self._size + len(entries)
        entries += [prefix + each.data for each in order.admitted]
        return Outcome(range(first, first + len(order.admitted)))

    def _identify(self, order: Order) -> Outcome:
        entries, fresh = self._planned.entries, self._planned.identities
        indexes: list[int | None] = []
        repeated: set[int] = set()
        refused: dict[int, Refused | Unavailable] = {}
        for position, (identity, data, unless, _) in enumerate(order.admitted):
            index = None
            if identity is not None:
                index = self._known.get(identity, fresh.get(identity))
            if index is None and unless and (unless in self._known or unless in fresh):
                refused[position] = _overtaken()
                indexes.append(None)
                continue
            if identity is None or index is None:
                index = self._size + len(entries)
                entries.append(self._prefix + data)
                if identity is not None:
                    fresh[identity] = index
            elif self._at(index) == data:
                repeated.add(position)
            else:
                refused[position] = self._why_not(identity, index)
            indexes.append(None if position in refused else index)
        return Outcome(indexes, frozenset(repeated), refused)

    def _at(self, index: int) -> bytes | None:
        """The bytes at `index`, in the store or in this batch, without their time."""
        entry = self._entry(index)
        return None if entry is None else entry[len(self._prefix) :]

    def _entry(self, index: int) -> bytes | None:
        if index >= self._size:
            # An index that no batch has given is a damaged row.
            here = self._planned.entries[index - self._size :][:1]
        else:
            try:
                here = check_entries(self._snapshot, index, index + 1)
            except WrongBytes:
                here = []
        return here[0] if here else None

    def _why_not(self, identity: bytes, index: int) -> Refused | Unavailable:
        entry = self._entry(index)
        if entry is not None and is_of(identity, entry, record=bool(self._prefix)):
            return Conflict(
                index,
                f"this identity is logged with other bytes, at index {index}; "
                "a new record needs a new id",
            )
        return Unavailable(
            "damaged_row",
            f"the row of this identity points to index {index}, where it does not "
            "stand; not logged: provlog fsck says what is damaged",
            retry_after_s=3600,
        )


def _overtaken() -> Unavailable:
    says = "who may sign has changed while this was on its way; hand it in again"
    return Unavailable("producers", says, retry_after_s=1)
