"""What an operator may set: one file of TOML, one frozen object.

Each limit has its unit in its name and its reason beside it. A member that is
not known is refused: a limit with a spelling mistake would be no limit.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.config.settings import Settings, checked, wrong
from verifier.errors import MalformedError
from verifier.source import read_file

NAME: Final = "log.toml"
MAX_BYTES: Final = 1 << 20
_TAKEN: Final = (
    NAME,
    "store",
    "policy.txt",
    "policy.next.txt",
    "lock",
    "clock",
    "tokens",
    "tokens.lock",
    "published",
    "promised",
    "index",
    "anchor.token",
    "webhook.secret",
)
"""What has its place in the folder already."""

ENVIRONMENT: Final = "PROVLOG_"
"""How variables begin that override the file, for one process."""
_CLIENTS: Final = ("PROVLOG_TOKEN", "PROVLOG_URL", "PROVLOG_POLICY")
"""What a client reads from there, and a log does not."""
_NUMBER: Final = re.compile("0|[1-9][0-9]{0,18}")
_OTHERS: Final = ("PROVLOG_SERVICE_", "PROVLOG_PORT")
"""What Kubernetes puts there, where a service is called provlog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Settings):
    """The settings of one log, as its file and the environment have them."""

    @classmethod
    def read(cls, folder: Path, environment: Mapping[str, str] = os.environ) -> Config:
        """Read the file in `folder`; without one everything is as it usually is.

        `environment` goes before the file, for whoever runs the log; what a copy has
        in its file is read without it.
        """
        path = folder / NAME
        try:
            members = tomllib.loads(read_file(path, MAX_BYTES).decode())
        except (FileNotFoundError, NotADirectoryError):
            members = {}
        except OSError as error:
            raise wrong(path, error.strerror or str(error)) from None
        except RecursionError:
            raise wrong(path, "its lists are nested too deeply") from None
        # Besides what is no TOML: bytes that are no text, a number without end.
        except (ValueError, MalformedError) as error:
            raise wrong(path, str(error)) from None
        settings = {name: checked(path, name, members[name]) for name in members}
        config = cls(**settings | _overrides(environment))
        _check_places(folder, config)
        return config


def place_of(name: str, value: str) -> str:
    """Where somebody looks who wants another value of a text."""
    variable = f"{ENVIRONMENT}{name.upper()}"
    return variable if os.environ.get(variable) == value else NAME


def _overrides(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the environment says instead of the file, for this process."""
    found = {}
    for variable, text in environment.items():
        if (
            variable.startswith(ENVIRONMENT)
            and variable not in _CLIENTS
            and not variable.startswith(_OTHERS)
        ):
            name = variable.removeprefix(ENVIRONMENT)
            if name != name.upper():
                raise wrong(variable, "the name of a setting is in capitals there")
            name = name.lower()
            found[name] = checked(variable, name, _read_as(name, text))
    return found


def _read_as(name: str, text: str) -> Any:
    """What a variable's text means: a number, yes or no, a list, or the text."""
    default = getattr(Settings(), name, None)
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(text, text)
    if isinstance(default, int):
        # As in the file: no sign, no zero before it, no digits of other scripts.
        return int(text) if _NUMBER.fullmatch(text) else text
    if isinstance(default, tuple):
        return [each for each in text.split(",") if each]
    return text


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
        raise wrong(path, "anchor and key are the same file; one would replace it")
    for name, place in (("anchor", anchor), ("key", key)):
        inside = here in place.parents and place.relative_to(here).parts[0]
        if place == here or inside in _TAKEN:
            raise wrong(
                path, f"{name} is {inside or 'the folder'}, which has another use"
            )


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
