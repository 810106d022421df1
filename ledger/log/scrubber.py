"""The scrubber: walks the whole log, slowly and for ever, and names what it finds.

A bit that flips on a disk is found by whoever reads it next, which may be in ten
years, when the last good copy is gone. So everything is read once in a while, at a
rate that nobody notices.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from ledger.clock import stopwatch
from ledger.errors import Unavailable, WrongBytes
from ledger.events import DAMAGE_FOUND, SCRUB_AGAIN, SCRUB_FAILED, emit
from ledger.log.reading import Reading, Tree
from verifier.tile import ENTRIES, WIDTH, Tile, levels_at, width_at

FAILED_PAUSE_S: Final = 10.0
"""How long a store that cannot be read is left alone."""


class Scrubber:
    """Re-reads the log tile by tile. `found` is what is wrong, by its place."""

    def __init__(self, reading: Reading, newest: Callable[[], Tree]) -> None:
        self.found: dict[str, str] = {}
        self.rounds = 0
        self.position = 0
        """The next entry to be looked at; all before it were, in this round."""
        self.whole_at_s = stopwatch()
        """When a round ended last, or where none has, when we began."""
        self._reading = reading
        self._newest = newest
        self._stop = threading.Event()

    def step(self) -> int:
        """Look at the next tile, and all that vouches for it; return its entries."""
        size = self._newest().size
        if self.position >= size:
            self.position = 0
            self.rounds += 1
            self.whole_at_s = stopwatch()
            return 0
        index = self.position // WIDTH
        width = width_at(ENTRIES, index, size)
        self._look(Tile(ENTRIES, index, width), self._reading.entry_tile)
        # Where the edge is wrong nothing can be held against the root: one finding.
        if self._look_at_edge(size):
            self._look_at_hashes(index, size)
        self.position = index * WIDTH + width
        return width

    def run(self, entries_per_s: int) -> None:
        """Go on until `stop`, at a steady rate; later, where nothing can be read."""
        failing = False
        while not self._stop.is_set():
            pause_s = WIDTH / entries_per_s
            try:
                pause_s = max(self.step(), WIDTH) / entries_per_s
            except Unavailable:
                pass  # too many read just now; nothing was looked at
            except Exception as error:  # noqa: BLE001 - a dead thread finds nothing
                if not failing:
                    fault = type(error).__name__
                    emit(SCRUB_FAILED, position=self.position, error=fault)
                failing, pause_s = True, max(pause_s, FAILED_PAUSE_S)
            else:
                if failing:
                    emit(SCRUB_AGAIN, position=self.position)
                failing = False
            self._stop.wait(pause_s)

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    def _look_at_edge(self, size: int) -> bool:
        """Whether the partial tiles, which only together make the root, make it."""
        level = levels_at(size) - 1
        try:
            self._reading.hashes(Tile(level, 0, size >> 8 * level))
        except WrongBytes as error:
            self._note("edge", str(error))
            return False
        self._note("edge", "")
        return True

    def _look_at_hashes(self, index: int, size: int) -> None:
        """A tile of leaves, and with the first one under it each tile above.

        From the root down, up to what is wrong: below it nothing can be judged.
        """
        for level in reversed(range(levels_at(size))):
            above = index >> 8 * level
            tile = Tile(level, above, width_at(level, above, size))
            if tile.width and index == above << 8 * level:
                self._look(tile, self._reading.hashes)
            if tile.full().path() in self.found:
                return

    def _look(self, tile: Tile, read: Callable[[Tile], bytes]) -> None:
        place = tile.full().path()  # by which it is known for as long as it grows
        try:
            read(tile)
        except WrongBytes as error:
            self._note(place, str(error))
        else:
            self._note(place, "")

    def _note(self, place: str, says: str) -> None:
        if says and place not in self.found:
            emit(DAMAGE_FOUND, place=place, error=says)
        self.found.pop(place, None)
        if says:
            self.found[place] = says
