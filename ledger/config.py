"""What an operator may set: one file of TOML, one frozen object.

Each limit has its unit in its name and its reason beside it. A member that is
not known is refused: a limit with a spelling mistake would be no limit.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.errors import Held

NAME: Final = "log.toml"
MAX_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one log; relative paths are those in its folder."""

    anchor: str = "anchor"
    key: str = "key"
    targets: tuple[str, ...] = ()
    """Copies that others keep, folders or addresses; each is asked at start."""

    pool_entries: int = 65_536
    pool_bytes: int = 64 << 20
    """What may wait for the next batch; more is refused, not queued."""
    batch_entries: int = 16_384
    batch_bytes: int = 32 << 20
    """What one transaction takes: its pages are in memory until the commit."""

    map_bytes: int = 1 << 40
    """Address space, not disk: reserved once, for a map cannot grow under readers."""
    limit_bytes: int = 900 << 30
    """How large the store may become."""
    min_free_bytes: int = 1 << 30
    """What is left to the rest of the machine when a disk fills."""

    hold_when_ahead_days: int = 0
    """Hold when the clock is this far ahead of the newest entry; 0: only warn."""
    scrub_entries_per_s: int = 2_000
    """How fast a running log re-reads itself; 0: never."""

    @classmethod
    def read(cls, folder: Path) -> Config:
        """Read the file in `folder`; without one everything is as above."""
        path = folder / NAME
        try:
            text = path.read_bytes()[: MAX_BYTES + 1]
            if len(text) > MAX_BYTES:
                raise _wrong(path, f"it has more than {MAX_BYTES} bytes")
            members = tomllib.loads(text.decode())
        except FileNotFoundError:
            return cls()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise _wrong(path, str(error)) from None
        return cls(**{name: _checked(path, name, members[name]) for name in members})


def _checked(path: Path, name: str, value: Any) -> Any:
    known = {each.name: each for each in dataclasses.fields(Config)}
    if name not in known:
        raise _wrong(path, f"{name!r} is not known; known are {', '.join(known)}")
    if name == "targets":
        if not isinstance(value, list) or not all(type(v) is str for v in value):
            raise _wrong(path, "targets is not a list of texts")
        return tuple(value)
    if isinstance(known[name].default, str):
        if type(value) is not str or not value:
            raise _wrong(path, f"{name} is not a text")
    elif type(value) is not int or value < 0:
        raise _wrong(path, f"{name} is not a number from 0 on")
    return value


def _wrong(path: Path, says: str) -> Held:
    return Held("config", f"{path}: {says}", mend=f"edit {path}")
