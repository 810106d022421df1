"""A progress bar on a terminal; elsewhere nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TextIO

BAR: Final = 30
STEP_S: Final = 0.1


@dataclass(slots=True)
class Meter:
    """How much of a long work is done. `clock` counts seconds, from anywhere."""

    out: TextIO
    clock: Callable[[], float]
    _start: tuple[float, int] | None = field(default=None, init=False)
    _shown: float = field(default=0.0, init=False)

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        if not self.out.isatty():
            return
        now = self.clock()
        if self._start is None:
            self._start = (now, done)
        elif done < total and now - self._shown < STEP_S:
            return
        self._shown = now
        # A line that wraps could not be taken back.
        columns = shutil.get_terminal_size().columns - 1
        self.out.write(f"\r\x1b[K{self._line(now, done, total)[:columns]}")
        self.out.flush()

    def clear(self) -> None:
        """Take the bar away, before something else is written."""
        if self._start is not None and self.out.isatty():
            self.out.write("\r\x1b[K")
            self.out.flush()

    def _line(self, now: float, done: int, total: int) -> str:
        since, first = self._start or (now, done)
        filled = BAR * done // total if total else BAR
        rate = (done - first) / (now - since) if now > since else 0.0
        left = f", {(total - done) / rate:,.0f} s left" if rate else ""
        bar = "#" * filled + "-" * (BAR - filled)
        return f"[{bar}] {done:,} of {total:,} entries, {rate:,.0f}/s{left}"
