"""A bounded room, where submissions wait for the next batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from ledger.errors import Refused, Unavailable
from ledger.schema.faults import Fault
from ledger.store import Head

MAX_IDENTITY_BYTES: Final = 511
"""The longest key that a store of ours can have."""


class Admitted(NamedTuple):
    """What may enter: its identity, if it has one, and its bytes.

    In a record log these are the entry without the first 16 bytes, which have the
    time that the sequencer gives it; in others they are the entry.
    """

    identity: bytes | None
    data: bytes
    unless: bytes | None = None
    """An identity that is not taken yet: if it is by then, this is not logged."""
    flags: tuple[Fault, ...] = ()
    """What it lacks all the same; the submitter is told, and nobody else."""


class Answer(NamedTuple):
    """What became of an order: durable, anchored, and in a signed checkpoint.

    `indexes` has one member for each submission, in their order; None where it
    was refused, which `refused` explains. Those in `repeated` were there before.
    """

    indexes: Sequence[int | None]
    head: Head
    checkpoint: bytes
    repeated: frozenset[int] = frozenset()
    refused: Mapping[int, Refused | Unavailable] = MappingProxyType({})


class Order:
    """Some submissions, which go into the same batch.

    `told` is called when it is settled, by the thread that settles it: for those who
    cannot wait with a thread of their own. It has to return at once.
    """

    def __init__(
        self,
        admitted: Sequence[Admitted],
        *,
        freeze: bool = False,
        told: Callable[[Order], None] | None = None,
    ) -> None:
        self.admitted = admitted
        self.freeze = freeze
        self._told = told
        self.identified = any(each.identity is not None for each in admitted)
        if self.identified and not all(map(_may_be_known, admitted)):
            says = f"an identity has 1 to {MAX_IDENTITY_BYTES} bytes"
            raise Refused("identity", says)
        # An order of nothing takes room as well.
        self.entries = max(1, len(admitted))
        sizes = [len(each.data) for each in admitted]
        self.size_bytes = sum(sizes)
        self.largest_bytes = max(sizes, default=0)
        self._done = threading.Event()
        self._outcome: Answer | Exception | None = None

    def settle(self, outcome: Answer | Exception) -> None:
        """Tell whoever waits. Once."""
        self._outcome = outcome
        self._done.set()
        if self._told:
            self._told(self)

    def wait(self, timeout_s: float | None = None) -> Answer:
        """The answer, or raise what stands in its place."""
        if not self._done.wait(timeout_s):
            raise Unavailable("slow", "there is no answer yet; it may still be logged")
        if isinstance(self._outcome, Answer):
            return self._outcome
        assert self._outcome is not None  # noqa: S101 - what settle() was given
        raise self._outcome


def _may_be_known(each: Admitted) -> bool:
    return each.identity is None or 1 <= len(each.identity) <= MAX_IDENTITY_BYTES


class Pool:
    """Orders that wait, at most so many entries and bytes of them."""

    def __init__(self, *, entries: int, bytes_: int) -> None:
        self._most_entries = entries
        self._most_bytes = bytes_
        self._entries = 0
        self._bytes = 0
        self._orders: deque[Order] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, order: Order) -> None:
        """Let `order` wait, or raise Unavailable if there is no room, or no more."""
        entries, bytes_ = order.entries, order.size_bytes
        with self._changed:
            if self._closed:
                raise Unavailable("closed", "the log is being closed")
            if (
                self._entries + entries > self._most_entries
                or self._bytes + bytes_ > self._most_bytes
            ):
                raise Unavailable("busy", f"{self._entries} entries are waiting")
            self._orders.append(order)
            self._entries += entries
            self._bytes += bytes_
            self._changed.notify()

    def take(self, *, entries: int, bytes_: int) -> list[Order]:
        """What waits, in its order, up to a batch; empty when the pool is closed.

        Waits for the first one and for nothing else: who comes alone does not pay
        for company, and under load the next batch fills while this one is written.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._orders or self._closed)
            taken: list[Order] = []
            while self._orders:
                order = self._orders[0]
                entries -= order.entries
                bytes_ -= order.size_bytes
                # A freeze comes last: nothing may follow it in its batch.
                if taken and (entries < 0 or bytes_ < 0 or order.freeze):
                    break
                taken.append(self._orders.popleft())
                self._entries -= order.entries
                self._bytes -= order.size_bytes
                if order.freeze:
                    break
            return taken

    @property
    def waiting(self) -> tuple[int, int]:
        """How many entries, and how many bytes of them."""
        return self._entries, self._bytes

    def close(self) -> None:
        """Take no more; what waits is still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
