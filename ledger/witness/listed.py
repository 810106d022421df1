"""A list of logs in a file, which commands and hands change while a service reads it.

A command puts lines behind the others, or takes some out; all else stays as it was
written, with its comments.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from ledger.errors import Held
from verifier.durable import locked, write_atomically
from verifier.errors import MalformedError, Unavailable
from verifier.source import read_file

MAX_BYTES: Final = 1 << 24
_Logs = TypeVar("_Logs")


class Listed(Generic[_Logs]):
    """The logs in a file, read again when it has changed."""

    def __init__(
        self, path: Path, parse: Callable[[bytes], _Logs], *, mend: str
    ) -> None:
        self.path = path
        self._parse = parse
        self._mend = mend
        self._read: tuple[tuple[int, int, int], _Logs] | None = None

    def all(self) -> _Logs:
        """All logs; Held if the file is no list."""
        try:
            found = os.stat(self.path)
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            read = self._read
            if read is None or read[0] != seen:
                # Looked at before it was read: what changes meanwhile is read again.
                read = seen, self._parse(read_file(self.path, MAX_BYTES))
                self._read = read
        except (OSError, MalformedError) as error:
            says = f"the list of logs cannot be used: {self.path}: {error}"
            raise Held("config", says, mend=self._mend) from None
        return read[1]


def change(path: Path, changed: Callable[[bytes], bytes]) -> None:
    """Put what `changed` makes of a list in its place, one at a time."""
    try:
        with locked(path):
            write_atomically(path, changed(read_file(path, MAX_BYTES)))
    except (Unavailable, OSError) as error:
        raise Held("config", f"the list of logs cannot be changed: {error}") from None


def with_line(before: bytes, line: str) -> bytes:
    """The list with one more line, where the last one may have no end."""
    ended = before if before.endswith(b"\n") or not before else before + b"\n"
    return ended + f"{line}\n".encode()
