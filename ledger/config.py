"""What an operator may set: one file of TOML, one frozen object.

Each limit has its unit in its name and its reason beside it. A member that is
not known is refused: a limit with a spelling mistake would be no limit.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.errors import Held
from verifier.errors import MalformedError
from verifier.source import read_file

NAME: Final = "log.toml"
MAX_BYTES: Final = 1 << 20
MAX_NUMBER: Final = (1 << 63) - 1
"""What an address and an offset in a file have room for."""

_MAY_BE_0: Final = ("min_free_bytes", "hold_when_ahead_days", "scrub_entries_per_s")
_TAKEN: Final = (NAME, "store", "policy.txt", "policy.next.txt", "lock", "clock")
"""What has its place in the folder already."""


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
            members = tomllib.loads(read_file(path, MAX_BYTES).decode())
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except OSError as error:
            raise _wrong(path, error.strerror or str(error)) from None
        except RecursionError:
            raise _wrong(path, "its lists are nested too deeply") from None
        # Besides what is no TOML: bytes that are no text, a number without end.
        except (ValueError, MalformedError) as error:
            raise _wrong(path, str(error)) from None
        config = cls(**{each: _checked(path, each, members[each]) for each in members})
        _check_places(folder, config)
        return config


def _checked(path: Path, name: str, value: Any) -> Any:
    known = {each.name: each for each in dataclasses.fields(Config)}
    if name not in known:
        raise _wrong(path, f"{name!r} is not known; known are {', '.join(known)}")
    if name == "targets":
        if not isinstance(value, list) or not all(map(_is_text, value)):
            raise _wrong(path, "targets is not a list of texts without NUL")
        return tuple(value)
    if isinstance(known[name].default, str):
        if not _is_text(value):
            raise _wrong(path, f"{name} is not a text without NUL")
    else:
        least = 0 if name in _MAY_BE_0 else 1
        if type(value) is not int or not least <= value <= MAX_NUMBER:
            raise _wrong(path, f"{name} is not a number from {least} to {MAX_NUMBER}")
    return value


def _is_text(value: object) -> bool:
    """Whether `value` can name a file, or be an address."""
    return type(value) is str and value != "" and "\0" not in value


def _check_places(folder: Path, config: Config) -> None:
    """Return if anchor and key each have a file of their own.

    Both are written anew by name: what stands there already would be lost.
    """
    path = folder / NAME
    here = Path(os.path.realpath(folder))
    anchor, key = (
        Path(os.path.realpath(folder / each)) for each in (config.anchor, config.key)
    )
    if anchor == key or _same(anchor, key):
        raise _wrong(path, "anchor and key are the same file; one would replace it")
    for name, place in (("anchor", anchor), ("key", key)):
        inside = here in place.parents and place.relative_to(here).parts[0]
        if place == here or inside in _TAKEN:
            raise _wrong(
                path, f"{name} is {inside or 'the folder'}, which has another use"
            )


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _wrong(path: Path, says: str) -> Held:
    return Held("config", f"{path}: {says}", mend=f"edit {path}")
