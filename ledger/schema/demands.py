"""What a log demands of records beyond the schema: fields that have to be there.

What lacks one is refused, or taken and flagged. A field that is sealed is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from ledger.schema.faults import Fault
from ledger.schema.kinds import DONE

EVERY: Final = "*"
"""Demanded of records of every kind."""

_MAX_KIND: Final = 128

Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A field that has to be there, or one of several, in records of some kinds."""

    kinds: tuple[str, ...]
    field: str
    ways: tuple[Steps, ...]
    rejects: bool
    when_done: bool
    mend: str

    @property
    def missing(self) -> Fault:
        """What is told of a record that lacks it."""
        return Fault(self.field, "is missing", self.mend)

    def fault(self, record: dict[str, Any]) -> Fault | None:
        """What is wrong with a record that lacks it."""
        if self.when_done and record.get("phase") not in DONE:
            return None
        sealed = _sealed(record)
        if any(_has(record, way, (), sealed) for way in self.ways):
            return None
        return self.missing


class Demands:
    """What the profiles of a log demand together."""

    def __init__(self, demands: Iterable[Demand] = ()) -> None:
        self._all = tuple(demands)
        self._of_kind = lru_cache(maxsize=128)(self._demands_of)
        flags = [each.missing._asdict() for each in self._all if not each.rejects]
        self.flags_bytes = len(json.dumps(flags)) if flags else 0
        """What all flags take at most in an answer."""

    def refusals(self, record: dict[str, Any]) -> list[Fault]:
        """For what is missing a record is not taken."""
        return self._faults(record, rejects=True) if self._all else []

    def flags(self, record: dict[str, Any]) -> tuple[Fault, ...]:
        """What is missing in a record that is taken."""
        return tuple(self._faults(record, rejects=False)) if self._all else ()

    def _faults(self, record: dict[str, Any], *, rejects: bool) -> list[Fault]:
        kind = record.get("kind")
        # What is longer is no kind, and would only be kept in memory.
        known = isinstance(kind, str) and len(kind) <= _MAX_KIND
        some = self._of_kind(kind if known else "")
        found = [each.fault(record) for each in some if each.rejects == rejects]
        return [each for each in found if each]

    def _demands_of(self, kind: str) -> tuple[Demand, ...]:
        return tuple(x for x in self._all if kind in x.kinds or EVERY in x.kinds)


NOTHING: Final = Demands()


def _sealed(record: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The paths of what is sealed, as far as they are any."""
    found = record.get("commitments")
    some = found if isinstance(found, list) else []
    paths = [each.get("path") for each in some if isinstance(each, dict)]
    return [tuple(each) for each in paths if isinstance(each, list)]


def _has(
    value: Any, way: Steps, here: tuple[Any, ...], sealed: list[tuple[Any, ...]]
) -> bool:
    """Whether something is at the end of a path, or is sealed there.

    In a list each member has to have it. `here` is where `value` is in the record.
    """
    if isinstance(value, list):
        return bool(value) and all(
            _has(each, way, (*here, at), sealed) for at, each in enumerate(value)
        )
    if not way:
        return value not in ("", {})
    if isinstance(value, dict) and way[0] in value:
        return _has(value[way[0]], way[1:], (*here, way[0]), sealed)
    whole = (*here, *way)
    return isinstance(value, dict) and any(x[: len(whole)] == whole for x in sealed)
