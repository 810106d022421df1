"""Summaries: what a predicate says, in one line for people and as values for programs.

A `Part` is an object of the predicate with its path, so that whoever has to mend it
is told where, by whose rule, and how. Unset, null and empty are the same in what is
required, as SLSA has it: what says nothing is not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Self

from verifier.document import TYPES
from verifier.errors import MalformedError

MAX_SAYS: Final = 300
MAX_TEXT: Final = 80
"""How much of one text of a stranger's stands in a line."""

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a statement says of its subjects; nobody has checked that it is so.

    `says` is not escaped: its words are a stranger's.
    """

    kind: str
    says: str
    values: dict[str, Any]

    @classmethod
    def of(cls, kind: str, says: str, **values: Any) -> Self:
        """One whose line has a bounded length."""
        return cls(kind=kind, says=clip(says, MAX_SAYS), values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An object of a predicate, where it stands, and whose rules it follows."""

    spec: str
    path: str
    members: Mapping[str, Any]

    def need(self, name: str, kind: type, *, empty: bool = False) -> Any:
        """The member `name`, which has to be there and be of `kind`."""
        value = self.members.get(name)
        if value is None or (value in ("", [], {}) and not empty):
            wanted = f"{self.spec} requires {TYPES[kind]} there"
            self.refuse(name, f"is missing or empty: {wanted}")
        return self.may(name, kind)

    def may(self, name: str, kind: type) -> Any:
        """The member `name`, which is of `kind` if it is there, and else None."""
        value = self.members.get(name)
        if value is not None and type(value) is not kind:
            self.refuse(name, f"is not {TYPES[kind]}, as {self.spec} requires")
        return value

    def part(self, name: str) -> Part:
        """The object `name`, which has to be there."""
        members = self.need(name, dict)
        return Part(spec=self.spec, path=f"{self.path}.{name}", members=members)

    def parts(self, name: str, *, empty: bool = False) -> list[Part]:
        """The list of objects `name`, which has to be there."""
        listed = self.need(name, list, empty=empty)
        if not all(type(each) is dict for each in listed):
            self.refuse(name, f"has what is no object, and {self.spec} has only these")
        return [
            Part(spec=self.spec, path=f"{self.path}.{name}[{at}]", members=each)
            for at, each in enumerate(listed)
        ]

    def texts(self, name: str, *, required: bool = False) -> list[str]:
        """The list of texts `name`; none if it is not `required` and not there."""
        found = self.need(name, list, empty=True) if required else self.may(name, list)
        listed: list[str] = found or []
        if not all(type(each) is str for each in listed):
            self.refuse(name, f"has what is no text, and {self.spec} has only texts")
        return listed

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """The member `name`, which has to be one of `choices`."""
        value: str = self.need(name, str)
        if value not in choices:
            self.refuse(name, f"is none of what {self.spec} has: {', '.join(choices)}")
        return value

    def time(self, name: str) -> str | None:
        """The time `name`, if it is there."""
        value: str | None = self.may(name, str)
        if value and not _TIME.fullmatch(value):
            self.refuse(name, "is not a time such as 2026-09-22T12:00:00Z (RFC 3339)")
        return value or None

    def refuse(self, name: str, why: str) -> NoReturn:
        """Say what is wrong with the member `name`, and what to do."""
        raise MalformedError(
            f"{self.path}.{name} {why}; mend it where the statement is made, and sign "
            "it again"
        )


def clip(text: str, most: int = MAX_TEXT) -> str:
    """`text`, cut off with a mark if it is longer than `most`."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
