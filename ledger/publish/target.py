"""Where a log becomes public: what a folder and a bucket have in common.

Tiles come first and the checkpoint last, so that who reads the target at any moment
finds all that its checkpoint covers. In one log the bytes of a tile follow from its
name, partial ones as well: only the checkpoint is ever replaced.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Final, Protocol

from ledger.errors import Refused
from verifier.source import CHECKPOINT

_OURS: Final = ("tile", f".{CHECKPOINT}.", f"{CHECKPOINT}.lock")
"""How the names begin of what is left where publishing was cut off."""


class Overtaken(Exception):
    """Somebody else has replaced the checkpoint since it was read: look again."""


class Target(Protocol):
    """Keeps the files of a log for others. It is believed nothing."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Keep others who would write from it, where there is a way to."""
        ...

    def checkpoint(self) -> bytes | None:
        """The bytes of its checkpoint; Refused where something else has its place."""
        ...

    def has(self, path: str, data: bytes) -> bool:
        """Whether these bytes are at `path`."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write a tile: whole and durable, under its name, when flush() has returned.

        It can be repeated. Nobody ever sees a part of it.
        """
        ...

    def flush(self) -> None:
        """Return when all that was put is there for good; raise if it is not."""
        ...

    def replace_checkpoint(self, before: bytes | None, after: bytes) -> None:
        """Put `after` in the place of `before`; Overtaken if that is not there."""
        ...


def check_empty(name: str, found: Collection[str]) -> None:
    """Return unless somebody keeps other things there: they are not written among."""
    if not all(each.startswith(_OURS) for each in found):
        raise Refused("folder", f"{name} holds something that is no exported log")
