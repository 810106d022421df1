"""How much a caller may do, counted by all front-end processes together.

Each budget is one number in memory that they share: the time at which it would be
full again if nobody spent from it (GCRA, "theoretical arrival time"). What is spent
moves that time into the future, by as long as the rate takes to earn it; what would
move it further than the burst is refused, and costs nothing.

There is no lock. Two processes that spend in the same microsecond may write over each
other, and a little more is admitted than was meant; in exchange, a process that dies
at any moment leaves nobody waiting. A number is eight aligned bytes, which are written
at once.

Callers are found by a hash under a key of this service, so that nobody can choose an
address that shares somebody else's budget. By chance two do, one pair in 65,536.
"""

from __future__ import annotations

import mmap
import secrets
from hashlib import blake2b
from typing import Final, NamedTuple

from ledger.config.settings import Settings

CALLERS: Final = 65_536
"""As many as two bytes of a hash tell apart."""
_KINDS: Final = 3
"""Entries, bytes, requests: a slot for each, for all callers together and for one."""
_SLOT_BYTES: Final = 8
_ROUNDING_S: Final = 1e-6
"""More than sums of such times are ever off by."""
_SLACK_S: Final = 60.0
"""Further than the clocks of processes, or a request and its turn, are ever apart."""


class _Budget(NamedTuple):
    """A rate at which entries, bytes or requests are earned."""

    kind: int
    """Which of the three; also its place among the slots of one caller, or of all."""
    unit_s: float
    """How long one of them takes to earn."""
    most_s: float
    """How far into the future it is ever spent."""


class _Spending(NamedTuple):
    slot: int
    cost_s: float
    most_s: float


class Budgets:
    """The budgets of one service; made before its processes are, and shared by them."""

    def __init__(self, config: Settings) -> None:
        self._burst_s = config.burst_ms / 1_000
        self._largest = (
            min(config.batch_entries, config.pool_entries),
            min(config.batch_bytes, config.pool_bytes),
            1,
        )
        self._all = self._budgets(config.entries_per_s, config.bytes_per_s, 0)
        self._each = self._budgets(
            config.caller_entries_per_s,
            config.caller_bytes_per_s,
            config.caller_requests_per_s,
        )
        self._key = secrets.token_bytes(16)
        slots = _KINDS * (1 + CALLERS)
        # Not backed by a file, and shared with every process that is forked later.
        self._slots = memoryview(mmap.mmap(-1, slots * _SLOT_BYTES)).cast("d")

    def _budgets(self, *rates: int) -> list[_Budget]:
        """The budgets that there are: those with a rate."""
        return [
            _Budget(kind, 1 / rate, max(self._burst_s, largest / rate))
            for kind, (rate, largest) in enumerate(
                zip(rates, self._largest, strict=True)
            )
            if rate
        ]

    def spend(
        self,
        who: str,
        *,
        entries: int = 0,
        bytes_: int = 0,
        requests: int = 0,
        now: float,
    ) -> float:
        """Spend these at `now`, in seconds that only go forward; 0.0 if that was done.

        Else nothing was spent from any budget, and the answer says in how many seconds
        it can be. What is larger than a burst is admitted when the budget is full, and
        is owed from then on; else it could never be. Nothing is larger than a batch.
        """
        if not self._all and not self._each:
            return 0.0
        wait, slots = 0.0, self._slots
        spendings = self._spendings(who, (entries, bytes_, requests))
        for slot, cost, most in spendings:
            room = max(0.0, self._burst_s - cost)
            wait = max(wait, self._full_at(slot, now, most) - now - room)
        if wait > _ROUNDING_S:
            return wait
        for slot, cost, _ in spendings:
            # Read once more: what others have spent since is kept, and owed.
            slots[slot] = max(slots[slot], now) + cost
        return 0.0

    def refund(
        self, who: str, *, entries: int = 0, bytes_: int = 0, requests: int = 0
    ) -> None:
        """Give back what was spent on something that failed by our own fault."""
        for slot, cost, _ in self._spendings(who, (entries, bytes_, requests)):
            self._slots[slot] -= cost

    def _spendings(self, who: str, amounts: tuple[int, int, int]) -> list[_Spending]:
        """What these amounts cost, in each budget that they are taken from."""
        found = _costs(self._all, amounts, start=0)
        if self._each:
            # A key that nobody knows: else one could choose with whom to share.
            digest = blake2b(who.encode(), digest_size=2, key=self._key).digest()
            start = _KINDS * (1 + int.from_bytes(digest, "big"))
            found += _costs(self._each, amounts, start=start)
        return found

    def _full_at(self, slot: int, now: float, most: float) -> float:
        """When a budget is full; a time that nobody can have written is mended."""
        full = self._slots[slot]
        # Said this way round since a slot that is no number is not below anything.
        if not full <= now + most + _SLACK_S:
            full = self._slots[slot] = now + most
        return full


def _costs(
    budgets: list[_Budget], amounts: tuple[int, int, int], *, start: int
) -> list[_Spending]:
    return [
        _Spending(start + kind, amounts[kind] * unit_s, most_s)
        for kind, unit_s, most_s in budgets
        if amounts[kind]
    ]
