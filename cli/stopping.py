"""Ctrl-C that ends the reading, and never the telling of what was logged."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(slots=True)
class Stopping:
    """Whether somebody has pressed Ctrl-C."""

    stopped: bool = False
    _reading: bool = False

    def until_stopped(self, items: Iterable[_T]) -> Iterator[_T]:
        """The `items`, up to the moment when somebody stops us, also while they wait.

        What is done with an item is finished first.
        """
        source = iter(items)
        while (item := self._next(source)) is not None:
            yield item

    def _next(self, source: Iterator[_T]) -> _T | None:
        self._reading = True
        try:
            return None if self.stopped else next(source, None)
        except KeyboardInterrupt:
            return None
        finally:
            self._reading = False

    def _heard(self, *_: int | FrameType | None) -> None:
        # Who presses it twice does not want to wait for the disk either.
        again, self.stopped = self.stopped, True
        if self._reading or again:
            raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[Stopping]:
    """Take Ctrl-C for as long as this lasts."""
    stopping = Stopping()
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        # Somebody has put us into the background, where Ctrl-C is not for us.
        yield stopping
        return
    signal.signal(signal.SIGINT, stopping._heard)  # noqa: SLF001 - the one caller
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGINT, before)
