"""A bound on the bytes that a front end holds: bodies that come, answers that go.

Who sends slowly, or reads slowly, has memory of ours for as long as it takes. So it
is counted, and whoever comes when it is used up is told to come again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.errors import Unavailable


class Memory:
    """So many bytes, and how many of them are in use."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Have `size` bytes while this lasts, or raise Unavailable."""
        # One that is larger than all there is has it alone.
        if self.used and self.used + size > self.limit:
            raise Unavailable("memory", "too many bytes are under way; come again")
        self.used += size
        try:
            yield
        finally:
            self.used -= size
