"""Times as people write them: a moment, or how long something lasts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import click

_SPAN: Final = re.compile("([1-9][0-9]{0,4})([dh])")
_MS: Final = {"d": 86_400_000, "h": 3_600_000}


def moment(text: str) -> int:
    """Seconds since the epoch, or a time such as 2026-11-20T10:00:00Z."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
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
