"""A bound on the bytes that a front end holds: bodies that come, answers that go.

Who sends slowly, or reads slowly, has memory of ours for as long as it takes. So it
is counted, and whoever comes when it is used up is told to come again.
"""

from __future__ import annotations

from types import TracebackType

from ledger.errors import Unavailable


class Memory:
    """So many bytes, and how many of them are in use."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def holding(self, size: int) -> Share:
        """Have `size` bytes for as long as a `with` lasts, or raise Unavailable."""
        return Share(self, size)


class Share:
    """Some bytes that are in use. A class, since every request has two of them."""

    __slots__ = ("_memory", "_size")

    def __init__(self, memory: Memory, size: int) -> None:
        self._memory = memory
        self._size = size

    def __enter__(self) -> None:
        memory = self._memory
        # One that is larger than all there is has it alone.
        if memory.used and memory.used + self._size > memory.limit:
            raise Unavailable("memory", "too many bytes are under way; come again")
        memory.used += self._size

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._memory.used -= self._size
