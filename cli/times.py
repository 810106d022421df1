"""Times as people write them: a moment, or how long something lasts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import click

_SPAN: Final = re.compile("([1-9][0-9]{0,4})([dh])")
_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MS: Final = {"d": 86_400_000, "h": 3_600_000}


def moment(text: str) -> int:
    """Seconds since the epoch, a time such as 2026-11-20T10:00:00Z, or a day in UTC."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    if _DAY.fullmatch(text):
        text = f"{text}T00:00:00Z"
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError
        return int(found.timestamp())
    except (ValueError, OverflowError):
        says = f"{text!r} is no time; write seconds since 1970 or 2026-11-20T10:00:00Z"
        raise click.UsageError(says) from None


def span_ms(text: str) -> int | None:
    """A number of days or hours, such as 90d or 12h, in milliseconds; None if none."""
    found = _SPAN.fullmatch(text)
    return int(found[1]) * _MS[found[2]] if found else None
