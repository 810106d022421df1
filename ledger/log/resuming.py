"""An operator's word that the clock is right, kept beside the log.

It says when it was given, by the clock of then: a clock that goes back behind it
is doubted again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from verifier.durable import write_atomically
from verifier.errors import MalformedError
from verifier.source import read_file

NAME: Final = "clock"
_MAX_BYTES: Final = 20


def confirm(folder: Path, now_ms: int) -> None:
    """Keep that the clock was confirmed at `now_ms`."""
    write_atomically(folder / NAME, f"{now_ms}\n".encode())


def confirmed_ms(folder: Path) -> int:
    """When the clock was last confirmed; 0 if never."""
    try:
        text = read_file(folder / NAME, _MAX_BYTES).decode("ascii").strip()
        return int(text) if text.isdecimal() else 0
    except (OSError, UnicodeDecodeError, MalformedError):
        return 0
