"""Findings: what was looked at, and what came of it, for people and for programs.

Whatever comes from evidence is escaped before a person sees it: a terminal
obeys control characters, and a bidirectional override can turn a sentence
round. The JSON form is a contract: `check` is a stable word and never changes
its meaning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

# The backslash starts an escape; the others are printable to Python and to people
# nothing: letters and marks that are blank, or ignored where they stand.
_UNSEEN: Final = re.compile(
    "[\\\\\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
_STEP: Final = re.compile("[A-Za-z_][A-Za-z0-9_-]*")
_WORDS: Final = {True: "holds", False: "BROKEN", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `holds` is None where nothing was at stake."""

    check: str
    holds: bool | None
    says: str
    values: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The finding as one line for a person."""
        return f"{self.check:<11} {_WORDS[self.holds]:<8}{escape(self.says)}".rstrip()

    def document(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return {
            "check": self.check,
            "holds": self.holds,
            "says": self.says,
            **self.values,
        }


@dataclass(slots=True)
class Report:
    """Findings in the order in which they were made."""

    findings: list[Finding] = field(default_factory=list)

    def holds(self, check: str, says: str, **values: Any) -> None:
        """Note that a check holds."""
        self.findings.append(Finding(check=check, holds=True, says=says, values=values))

    def fails(self, check: str, says: str, **values: Any) -> None:
        """Note that a check does not hold."""
        self.findings.append(
            Finding(check=check, holds=False, says=says, values=values)
        )

    def notes(self, check: str, says: str, **values: Any) -> None:
        """Note something that is no check: what was shown, what was not looked at."""
        self.findings.append(Finding(check=check, holds=None, says=says, values=values))

    @property
    def broken(self) -> list[Finding]:
        """What does not hold."""
        return [each for each in self.findings if each.holds is False]

    def text(self) -> str:
        """The report for a person, a line for each finding."""
        return "\n".join(each.text() for each in self.findings)

    def json(self, *, concluded: bool = True, **values: Any) -> str:
        """The report for a program, with `values` beside the findings.

        `holds` is null where nothing was `concluded`, unless something is broken.
        """
        broken = self.broken
        document = {
            "holds": False if broken else True if concluded else None,
            "check": broken[0].check if broken else None,
            **values,
            "findings": [each.document() for each in self.findings],
        }
        # ASCII only, and DEL is the one control character that json lets through.
        return json.dumps(document, indent=2).replace("\x7f", "\\u007f")


def escape(text: str) -> str:
    """`text` with whatever is not plainly visible escaped, and so is the backslash."""
    if not (text.isascii() and text.isprintable() and "\\" not in text):
        text = "".join(
            each if each.isprintable() and not _UNSEEN.match(each) else _escaped(each)
            for each in text
        )
    # A run of spaces could be wrapped into what looks like a line of its own.
    return re.sub("(?<= ) ", r"\\x20", text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def time_text(seconds: int) -> str:
    """A time in seconds since the epoch as people write it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s after 1970"


def path_text(path: Sequence[str | int]) -> str:
    """A path as people write it; no two paths look the same."""
    return "/".join(
        step if isinstance(step, str) and _STEP.fullmatch(step) else json.dumps(step)
        for step in path
    )
