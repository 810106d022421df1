"""What a witness and an anchor service answer from, and with.

Neither of them needs HTTP, or the disk: what they are asked comes from whoever
serves, and what they know is in a memory that only has to keep its word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Memory(Protocol):
    """What is remembered of each log, durably: `Remembered`."""

    def get(self, key: bytes) -> bytes | None:
        """What is remembered under `key`."""
        ...

    def swap(self, key: bytes, before: bytes | None, after: bytes) -> bool:
        """Remember `after` if it was `before` until now; it is durable then."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered to a request: a status of HTTP, and a text."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
