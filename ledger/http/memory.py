"""A bound on the bytes that a front end holds: bodies that come, answers that go.

Who sends slowly, or reads slowly, has memory of ours for as long as it takes. So it
is counted, and whoever comes when it is used up is told to come again. Nobody has
all of it: else one slow caller would be a log that answers nobody.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from ledger.errors import Unavailable

ANSWERS: Final = "answers"
"""Whose share all large answers are, beside that of who has asked."""
_MOST: Final = {ANSWERS: (3, 4)}
_MOST_OF_ONE: Final = (1, 2)


class Memory:
    """So many bytes, and how many of them are in use, by whom."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.used_by: Counter[str] = Counter()
        self._less = asyncio.Event()

    def holding(self, size: int, *who: str) -> Holding:
        """Have `size` bytes for as long as a `with` lasts, or raise Unavailable.

        They count in the shares of `who`; what is nobody's is bounded as a whole.
        """
        return Holding(self, size, who)

    def fits(self, size: int, who: tuple[str, ...]) -> bool:
        """Whether there is room for `size` bytes more."""
        # One that is larger than all there is has it alone.
        if self.used and self.used + size > self.limit:
            return False
        for each in who:
            of, parts = _MOST.get(each, _MOST_OF_ONE)
            mine = self.used_by[each]
            if mine and mine + size > self.limit * of // parts:
                return False
        return True

    def count(self, size: int, who: tuple[str, ...]) -> None:
        """Count `size` bytes more, or less."""
        self.used += size
        for each in who:
            self.used_by[each] += size
            if not self.used_by[each]:
                del self.used_by[each]
        if size < 0:
            self._less.set()

    async def given_back(self) -> None:
        """Return when some of it is in use no more."""
        self._less.clear()
        await self._less.wait()


class Holding:
    """What one request holds. A class, since every request has two of them."""

    __slots__ = ("_memory", "_size", "_who")

    def __init__(self, memory: Memory, size: int, who: tuple[str, ...]) -> None:
        self._memory = memory
        self._size = size
        self._who = who

    def __enter__(self) -> Self:
        if not self.fits(self._size):
            raise Unavailable("memory", "too many bytes are under way; come again")
        self._memory.count(self._size, self._who)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.have(-self._size)

    def fits(self, size: int) -> bool:
        """Whether it may be `size` bytes more."""
        return self._memory.fits(size, self._who)

    async def room(self, size: int, within_s: float) -> None:
        """Return when it may be `size` bytes more, or raise Unavailable."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.fits(size):
                    await self._memory.given_back()
                return
        raise Unavailable("memory", "too many bytes are under way; come again")

    def have(self, size: int) -> None:
        """Hold `size` bytes more, or less: they are there, and have to be counted."""
        self._size += size
        self._memory.count(size, self._who)
