"""Which entries of a log somebody wants to see: by kind, workflow, actor or time."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from cli.places import Place
from ledger.errors import Refused
from ledger.schema.kinds import KINDS, VENDOR
from verifier.entry import LOG, PREFIX, Entry, entry_time
from verifier.errors import MalformedError
from verifier.own import KINDS as OWN_KINDS
from verifier.own import parse_own
from verifier.record import MEDIA_TYPE, parse_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What an entry has to be; what is empty, or None, does not matter."""

    kinds: tuple[str, ...] = ()
    workflow: str | None = None
    actor: str | None = None
    since_ms: int | None = None

    def within(self, place: Place, wanted: range) -> range:
        """Those of `wanted` that are not too old; the times of a log never go back."""
        if self.since_ms is None or not wanted:
            return wanted
        try:
            first = bisect_left(wanted, self.since_ms, key=lambda at: _time(place, at))
        except MalformedError:
            says = "only the entries of a record log have a time"
            raise Refused("since", says) from None
        return wanted[first:]

    def has(self, data: bytes) -> bool:
        """Whether this entry is one of those."""
        if not self.kinds and self.workflow is None and self.actor is None:
            return True
        said = _said(data)
        actor = said.get("actor")
        return (
            (not self.kinds or said.get("kind") in self.kinds)
            and self.workflow in (None, said.get("workflow_id"))
            and self.actor in (None, actor.get("id") if isinstance(actor, dict) else "")
        )


def no_kinds(kinds: tuple[str, ...]) -> Iterator[str]:
    """What to say of those of `kinds` that no record of this version can be of."""
    known = (*KINDS, *OWN_KINDS)
    for kind in kinds:
        if kind not in known and not re.fullmatch(VENDOR, kind):
            near = get_close_matches(kind, known, 1)
            mend = f"did you mean {near[0]}?" if near else "provlog example lists them"
            yield f"there is no kind {kind!a} in this version: {mend}"


def _time(place: Place, index: int) -> int:
    (data,) = place.entries(index, index + 1)
    return entry_time(data)


def _said(data: bytes) -> dict[str, Any]:
    """What a record, or the log itself, says in an entry; of others nothing."""
    if data.startswith(PREFIX):
        with suppress(MalformedError):
            entry = Entry.parse(data)
            if entry.type == MEDIA_TYPE:
                return parse_record(entry.body)
            if entry.by == LOG:
                return parse_own(entry)
    return {}
