"""What a log names when it is asked by digest or id: places to look at, and no facts.

It gives a hundred at a time. Whoever logs the digest of a file a thousand times puts
as many entries before the file itself, so it is asked on, within a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.remote import Remote
from ledger.index.lookup import MOST
from verifier.document import parse_document
from verifier.errors import MalformedError

ASKED: Final = 100
"""How many answers to one question are asked for: a log could go on without end."""

_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The places that a service gives, how far it looked, and whether it can go on."""

    indexes: list[int]
    covered: int
    more: bool


def named_by(remote: Remote, what: str) -> Named | None:
    """All that a service names, if it is not too much; None if it looks nothing up.

    `what` is digest/ and 64 hex digits, or record/ and an id.
    """
    indexes: list[int] = []
    first = 0
    for _ in range(ASKED):
        answer = _answer(remote, what, first)
        if answer is None:
            # It has begun to answer, and does not know how to go on.
            return Named(indexes=indexes, covered=first, more=True) if first else None
        indexes += answer.indexes[:MOST]
        if not answer.more or answer.covered <= first:
            return Named(indexes=indexes, covered=answer.covered, more=answer.more)
        first = answer.covered
    return Named(indexes=indexes, covered=first, more=True)


def _answer(remote: Remote, what: str, first: int) -> Named | None:
    """One answer, about the entries from `first` on."""
    on = f"/{first}" if first else ""
    data = remote.read(f"v1/lookup/{what}{on}", _MOST_BYTES)
    if data is not None:
        found = parse_document(data, "the answer", most=_MOST_BYTES)
    else:
        said = remote.absent.document if remote.absent else {}
        if said.get("check") != "unknown":
            return None
        found = {**said, "indexes": []}
    indexes, covered = found.get("indexes"), found.get("covered", 0)
    size = found.get("size", covered)
    if type(indexes) is not list or any(
        type(each) is not int for each in (*indexes, covered, size)
    ):
        raise MalformedError(f"{remote}: its lookup answers no list of indexes")
    more = found.get("more") is True or covered < size
    return Named(indexes=indexes, covered=covered, more=more)
