"""Handing entries to the log in batches, two of them at a time.

While one batch is committed the next one is read. What became of a batch is said
when the log has answered, so what was said is durable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ledger.errors import Halted, Held, Refused, Unavailable
from ledger.log.log import Log
from ledger.log.pool import Admitted, Answer, Order
from ledger.schema.faults import Fault

BATCH_ENTRIES: Final = 4_096
BATCH_BYTES: Final = 4 << 20
_IN_FLIGHT: Final = 2


class Outcome(NamedTuple):
    """What became of the entries from `where`: an answer, or what it failed with.

    `flags` is what some of them lack all the same, by their place.
    """

    where: list[str | int]
    answer: Answer | Exception
    flags: dict[int, tuple[Fault, ...]]


class Sender:
    """Sends to one log, and says every outcome, in the order of the entries.

    `trouble` is why it goes no further, if it does not: the log does not write.
    """

    def __init__(self, log: Log, says: Callable[[Outcome], None]) -> None:
        self.trouble: Held | Unavailable | Halted | None = None
        self._log = log
        self._says = says
        config = log.home.config
        self._most_entries = min(
            BATCH_ENTRIES, config.batch_entries, config.pool_entries
        )
        self._most_bytes = min(BATCH_BYTES, config.batch_bytes, config.pool_bytes)
        self._where: list[str | int] = []
        self._admitted: list[Admitted] = []
        self._bytes = 0
        self._flying: deque[tuple[list[str | int], Order]] = deque()

    def add(self, where: str | int, admitted: Admitted) -> None:
        """Take one more entry; it is sent when a batch is full."""
        if (
            len(self._admitted) >= self._most_entries
            or self._bytes + len(admitted.data) > self._most_bytes
        ):
            self.send()
        self._where.append(where)
        self._admitted.append(admitted)
        self._bytes += len(admitted.data)

    def send(self) -> None:
        """Send what was taken, though the batch is not full."""
        where, admitted = self._where, self._admitted
        self._where, self._admitted, self._bytes = [], [], 0
        if not admitted:
            return
        while len(self._flying) >= _IN_FLIGHT:
            self._settle_one()
        try:
            if self.trouble:
                raise self.trouble
            self._flying.append((where, self._submit(admitted)))
        except (Held, Unavailable, Halted, Refused) as error:
            # What was sent before it is told before it.
            self.settle()
            self._tell(where, error)

    def settle(self) -> None:
        """Say what became of all that was sent; what was not sent stays behind."""
        while self._flying:
            self._settle_one()

    def _submit(self, admitted: list[Admitted]) -> Order:
        while True:
            try:
                return self._log.submit(admitted)
            except Unavailable as error:
                # The pool may be smaller than two of our batches.
                if error.reason != "busy" or not self._flying:
                    raise
                self._settle_one()

    def _settle_one(self) -> None:
        where, order = self._flying.popleft()
        try:
            self._tell(where, order.wait(), order.admitted)
        except (Held, Unavailable, Halted) as error:
            self._tell(where, error)

    def _tell(
        self,
        where: list[str | int],
        answer: Answer | Exception,
        admitted: Sequence[Admitted] = (),
    ) -> None:
        if isinstance(answer, Held | Unavailable | Halted):
            self.trouble = self.trouble or answer
        flags = {at: each.flags for at, each in enumerate(admitted) if each.flags}
        self._says(Outcome(where, answer, flags))
