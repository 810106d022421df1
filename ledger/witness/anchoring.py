"""Being an anchor elsewhere: the newest head of each log, which only goes forward.

A log asks for each batch, before it answers anybody. What it is told is durable here
first; so a log that was put back to an older state, or has a second writer, finds
somebody who knows better. Nothing is verified: a head is what its own writer says
it is, and a wrong one harms that log alone.
"""

from __future__ import annotations

from typing import Final

from ledger.log.kept import Change, Kept, encode_kept, parse_kept
from ledger.witness.anchorhome import Anchorer, Anchorers
from ledger.witness.answering import Answer, Memory
from verifier.errors import MalformedError

_JSON: Final = "application/json"
_TRIES: Final = 8
_NOTHING: Final = Answer(status=404, body=b"nothing is held of this log yet\n")


class Anchoring:
    """Holds the heads of all logs; many threads may ask it at once."""

    def __init__(self, known: Anchorers, memory: Memory) -> None:
        self._known = known
        self._memory = memory

    def who(self, digest: bytes, token: str) -> Anchorer | None:
        """The log whose origin has this SHA-256, if `token` is its own."""
        found = self._known.all().get(digest)
        return found if found and found.knows(token) else None

    def read(self, digest: bytes, who: Anchorer) -> Answer:
        """What is held of a log."""
        data = self._memory.get(digest)
        return _told(200, who, _held(data)) if data else _NOTHING

    def change(self, digest: bytes, who: Anchorer, body: bytes) -> Answer:
        """Hold what is asked for, if it follows what is held; then it is durable."""
        try:
            change = Change.parse(body)
        except MalformedError as error:
            return Answer(status=400, body=f"{error}\n".encode())
        for _ in range(_TRIES):
            before = self._memory.get(digest)
            if before is None and change.old:
                return _NOTHING
            if before is not None and not _follows(_held(before), change):
                return _told(409, who, _held(before))
            # Should another request come between, this one is compared once more.
            after = encode_kept(who.origin, change.new)
            if self._memory.swap(digest, before, after):
                return _told(200, who, change.new)
        return Answer(status=503, body=b"others came between; ask again\n")


def _follows(held: Kept, change: Change) -> bool:
    """Whether the change begins with what is held, and goes forward."""
    return change.old == held.old and held.is_followed_by(change.new)


def _held(data: bytes) -> Kept:
    return parse_kept(data)[1]


def _told(status: int, who: Anchorer, held: Kept) -> Answer:
    body = encode_kept(who.origin, held) + b"\n"
    return Answer(status=status, body=body, content_type=_JSON)
