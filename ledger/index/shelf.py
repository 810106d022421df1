"""The shelf: which runs there are in a folder, and which of them count.

Runs are nested or apart, never across each other, because all but the newest have
a width of 256 · 16^k entries and begin at a multiple of it. Where one is inside
another, it is what a merge has left, and the wide one counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from ledger.errors import Unavailable, WrongBytes
from ledger.index.runs import Run
from ledger.store.disk import failed
from verifier.tile import WIDTH

FAN: Final = 16
_WIDTHS: Final = tuple(WIDTH * FAN**level for level in range(4))
"""How wide the runs are that are merged: into 4,096, 65,536, 1 and 16 million."""

_NAME: Final = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}\.run")
_LOOKS: Final = 8

File: TypeAlias = tuple[str, int]
"""A file by its name and its inode: what is open is known again, and not reopened."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was in the folder at one moment. `runs` are those that count, in order."""

    files: dict[File, Run] = field(default_factory=dict)
    """All that could be opened."""
    wrong: dict[str, str] = field(default_factory=dict)
    """The names of the others, and what is wrong with them."""
    runs: tuple[Run, ...] = ()

    @property
    def covered(self) -> int:
        """Up to which entry there is no gap."""
        covered = 0
        for run in self.runs:
            if run.about.start != covered:
                break
            covered = run.about.stop
        return covered

    @property
    def skipped(self) -> int:
        """How many entries could not be read when the runs were made."""
        return sum(run.about.skipped for run in self.runs)

    def look(self, folder: Path, genesis: bytes) -> Shelf:
        """What is there now; this shelf, if nothing has changed.

        The folder is listed each time: its time of change is too coarse to tell two
        changes from one, and the list is short.
        """
        for _ in range(_LOOKS):
            try:
                return self._open(folder, genesis, _list(folder))
            except FileNotFoundError:
                continue  # a wider one has just taken its place: look for that one
            except OSError as error:
                raise failed(folder, error) from None
        raise Unavailable("index", f"{folder} changes faster than it is read")

    def _open(self, folder: Path, genesis: bytes, listed: set[File]) -> Shelf:
        # What could not be opened is tried again: while it is not open, its inode
        # may become that of a right file with the same name.
        if listed == self.files.keys():
            return self
        files: dict[File, Run] = {}
        wrong: dict[str, str] = {}
        for file in listed:
            try:
                files[file] = self.files.get(file) or Run.open(
                    folder / file[0], genesis
                )
            except WrongBytes as error:
                wrong[file[0]] = str(error)
        return Shelf(files, wrong, tuple(_counting(files.values())))

    def useless(self) -> set[str]:
        """The names of the files that do not count."""
        names = {name for name, _ in self.files} | self.wrong.keys()
        return names - {run.path.name for run in self.runs}


def _list(folder: Path) -> set[File]:
    try:
        with os.scandir(folder) as found:
            return {
                (each.name, each.inode())
                for each in found
                if _NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False)
            }
    except FileNotFoundError:
        return set()


def _counting(runs: Iterable[Run]) -> list[Run]:
    """Of runs that say the same, the widest."""
    chosen: list[Run] = []
    stop = 0
    for run in sorted(runs, key=lambda each: (each.about.start, -each.about.stop)):
        if run.about.start >= stop:
            chosen.append(run)
            stop = run.about.stop
    return chosen


def mergeable(runs: tuple[Run, ...]) -> list[Run]:
    """The first sixteen runs side by side that make one of the next width.

    One of which entries could not be read stays as it is, so that it is small enough
    to be made again.
    """
    for at, run in enumerate(runs):
        start, width = run.about.start, run.about.stop - run.about.start
        group = list(runs[at : at + FAN])
        if (
            width in _WIDTHS
            and start % (width * FAN) == 0
            and [(each.about.start, each.about.stop) for each in group]
            == [(start + n * width, start + (n + 1) * width) for n in range(FAN)]
            and not any(each.about.skipped for each in group)
        ):
            return group
    return []
