"""Which of the media types that are offered somebody wants: RFC 9110, 12.5.1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ledger.http.problems import NOT_ACCEPTABLE, Problem

_MOST: Final = 32
_QUALITY: Final = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)")


def choose(accept: str | None, offered: Sequence[str]) -> str:
    """The one of `offered` that fits best; of equals, the first."""
    if not accept or accept == "*/*":
        return offered[0]
    ranges = [_range(each) for each in accept.split(",")[:_MOST]]
    best = max(offered, key=lambda each: _quality(each, ranges))
    if not _quality(best, ranges):
        raise Problem(NOT_ACCEPTABLE, f"offered are {', '.join(offered)}")
    return best


def _range(text: str) -> tuple[str, float]:
    """A media range, without its parameters, and its quality."""
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for each in parameters:
        if each.startswith("q="):
            valid = _QUALITY.fullmatch(each[2:])
            quality = float(each[2:]) if valid else 0.0
    return name, quality


def _quality(offered: str, ranges: list[tuple[str, float]]) -> float:
    """What the most specific range that fits says."""
    family = f"{offered.partition('/')[0]}/*"
    for wanted in (offered, family, "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0


def accepts_gzip(header: str | None) -> bool:
    """Whether an Accept-Encoding takes gzip."""
    if not header:
        return False
    ranges = dict(_range(each) for each in header.split(",")[:_MOST])
    return ranges.get("gzip", ranges.get("*", 0.0)) > 0
