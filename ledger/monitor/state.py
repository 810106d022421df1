"""What a monitor keeps beside its checkpoints: how far it has looked, what is wrong.

The checkpoints themselves are in the verifier's own file, STATE, so that a round of
`python -m verifier monitor` may come between ours. This one is STATE.watch. It is
replaced as a whole: what is to be told, and how far entries were looked at, change
together, so that no alarm is lost to a crash.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final, Self

from verifier.document import check_members, member
from verifier.errors import MalformedError

SCHEMA: Final = "provlog/watch/1"
MAX_BYTES: Final = 64 << 20

_NUMBERS: Final = ("looked", "reread", "silent_since")
_MEMBERS: Final = frozenset({"schema", *_NUMBERS, "active", "places", "outbox"})


@dataclass(slots=True, kw_only=True)
class State:
    """From one round to the next.

    `looked` is the size up to which new entries were read, None before the first
    round; `reread` the entry tile at which the reading of old ones goes on;
    `silent_since` when the log began not to answer. `active` are the conditions that
    last, each with the alarm that told of its beginning; `places` the entry tiles in
    which something is wrong, with the kind of it; `outbox` what is not yet told.
    """

    looked: int | None = None
    reread: int = 0
    silent_since: int | None = None
    active: dict[str, str] = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)
    outbox: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the file, or raise MalformedError naming what is wrong with it."""
        what = "what the monitor keeps"
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise MalformedError(f"{what} is not JSON") from None
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise MalformedError(f'{what} does not say "schema": "{SCHEMA}"')
        check_members(document, _MEMBERS, what)
        for name in _NUMBERS:
            if name in document and member(document, name, int, what) < 0:
                raise MalformedError(f"{what}: {name} is below zero")
        active = member({"active": {}} | document, "active", dict, what)
        places = member({"places": {}} | document, "places", dict, what)
        outbox = member({"outbox": []} | document, "outbox", list, what)
        texts = [*active.values(), *places.values()]
        if not all(type(each) is str for each in texts) or not all(
            isinstance(each, dict) and type(each.get("id")) is str for each in outbox
        ):
            raise MalformedError(f"{what} has alarms that are none")
        if not all(each.isascii() and each.isdigit() for each in places):
            raise MalformedError(f"{what} has places that are no numbers of tiles")
        return cls(
            looked=document.get("looked"),
            reread=document.get("reread", 0),
            silent_since=document.get("silent_since"),
            active=active,
            places={int(number): kind for number, kind in places.items()},
            outbox=outbox,
        )

    def encode(self) -> bytes:
        """Write the file."""
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "looked": self.looked,
            "reread": self.reread,
            "silent_since": self.silent_since,
            "active": self.active,
            "places": self.places,
            "outbox": self.outbox,
        }
        known = {name: value for name, value in document.items() if value is not None}
        return (json.dumps(known, indent=2) + "\n").encode()
