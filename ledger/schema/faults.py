"""What is wrong with a record: where, which rule, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ledger.errors import Refused

MOST: Final = 50
"""How many are told at once."""

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
        shown = list(faults[:MOST])
        says = "; ".join(map(str, shown))
        if more := len(faults) - len(shown):
            says += f"; and {more} more"
        super().__init__("schema", says)
        self.faults = shown


def spelled(path: Path) -> str:
    """A path, as in links[0].target; the record itself is called so."""
    if not path:
        return "the record"
    words = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(words).removeprefix(".")
