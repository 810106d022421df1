"""The follower: reads what is committed, and keeps the index up with it.

It knows how far it is from the files alone, so it can be stopped at any instant and
its folder deleted at any time. New entries go into narrow runs; sixteen that lie
side by side become one, up to 16 million entries. So an entry's rows are written
five times in all, never with each new entry, and a lookup looks into a few dozen
files however large the log is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from ledger.errors import Unavailable, WrongBytes
from ledger.index.keys import keys_of
from ledger.index.runs import ROW_BYTES, About, Run, merged, row, write_run
from ledger.index.shelf import FAN, Shelf, mergeable
from ledger.store.disk import alone_in, failed, free_bytes
from ledger.store.served import NEW, make_folders
from verifier.tile import WIDTH

PIECE: Final = WIDTH * FAN
"""How many entries are read at once, unless they have many rows."""
MANY: Final = 8 * PIECE
"""How many rows are many: where there are more, each tile has a run of its own. Those
of one tile, 230,000 at the most, and its entries are 30 MB."""


class Entries(Protocol):
    """What entries are read from; `ledger.log.reading.Reading`, which checks them."""

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The entries from `start` up to `stop`; WrongBytes if they are not right."""
        ...


class Follower:
    """Keeps the index of one log in `folder`; `kind` is that of the log's entries.

    `dropped` are the files that were found damaged and deleted, and why; what they
    said is read from the log again.
    """

    def __init__(
        self,
        folder: Path,
        reading: Entries,
        kind: str,
        genesis: bytes,
        *,
        min_free_bytes: int = 0,
    ) -> None:
        self.dropped: dict[str, str] = {}
        self._folder = folder
        self._reading = reading
        self._kind = kind
        self._genesis = genesis
        self._min_free_bytes = min_free_bytes
        self._shelf = Shelf().look(folder, genesis)
        self._checked: set[Run] = set()
        self._retried = False

    @property
    def covered(self) -> int:
        """Up to which entry everything can be found."""
        return self._shelf.covered

    @property
    def skipped(self) -> int:
        """How many of these entries could not be read, and are found by nothing."""
        return self._shelf.skipped

    def step(self, size: int) -> int:
        """Do one piece of work towards the first `size` entries; 0: there was none.

        Returns how many entries it was about. Those must be anchored: they never
        change, and neither does what is written about them. To be called until it
        returns 0, and then about once a second. Unavailable says that it may work
        later; Refused, that another follower is at work in the folder.
        """
        says = f"another process keeps the index in {self._folder}"
        try:
            make_folders(self._folder)
            with alone_in(self._folder, says):
                self._tidy()
                self._retry()
                done = self._merge() or self._build(size)
                if done:
                    self._tidy()
                return done or self._check_one()
        except OSError as error:
            raise failed(self._folder, error) from None

    def _tidy(self) -> None:
        """Look, and delete what does not count."""
        (self._folder / NEW).unlink(missing_ok=True)
        self._look()
        self.dropped |= self._shelf.wrong
        for name in sorted(self._shelf.useless()):
            (self._folder / name).unlink(missing_ok=True)
        self._look()

    def _retry(self) -> None:
        """Forget, once, what another process could not read: it may be mended now."""
        if not self._retried:
            for run in self._shelf.runs:
                if run.about.skipped:
                    run.path.unlink()
            self._retried = True
            self._look()

    def _look(self) -> None:
        self._shelf = self._shelf.look(self._folder, self._genesis)
        # What is remembered keeps its file, and the room that it takes.
        self._checked.intersection_update(self._shelf.runs)

    def _build(self, size: int) -> int:
        """A run of the next entries: of a whole piece, or of what its tile has."""
        covered = self._shelf.covered
        start = covered // WIDTH * WIDTH
        stop = min(start + WIDTH, size)
        if covered % PIECE == 0 and covered + PIECE <= size:
            stop = covered + PIECE
        if stop <= covered:
            return 0
        rows, skipped = self._read(start, stop)
        if len(rows) > MANY and stop - start > WIDTH:
            rows.clear()
            stop = start + WIDTH
            rows, skipped = self._read(start, stop)
        if not self._has_room(len(rows)):
            says = f"{self._folder}: the last {self._min_free_bytes} bytes stay free"
            raise Unavailable("disk", says)
        rows.sort()
        about = self._about(start, stop, rows=len(rows), skipped=skipped)
        blocks = (rows[at : at + PIECE] for at in range(0, len(rows), PIECE))
        write_run(self._folder, about, blocks)
        return stop - covered

    def _read(self, start: int, stop: int) -> tuple[list[bytes], int]:
        """The rows, until they are many, and how many entries could not be read."""
        rows: list[bytes] = []
        skipped = 0
        for at in range(start, stop, WIDTH):
            end = min(at + WIDTH, stop)
            try:
                rows += self._rows(at, end)
            except WrongBytes:
                skipped += end - at  # the scrubber names it
            if len(rows) > MANY:
                break
        return rows, skipped

    def _rows(self, start: int, stop: int) -> Iterator[bytes]:
        entries = self._reading.entries(start, stop)
        return chain.from_iterable(
            [row(key, index) for key in keys_of(entry, self._kind)]
            for index, entry in enumerate(entries, start)
        )

    def _merge(self) -> int:
        """Make one run of sixteen, if there are sixteen that make one."""
        group = mergeable(self._shelf.runs)
        rows = sum(run.about.rows for run in group)
        # Where there is no room for a large file, there may be for the next small one.
        if not group or not self._has_room(rows):
            return 0
        start, stop = group[0].about.start, group[-1].about.stop
        # What a disk has spoiled is not copied into a larger file.
        if all(map(self._is_sound, group)):
            about = self._about(start, stop, rows=rows, skipped=0)
            write_run(self._folder, about, merged([run.rows for run in group]))
        return stop - start

    def _about(self, start: int, stop: int, *, rows: int, skipped: int) -> About:
        return About(
            genesis=self._genesis, start=start, stop=stop, rows=rows, skipped=skipped
        )

    def _has_room(self, rows: int) -> bool:
        return free_bytes(self._folder) - rows * ROW_BYTES >= self._min_free_bytes

    def _check_one(self) -> int:
        """Read one of the runs that this follower has not read yet, all of it.

        Returns how many entries it was of, if it has to be made again.
        """
        for run in self._shelf.runs:
            if run not in self._checked:
                return 0 if self._is_sound(run) else run.about.stop - run.about.start
        return 0

    def _is_sound(self, run: Run) -> bool:
        """Whether every byte of `run` is as it was written; it is deleted if not."""
        try:
            run.check()
        except WrongBytes as error:
            self.dropped[run.path.name] = str(error)
            run.path.unlink(missing_ok=True)
            self._look()
            return False
        self._checked.add(run)
        return True
