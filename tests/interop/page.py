"""docs/interop.md: who has looked at what, as the last run has seen it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

_ROOT: Final = Path(__file__).parents[2]
PAGE: Final = _ROOT / "docs" / "interop.md"
_MODULES: Final = (Path(__file__).parent / "go.mod").read_text()
_BEGIN: Final = "| who | version | what | result |\n|---|---|---|---|\n"


class Row(NamedTuple):
    """What one of them has seen."""

    who: str
    version: str
    what: str
    result: str


def version(who: str) -> str:
    """That of a Go module by the path of one of its packages, or of a distribution."""
    for name, found in re.findall(r"^\s+(\S+\.\S+/\S+) (v\S+)", _MODULES, re.MULTILINE):
        if f"{who}/".startswith(f"{name}/"):
            # What has no release has a time and a commit.
            return re.sub(r"^v0\.\d\.\d-(0\.)?\d{14}-", "", found)
    return metadata.version(who)


def table(rows: Iterable[Row]) -> str:
    """The rows, as Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in sorted(set(rows)))


def keep(rows: Iterable[Row], *, rewrite: bool) -> None:
    """Write the table into the page, or raise where another one is there."""
    before, begin, _ = PAGE.read_text().partition(_BEGIN)
    now = before + begin + table(rows)
    if rewrite:
        PAGE.write_text(now)
    elif now != PAGE.read_text():
        raise AssertionError(
            f"docs/interop.md is not what this run has seen; `make interop` writes:\n"
            f"{now}"
        )
