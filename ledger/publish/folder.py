"""A folder to be published to: any web server can serve it.

One at a time works on it, under a lock; each file is whole and durable before it has
its name. What is found there under the lock is never gone back on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ledger.errors import Refused
from ledger.log.home import Home
from ledger.publish.target import Overtaken, check_empty
from ledger.store.disk import alone_in, sync_path
from ledger.store.served import check_real, has_bytes, make_folders, write_whole
from verifier import note
from verifier.durable import write_atomically
from verifier.source import CHECKPOINT, Directory


class Folder:
    """The folder `dest`, which need not be there yet."""

    def __init__(self, dest: Path) -> None:
        self._dest = dest
        self._above: set[Path] = set()
        """The folders whose names have changed since the last checkpoint."""
        self._within: set[Path] = set()

    @classmethod
    def beside(cls, home: Home, dest: Path) -> Self:
        """The folder `dest`, if it is none in which the log itself lives."""
        if dest.resolve() == home.folder.resolve():
            says = f"{dest} holds something that is no exported log: the log itself"
            raise Refused("folder", says)
        if dest.resolve().is_relative_to(home.store.resolve()):
            says = f"{dest} is in the log's own store; export to a folder beside it"
            raise Refused("folder", says)
        return cls(dest)

    @property
    def name(self) -> str:
        """Its path."""
        return str(self._dest)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make it, and keep others from it."""
        dest = self._dest.absolute()
        self._above |= make_folders(dest) | {dest.parent}
        self._within.clear()
        with alone_in(self._dest, f"another export is at work on {self._dest}"):
            yield

    def checkpoint(self) -> bytes | None:
        """The checkpoint in it."""
        data = Directory(self._dest).read(CHECKPOINT, note.MAX_BYTES)
        if data is None:
            there = os.listdir(self._dest) if self._dest.exists() else []
            check_empty(self.name, there)
        return data

    def has(self, path: str, data: bytes) -> bool:
        """Whether these bytes are in the file at `path`."""
        return has_bytes(self._real(path), data)

    def put(self, path: str, data: bytes) -> None:
        """Write a file."""
        file = self._real(path)
        make_folders(file.parent)
        write_whole(file, data)

    def flush(self) -> None:
        """Make durable the names that lead to what was put."""
        for folder in sorted(self._within, reverse=True):
            sync_path(folder)
        self._within.clear()

    def replace_checkpoint(self, before: bytes | None, after: bytes) -> None:
        """Replace it, durably, and the way that leads to it."""
        path = self._dest / CHECKPOINT
        if Directory(self._dest).read(CHECKPOINT, note.MAX_BYTES) != before:
            raise Overtaken(f"somebody else has written {path}")
        # Everything below it is durable. A crash before this line leaves the old one.
        write_atomically(path, after)
        for folder in self._above:
            sync_path(folder)
        self._above.clear()

    def _real(self, path: str) -> Path:
        """The file at `path`, no part of which leads out of the folder."""
        file, dest = self._dest / path, self._dest
        within = [each for each in file.parents if each.is_relative_to(dest)]
        check_real(file, [each for each in within if each != dest])
        # Of what was there, too: who made it may not have lived to sync it.
        self._within |= set(within)
        return file
