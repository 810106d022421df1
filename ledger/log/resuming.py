"""An operator's word that the clock is right, kept beside the log.

It says when it was given, by the clock of then: a clock that goes back behind it
is doubted again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from verifier.durable import write_atomically

NAME: Final = "clock"


def confirm(folder: Path, now_ms: int) -> None:
    """Keep that the clock was confirmed at `now_ms`."""
    write_atomically(folder / NAME, f"{now_ms}\n".encode())


def confirmed_ms(folder: Path) -> int:
    """When the clock was last confirmed; 0 if never."""
    try:
        text = (folder / NAME).read_bytes()[:20].decode("ascii").strip()
        return int(text) if text.isdecimal() else 0
    except (OSError, UnicodeDecodeError):
        return 0
