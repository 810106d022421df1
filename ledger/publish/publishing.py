"""Publishing: a cursor that follows the newest head, and never runs ahead of it.

Each step can be repeated and is durable before the next: sign, keep, show. What a
crash cuts off, the next look does again; a cursor has nothing to lose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.clock import Clock
from ledger.errors import Held
from ledger.events import PUBLISH_FAILED, PUBLISHED_AGAIN, emit
from ledger.log.log import Log
from ledger.log.recovery import BACKWARD_MS
from ledger.publish.kept import Kept
from verifier.checkpoint import Checkpoint
from verifier.note import Note

_SIGNING: Final = ("frozen", "full")
"""The states in which nothing is written, and what is there may be published."""


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that is public: its tree's size, and the signed note.

    `plain` has the signatures that never change, and is what is kept.
    """

    size: int
    note: bytes
    plain: bytes
    at_ms: int


class Publisher:
    """Publishes the checkpoints of a log that is open for writing."""

    def __init__(self, log: Log, kept: Kept, clock: Clock) -> None:
        self._log = log
        self._kept = kept
        self._clock = clock
        self._failing = False
        self._stated = kept.stated()
        self._begun = False
        """Whether this process has published: what it found lacks what changes."""
        self.last: Published | None = self._before()

    def step(self) -> Published | None:
        """Publish if the log has grown, or it is time again; the newest, if it did."""
        head, now, last = self._log.head, self._clock(), self.last
        if last and head.size == last.size and not self._due(last, now.wall_ms):
            return None
        hold = self._log.hold
        if hold and hold.state not in _SIGNING:
            return None
        try:
            self.last = self._publish(now.wall_ms)
        except Exception as error:  # noqa: BLE001 - it is tried again, whatever it is
            if not self._failing:
                emit(PUBLISH_FAILED, size=head.size, error=error)
            self._failing = True
            return None
        if self._failing:
            emit(PUBLISHED_AGAIN, size=self.last.size)
        self._failing = False
        return self.last

    def _due(self, last: Published, now_ms: int) -> bool:
        again_ms = self._log.home.config.republish_s * 1000
        return not self._begun or now_ms - last.at_ms >= again_ms

    def _publish(self, now_ms: int) -> Published:
        # A cosignature's time does not go back, as `at` does not.
        time = self._not_before(now_ms)
        signed = self._log.checkpoint(time=time)
        plain = self._kept.plain(signed)
        size = Checkpoint.parse(Note.parse(signed).text).size
        self._kept.add(size, plain, time)
        self._stated, self._begun = time, True
        return Published(size, signed, plain, now_ms)

    def _not_before(self, now_ms: int) -> int:
        """The time to state, in seconds: no earlier one than was stated before."""
        time = now_ms // 1000
        if (self._stated - time) * 1000 > BACKWARD_MS:
            says = f"the clock says {time}, and {self._stated} was stated before"
            raise Held("clock", f"{says} (seconds since 1970)")
        return max(time, self._stated)

    def _before(self) -> Published | None:
        """What the last process published: to be shown until there is a newer one."""
        found = self._kept.newest(most=self._log.head.size)
        if not found:
            return None
        size = Checkpoint.parse(Note.parse(found).text).size
        return Published(size, found, found, self._stated * 1000)
