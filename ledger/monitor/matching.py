"""Which new entries somebody wants to hear of.

A pattern is PATH=GLOB: where in the record, and how the value there looks. What lies
at a path is what the record says, and is believed no further than that. An entry that
is no record has `by` and `type` only, so a pattern on anything else never fits it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Self

from ledger.errors import Refused
from verifier.entry import LOG, Entry
from verifier.errors import MalformedError
from verifier.own import MEDIA_TYPE as OWN
from verifier.own import parse_own
from verifier.record import MEDIA_TYPE, parse_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A dotted path, and what the value there has to look like."""

    path: tuple[str, ...]
    glob: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read PATH=GLOB."""
        path, found, glob = text.partition("=")
        steps = tuple(path.split("."))
        if not found or not all(steps):
            raise Refused(
                "match",
                f"{text!r} is no PATH=GLOB; write it like model.name=gpt-* or by=s-1",
            )
        return cls(path=steps, glob=glob)

    def fits(self, fields: dict[str, Any]) -> bool:
        """Whether a value at the path looks like this."""
        return any(
            fnmatchcase(_text(each), self.glob) for each in _values(fields, self.path)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is told: entries that fit every pattern and have every text in them."""

    patterns: Sequence[Pattern] = ()
    texts: Sequence[bytes] = ()

    def __bool__(self) -> bool:
        """Whether anything is asked for; who asks for nothing is told of no entry."""
        return bool(self.patterns or self.texts)

    def fits(self, entry: bytes) -> bool:
        """Whether this is to be told."""
        if not self or not all(text in entry for text in self.texts):
            return False
        if not self.patterns:
            return True
        fields = fields_of(entry)
        return all(each.fits(fields) for each in self.patterns)


def fields_of(data: bytes) -> dict[str, Any]:
    """What a pattern can look at: the record, and beside it what the log noted.

    `by` and `type` are the log's word, so a record's own members of these names are
    not seen: a submitter cannot pass for somebody else.
    """
    try:
        entry = Entry.parse(data)
    except MalformedError:
        return {}
    noted = {"by": entry.by, "type": entry.type}
    try:
        if entry.by == LOG and entry.type == OWN:
            return {**parse_own(entry), **noted}
        if entry.type == MEDIA_TYPE:
            return {**parse_record(entry.body), **noted}
    except MalformedError:
        pass  # an auditor is told; here there is nothing more to look at
    return noted


def _values(value: Any, path: tuple[str, ...]) -> Iterator[str | int]:
    """Every value at `path`: a list is looked at item by item, or at the one named."""
    if isinstance(value, list):
        if path and path[0].isascii() and path[0].isdigit() and len(path[0]) < 6:
            items, rest = value[int(path[0]) :][:1], path[1:]
        else:
            items, rest = value, path
        for each in items:
            yield from _values(each, rest)
    elif isinstance(value, dict):
        if path and path[0] in value:
            yield from _values(value[path[0]], path[1:])
    elif not path and isinstance(value, str | int):
        yield value


def _text(value: str | int) -> str:
    # As JSON has them; Python writes True.
    return str(value).lower() if isinstance(value, bool) else str(value)
