"""Looking at a log for its mirror, and saying what has come of it."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field

from cli import voice
from ledger.clock import read_clock
from ledger.mirror.folder import Mirror
from ledger.mirror.following import Mirrored, follow, look_once
from verifier.errors import QuorumError
from verifier.meter import Meter
from verifier.monitor import Forked
from verifier.policy import Policy
from verifier.source import Source
from verifier.trust import Limits


@dataclass(slots=True)
class Looking:
    """A look at the log, and what is said of it."""

    source: Source
    policy: Policy
    mirror: Mirror
    max_age_s: int | None
    bar: Meter
    as_json: bool
    final_tree: tuple[int, bytes] | None = None
    end: threading.Event = field(default_factory=threading.Event)
    wrong: BaseException | None = None
    _troubled: bool = False

    def look(self) -> Mirrored:
        """One look."""
        now = read_clock().wall_ms // 1000
        try:
            return look_once(
                self.source,
                self.policy,
                self.mirror,
                now=now,
                limits=Limits(now=now, max_age_s=self.max_age_s, final=self.final_tree),
                watch=self._watch,
            )
        except Forked:
            voice.tell(f"{self.mirror.proof} proves it to anybody")
            raise
        finally:
            self.bar.clear()

    def _watch(self, done: int, size: int) -> None:
        if self.end.is_set():
            raise KeyboardInterrupt  # what is fetched stays, and is not asked for again
        self.bar(done, size)

    def told(self, done: Mirrored | Exception, *, always: bool = False) -> None:
        """Say what has come of a look, if it is something new."""
        if isinstance(done, Exception):
            word = "not witnessed" if isinstance(done, QuorumError) else "warning"
            voice.tell(f"{word}: {done}; it is tried again")
            self._troubled = True
            return
        if self._troubled:
            voice.tell("the log is followed again")
            self._troubled = False
        tree = done.checkpoint
        if tree.size == done.before and not always:
            return
        if self.as_json:
            voice.say_json(
                {
                    "before": done.before,
                    "origin": tree.origin,
                    "path": str(self.mirror.folder),
                    "root": tree.root.hex(),
                    "size": tree.size,
                }
            )
        else:
            voice.fact("mirror", f"{tree.origin} in {self.mirror.folder}")
            voice.fact("size", f"{tree.size}, and {done.before} before")
            voice.fact("root", tree.root.hex())
        voice.said()

    def follow(self, every_s: float, *, stays: bool) -> None:
        """Follow until the end; whoever serves goes on when the log has forked."""
        try:
            follow(self.look, every_s=every_s, wait=self.end.wait, tell=self.told)
        except KeyboardInterrupt:
            return
        except BaseException as error:  # noqa: BLE001 - the other thread raises it
            self.wrong = error
            if isinstance(error, Forked) and stays:
                voice.tell(f"error: {error}; it is followed no more, and still served")
                return
        # Whoever serves hears of an end by a signal; who is ending has heard it.
        ending = self.end.is_set()
        self.end.set()
        if stays and not ending:
            os.kill(os.getpid(), signal.SIGTERM)
