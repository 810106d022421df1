"""Proposing: which tree is to become public next, signed, and when.

The writer does this, for it has the keys; all that comes after a signature, and
all that speaks to others, is in publication.py and needs none.
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

_SIGNING: Final = ("anchor_silent", "frozen", "full")
"""The states in which nothing is written, and what is there may be published."""


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that is public: its tree's size, and the signed note.

    `plain` has the signatures that never change, and is what is kept. `witnessed`
    says whether the policy's quorum has cosigned it.
    """

    size: int
    note: bytes
    plain: bytes
    at_ms: int
    witnessed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A signed checkpoint that is to become public, and when it was signed."""

    note: bytes
    time: int
    at_ms: int

    def tree(self) -> Checkpoint:
        """What it says."""
        return Checkpoint.parse(Note.parse(self.note).text)


class Publisher:
    """Says what is to be published of a log that is open for writing."""

    def __init__(self, log: Log, kept: Kept, clock: Clock, *, asks: bool) -> None:
        self._log = log
        self._asks = asks
        """Whether there are witnesses to be asked."""
        self._kept = kept
        self._clock = clock
        self._failing = False
        self._stated = kept.stated()
        self._begun = False
        """Whether this process has published: what it found lacks what changes."""
        self.last: Published | None = self._before()

    def propose(self) -> Proposal | None:
        """What is next, if the log has grown, or it is time again."""
        head, now, last = self._log.head, self._clock(), self.last
        if last and head.size == last.size and not self._due(last, now.wall_ms):
            return None
        hold = self._log.hold
        if hold and hold.state not in _SIGNING:
            return None
        try:
            # A cosignature's time does not go back, as `at` does not.
            time = self._not_before(now.wall_ms)
            note = self._log.checkpoint(time=time)
        except Exception as error:  # noqa: BLE001 - it is tried again, whatever it is
            self.failed(error)
            return None
        self._stated = time
        return Proposal(note=note, time=time, at_ms=now.wall_ms)

    def made(self, published: Published) -> None:
        """A proposal has become public."""
        if self._failing:
            emit(PUBLISHED_AGAIN, size=published.size)
        self._failing, self._begun = False, True
        self.last = published

    def failed(self, error: Exception) -> None:
        """It cannot be published just now; told once, until it can."""
        if not self._failing:
            emit(PUBLISH_FAILED, size=self._log.head.size, error=error)
        self._failing = True

    def begin_again(self) -> None:
        """Who publishes is another process now, and has shown nothing yet."""
        self._begun = False

    def _due(self, last: Published, now_ms: int) -> bool:
        again_ms = self._log.home.config.republish_s * 1000
        missing = self._asks and not last.witnessed
        return not self._begun or missing or now_ms - last.at_ms >= again_ms

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
        at_ms = self._stated * 1000
        # Not all cosignatures are kept; the first proposal finds out.
        return Published(size, found, found, at_ms, witnessed=not self._asks)
