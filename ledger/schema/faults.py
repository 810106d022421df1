"""What is wrong with a record: where, which rule, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from ledger.errors import Refused

MOST: Final = 50
"""How many are listed."""
MOST_BYTES: Final = 32_768
"""How long they are together, but for one that is longer by itself."""
ENOUGH: Final = 500
"""With how many nobody looks for more."""
_SAID: Final = 10
"""How many of them are said in one sentence."""
_SHOWN: Final = 40
_PLAIN: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{_SHOWN}}}")

Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """One rule that was broken, at the end of a path."""

    path: str
    rule: str
    mend: str

    def __str__(self) -> str:
        """It, as a person reads it."""
        return f"{self.path} {self.rule}: {self.mend}"


class Faulty(Refused):
    """A record that means nothing here; all that is wrong with it, at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        listed = _within(faults[:MOST])
        said = listed[:_SAID]
        says = "; ".join(map(str, said))
        if (more := len(faults) - len(said)) > 0:
            says += f"; and {more} more{' at least' if len(faults) >= ENOUGH else ''}"
        super().__init__("schema", says)
        self.faults = listed


def _within(faults: Sequence[Fault]) -> list[Fault]:
    """As many of them as one answer has room for: the first, and no more than that."""
    listed: list[Fault] = []
    room = MOST_BYTES
    for each in faults:
        room -= sum(map(len, each))
        if listed and room < 0:
            break
        listed.append(each)
    return listed


def spelled(path: Path) -> str:
    """A path, as in links[0].target; the record itself is called so.

    Of a name that no member of ours could have, the beginning, without its controls.
    """
    if not path:
        return "the record"
    return "".join(map(_step, path)).removeprefix(".")


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN.fullmatch(step) else f"[{step[:_SHOWN]!a}]"
