"""Alarms: what begins, what ends, what was looked for; each told until it is taken.

An alarm is in the outbox, and with it on the disk, before anybody hears of it, and
leaves it when all have taken it. After a crash between the two it is told again, under
the same id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from ledger.monitor.state import State
from ledger.monitor.telling import Channel, NotTold

MAX_MATCHES: Final = 1_000
"""With so much untold, new entries wait: who listens again shall miss none of them."""
MOST: Final = 2 * MAX_MATCHES
"""With so much untold, of other alarms only the first and the newest are kept."""


class Alarms:
    """Makes alarms of one log, and tells them."""

    def __init__(
        self,
        state: State,
        source: str,
        *,
        say: Callable[[Mapping[str, Any]], None],
        trouble: Callable[[str], None],
        channels: Sequence[Channel] = (),
    ) -> None:
        self._state = state
        self._source = source
        self._say = say
        self._trouble = trouble
        self._channels = channels
        self._taken: dict[str, set[int]] = {}
        self._failing: set[int] = set()

    @property
    def full(self) -> bool:
        """Whether nobody should look for more to tell just now."""
        return len(self._state.outbox) >= MAX_MATCHES

    def begin(self, kind: str, says: str, now: int, **facts: Any) -> None:
        """Tell that something is wrong, unless it was told already."""
        if kind not in self._state.active:
            alarm = self._new("started", kind, says, now, facts)
            self._state.active[kind] = alarm["id"]

    def end(self, kind: str, says: str, now: int) -> None:
        """Tell that it is wrong no more, if it was."""
        if begun := self._state.active.pop(kind, None):
            self._new("ended", kind, says, now, {"started": begun})

    def matched(self, says: str, now: int, **facts: Any) -> None:
        """Tell of an entry that somebody wants to hear of."""
        self._new("matched", "matched", says, now, facts)

    def deliver(self, now: int) -> None:
        """Tell what is untold; what is taken by all leaves the outbox."""
        silent: set[int] = set()
        for alarm in list(self._state.outbox):
            if alarm["id"] not in self._taken:
                self._taken[alarm["id"]] = set()
                self._say(alarm)
            taken = self._taken[alarm["id"]]
            for number, channel in enumerate(self._channels):
                if number in taken or number in silent:
                    continue
                try:
                    channel.tell(alarm, now)
                except NotTold as error:
                    silent.add(number)  # asked again in the next round
                    if number not in self._failing:
                        self._trouble(f"an alarm is not told, and waits: {error}")
                else:
                    taken.add(number)
            if len(taken) == len(self._channels):
                self._state.outbox.remove(alarm)
                del self._taken[alarm["id"]]
        for _ in self._failing - silent:
            self._trouble("alarms are told again")
        self._failing = silent

    def _new(
        self, event: str, kind: str, says: str, now: int, facts: dict[str, Any]
    ) -> dict[str, Any]:
        alarm = {
            "event": event,
            "kind": kind,
            "says": says,
            "at": now,
            "source": self._source,
            **facts,
        }
        # Of what happened, not of the attempt, so that a repetition can be seen.
        what = json.dumps(alarm, sort_keys=True).encode()
        alarm["id"] = sha256(what).hexdigest()[:32]
        self._state.outbox.append(alarm)
        if len(self._state.outbox) > MOST:
            self._thin()
        return alarm

    def _thin(self) -> None:
        """Keep, of what begins and ends again and again, the first and the newest.

        A log could do so in each round; while nobody listens, that would fill a disk.
        """
        kinds: dict[str, list[str]] = {}
        for alarm in self._state.outbox:
            if alarm.get("event") != "matched":
                kinds.setdefault(str(alarm.get("kind")), []).append(alarm["id"])
        dropped = {each for ids in kinds.values() for each in ids[1:-2]}
        self._state.outbox[:] = [
            alarm for alarm in self._state.outbox if alarm["id"] not in dropped
        ]
        for each in dropped:
            self._taken.pop(each, None)
