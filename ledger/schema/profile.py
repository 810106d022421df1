"""Profiles, in TOML: which fields records of which kinds have to have, and why.

Some come along, to begin with; whoever wants others writes a file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ledger.config import NAME as SETTINGS
from ledger.config import Config
from ledger.config.settings import wrong
from ledger.schema.demands import EVERY, Demand, Demands
from ledger.schema.kinds import KIND_PATTERN
from verifier.errors import MalformedError
from verifier.source import read_file
from verifier.spelling import digest_text

FORMAT: Final = "provlog/profile/1"
MAX_BYTES: Final = 48 << 10
"""It has to fit into one of the log's own entries."""
STARTERS: Final = Path(__file__).parent / "profiles"
NAMES: Final = tuple(sorted(each.stem for each in STARTERS.glob("*.toml")))
"""Those that come along; others are files."""
_MEMBERS: Final = ("profile", "name", "version", "says")
_DEMAND: Final = {"kinds", "fields", "when", "missing", "because"}
_ANSWERS: Final = ("reject", "flag")
_ALWAYS: Final = ("always", "done")
_KIND: Final = re.compile(KIND_PATTERN)
_MAX_DEMANDS: Final = 256
_MAX_BECAUSE: Final = 200
_MAX_FIELD: Final = 128
_MAX_FLAGS_BYTES: Final = 64 << 10
"""What an answer has at most of flags: they are told to whoever submits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The demands of one profile, and the text that says so."""

    name: str
    version: str
    text: bytes
    demands: tuple[Demand, ...]

    @property
    def digest(self) -> str:
        """By which it is known."""
        return digest_text(sha256(self.text).digest())

    @classmethod
    def parse(cls, text: bytes) -> Profile:
        """Read a profile; MalformedError says what is wrong with it."""
        try:
            found = tomllib.loads(text.decode())
        except (ValueError, RecursionError) as error:
            raise MalformedError(f"it is no TOML: {error}") from None
        for name in _MEMBERS:
            if not _is_line(found.get(name)):
                says = f'{name} is missing, or no text of one line: {name} = "…"'
                raise MalformedError(says)
        if found["profile"] != FORMAT:
            raise MalformedError(f"profile is not {FORMAT}, which this log knows")
        if odd := sorted(found.keys() - {*_MEMBERS, "require"}):
            known = ", ".join((*_MEMBERS, "require"))
            raise MalformedError(f"{odd[0]!a} is not known; known are {known}")
        some = found.get("require")
        if not isinstance(some, list) or not some:
            raise MalformedError("it demands nothing: there is no [[require]]")
        demands = [
            demand
            for at, each in enumerate(some, 1)
            for demand in _demands(each, f"[[require]] {at}", found["name"])
        ]
        if len(demands) > _MAX_DEMANDS:
            raise MalformedError(f"more than {_MAX_DEMANDS} fields are demanded")
        return cls(
            name=found["name"],
            version=found["version"],
            text=text,
            demands=tuple(demands),
        )


def read_profile(name: str, folder: Path) -> Profile:
    """The profile that comes along under `name`, or is in that file of `folder`."""
    path = STARTERS / f"{name}.toml" if name in NAMES else folder / name
    try:
        return Profile.parse(read_file(path, MAX_BYTES))
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
        says = f"profiles: {why}; those that come along: {', '.join(NAMES)}"
        raise wrong(folder / SETTINGS, says) from None
    except MalformedError as error:
        raise wrong(path, str(error)) from None


def profiles_of(folder: Path, config: Config) -> list[Profile]:
    """The profiles that a log with these settings demands."""
    profiles = [read_profile(each, folder) for each in config.profiles]
    demands = Demands(demand for each in profiles for demand in each.demands)
    if demands.flags_bytes > _MAX_FLAGS_BYTES:
        says = f"the flags of its profiles are more than {_MAX_FLAGS_BYTES} bytes"
        raise wrong(folder / SETTINGS, says)
    return profiles


def _demands(found: Any, where: str, profile: str) -> Iterable[Demand]:
    """What one [[require]] demands."""
    if not isinstance(found, dict) or (odd := sorted(found.keys() - _DEMAND)):
        says = f"{odd[0]!a} is not known" if isinstance(found, dict) else "is no table"
        raise MalformedError(f"{where}: {says}")
    kinds = _texts(found.get("kinds", [EVERY]), f"{where}: kinds")
    for kind in kinds:
        if kind != EVERY and not _KIND.fullmatch(kind):
            says = "provlog example lists them, your own are x-vendor.name"
            raise MalformedError(f"{where}: there is no kind {kind[:40]!a}; {says}")
    because = found.get("because")
    if not _is_line(because) or len(str(because)) > _MAX_BECAUSE:
        says = f"because is missing, or no text of one line of {_MAX_BECAUSE} letters"
        raise MalformedError(f"{where}: {says}")
    when = found.get("when", "always")
    for name, value, known in (
        ("missing", found.get("missing"), _ANSWERS),
        ("when", when, _ALWAYS),
    ):
        if value not in known:
            raise MalformedError(f"{where}: {name} is not {' or '.join(known)}")
    for field in _texts(found.get("fields"), f"{where}: fields"):
        ways = tuple(tuple(way.strip().split(".")) for way in field.split("|"))
        steps = [step for way in ways for step in way]
        if len(field) > _MAX_FIELD or not all(map(_is_line, steps)):
            says = "is no field, as model.version, or one of some, as model | tool"
            raise MalformedError(f"{where}: {field[:40]!a} {says}")
        yield Demand(
            kinds=kinds,
            field=" or ".join(".".join(way) for way in ways),
            ways=ways,
            rejects=found["missing"] == "reject",
            when_done=when == "done",
            mend=f"the profile {profile} wants it: {because}",
        )


def _is_line(found: Any) -> bool:
    return type(found) is str and found != "" and found.isprintable()


def _texts(found: Any, where: str) -> tuple[str, ...]:
    if isinstance(found, list) and found and all(type(x) is str for x in found):
        return tuple(found)
    raise MalformedError(f'{where} is no list of texts, as ["…", "…"]')
