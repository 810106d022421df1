"""A monitor that is driven round by round, at times that a test says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.monitor.alarms import Alarms
from ledger.monitor.rounds import Outcome, Wanted, Watcher, kept_beside, read_own
from ledger.monitor.state import MAX_BYTES, State
from tests.testlog import TIME, TestLog
from verifier.source import Directory, Source

NOW = TIME + 60


class Watching:
    """A monitor of `made`, whose state is in `folder`."""

    def __init__(
        self,
        made: TestLog,
        folder: Path,
        *,
        source: Source | None = None,
        channels: Any = (),
        **wanted: Any,
    ) -> None:
        self.path = folder / "state"
        self.said: list[dict[str, Any]] = []
        self.troubles: list[str] = []
        self.now = NOW
        self._channels = channels
        self._source = source or Directory(made.folder)
        self._wanted = Wanted(policy=made.policy, **wanted)
        self.start()

    def start(self) -> None:
        """Begin anew, with what is on the disk."""
        found = read_own(kept_beside(self.path), MAX_BYTES, State.parse)
        self.state = found or State()
        alarms = Alarms(
            self.state,
            "here",
            say=lambda alarm: self.said.append(dict(alarm)),
            trouble=self.troubles.append,
            channels=self._channels,
        )
        self._watcher = Watcher(
            self._source, self._wanted, self.path, self.state, alarms
        )

    def round(self, seconds: int = 60) -> Outcome:
        """One round, so much later."""
        self.now += seconds
        return self._watcher.round(self.now)

    def told(self) -> list[str]:
        """What was told since this was last asked: "started altered" and so on."""
        said, self.said = self.said, []
        return [f"{each['event']} {each['kind']}" for each in said]
