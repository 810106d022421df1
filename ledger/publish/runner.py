"""One thread for each place that is published to, or told.

Only the newest offer matters: after an outage a place gets what is newest then, and
not each one between. A place that is dead, slow or hanging delays itself alone. It
is tried again, later each time, until it answers; but one that is ahead of us, or
has another history, is left alone until the process is started again, since a
person has to look first.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger.clock import stopwatch
from ledger.errors import Held
from ledger.events import TARGET_AGAIN, TARGET_FAILED, TARGET_HELD, Event, emit
from ledger.publish.publishing import Published

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
_FOR_PEOPLE: Final = ("rollback", "forked")

GoOn = Callable[[], None]
"""Raises when there is no time left; called now and then by whoever takes long."""
Bring = Callable[[Published, GoOn], int]
"""Brings a place up to what is published; returns the size that it has then."""


class Stopped(Exception):
    """The process ends; what was being done is done again by the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far a place is: `failure` is empty where the last attempt was none."""

    name: str
    size: int
    behind_s: float
    failure: str
    failures: int
    held: bool


class Runner:
    """Keeps one place up to date."""

    def __init__(
        self, name: str, bring: Bring, *, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self.name = name
        self._bring = bring
        self._first_pause_s = first_pause_s
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._offered: Published | None = None
        self._done: Published | None = None
        self._size = 0
        self._behind_since: float | None = None
        self._failure = ""
        self._failures = 0
        self._held = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def offer(self, published: Published) -> bool:
        """Let it have this; whether it had the one before, and is worth a wait."""
        with self._changed:
            kept_up = self._offered is self._done
            self._offered = published
            if self._behind_since is None:
                self._behind_since = stopwatch()
            self._changed.notify_all()
        return kept_up

    def caught_up(self, size: int, patience_s: float) -> bool:
        """Whether it has `size`; waits, but not for one that fails."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._size >= size or self._failure or self._ending.is_set(),
                timeout=patience_s,
            )
            return self._size >= size

    @property
    def lag(self) -> Lag:
        """How far it is."""
        with self._changed:
            since = self._behind_since
            return Lag(
                name=self.name,
                size=self._size,
                behind_s=0.0 if since is None else stopwatch() - since,
                failure=self._failure,
                failures=self._failures,
                held=self._held,
            )

    def close(self, patience_s: float = 5.0) -> None:
        """End; whoever does not come back in time ends with the process."""
        self._ending.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(patience_s)

    def _run(self) -> None:
        row = 0
        while published := self._next():
            try:
                size = self._bring(published, self._go_on)
            except Stopped:
                return
            except Held as error:
                if error.state in _FOR_PEOPLE:
                    self._leave(error)
                    return
                row = self._failed(error, row)
            except Exception as error:  # noqa: BLE001 - it is tried again, whatever it is
                row = self._failed(error, row)
            else:
                row = 0
                self._reached(published, size)

    def _next(self) -> Published | None:
        """What is to be done next; None at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ending.is_set() or self._offered is not self._done
            )
            return None if self._ending.is_set() else self._offered

    def _go_on(self) -> None:
        if self._ending.is_set():
            raise Stopped

    def _reached(self, published: Published, size: int) -> None:
        with self._changed:
            if self._failure:
                emit(TARGET_AGAIN, target=self.name, size=size)
            self._size, self._failure, self._done = size, "", published
            if self._offered is published:
                self._behind_since = None
            self._changed.notify_all()

    def _failed(self, error: Exception, row: int) -> int:
        """Say it when it starts, and wait; returns how many there were in a row."""
        self._note(error, TARGET_FAILED if not row else None)
        longest = min(LONGEST_PAUSE_S, self._first_pause_s * 2 ** min(row, 16))
        # Not all of us at the same moment, when somebody comes back.
        self._ending.wait(longest * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        return row + 1

    def _leave(self, error: Held) -> None:
        self._held = True
        self._note(error, TARGET_HELD)

    def _note(self, error: Exception, event: Event | None) -> None:
        with self._changed:
            self._failure = str(error) or type(error).__name__
            self._failures += 1
            if event:
                emit(event, target=self.name, size=self._size, error=error)
            self._changed.notify_all()
