"""A log to break again and again: made once, and put back as it was after each fault.

A log knows its own files by their inodes, and refuses copies of them. So it is not
copied: the bytes that were saved are written back into the same files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.faults.promises import Promise, entries
from tests.livelog import LiveLog

LOCK = "lock.mdb"
"""LMDB makes it anew when nobody has it open."""


def writer(folder: Path, *options: str) -> list[str]:
    """The command that writes to the log in `folder`."""
    return [sys.executable, "-m", "tests.faults.writer", str(folder), *options]


class Site:
    """A log with `before` entries in it, and all of its bytes."""

    def __init__(self, folder: Path, *, before: int = 0) -> None:
        self.log = LiveLog(folder)
        self.folder = folder
        self.told: list[Promise] = []
        for number in range(2 if before else 0):
            name, count = f"before.{number}", before // 2
            answer = self.log.append(*entries(name, count))
            self.told.append(
                Promise(
                    name=name,
                    first=number * count,
                    stop=(number + 1) * count,
                    note=answer.checkpoint,
                )
            )
        self.saved = {path: path.read_bytes() for path in self.files()}

    def files(self) -> list[Path]:
        """The files of the log."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path for path in found if path.name != LOCK)

    def paths(self) -> list[Path]:
        """Its files and folders, whatever they are."""
        return sorted([self.folder, *self.folder.rglob("*")])

    def reset(self) -> None:
        """Put everything back as it was."""
        for path in set(self.files()) - set(self.saved):
            path.unlink()
        for path, data in self.saved.items():
            put(path, data)


def put(path: Path, data: bytes) -> None:
    """Let the file at `path`, the same file, hold `data`."""
    number = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(number, len(data))
        os.pwrite(number, data, 0)
    finally:
        os.close(number)
