"""provlog config: what is set, where, what for, and whether it can be meant."""

from __future__ import annotations

import dataclasses
import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, Commands
from cli.oddities import Odd, from_elsewhere, oddities, of_profiles
from cli.witnessing import unasked
from ledger.callers.tokenfile import listed
from ledger.clock import read_clock
from ledger.config import ENVIRONMENT, MAX_BYTES, NAME, Config
from ledger.config.settings import Settings
from ledger.errors import Held
from ledger.http.listening import parse_address, tls_of
from ledger.log.home import Home
from ledger.log.states import absent, mended_by
from ledger.publish.webhook import make_secret
from ledger.schema.profile import read_profile
from verifier.policy import name_text
from verifier.report import escape
from verifier.source import read_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it is. `where` is a file, a variable, or "default"."""

    name: str
    value: Any
    default: Any
    where: str
    says: str

    def document(self) -> dict[str, Any]:
        """The setting as a JSON object."""
        return dataclasses.asdict(self)


@click.group(cls=Commands)
def config() -> None:
    """Look at what is set, before a log is started with it."""


@config.command(
    epilog="""\b
Exit status:
  0  a log can be served with it; what is odd is said
  1  it cannot; it is said what is wrong, and where to mend it
  2  it could not be carried out

\b
With --json, one object: state ("fine" or "config"), says, mend; settings, those
that differ from their default: name, value, default, where, says; odd: setting,
says."""
)
@FOLDER
@AS_JSON
def check(folder: Path, *, as_json: bool) -> None:
    """Say what is set for the log in DIR otherwise than by default, and what is odd.

    Looks at log.toml, at the variables PROVLOG_… of the environment, at the files
    that they name, and at policy.txt. A log that is running was started with what
    was set then.
    """
    found: list[Setting] = []
    odd: list[Odd] = []
    hold = None
    try:
        with mended_by(folder):
            found, odd = _checked(folder)
    except Held as error:
        if error.state != "config":
            raise
        hold = error
    if as_json:
        voice.say_json(_document(found, odd, hold))
    else:
        _say(found, odd, hold)
    if hold:
        sys.exit(voice.BROKEN)


@config.command(
    epilog="""\b
Exit status:
  0  it is shown
  2  it could not be carried out

\b
With --json, one object a line: name, value, default, where, says."""
)
@FOLDER
@AS_JSON
def show(folder: Path, *, as_json: bool) -> None:
    """Show every setting of the log in DIR: what it is, from where, what it is for."""
    with mended_by(folder):
        _check_folder(folder)
        settings = list(_settings(folder, Config.read(folder)))
    for each in settings:
        if as_json:
            voice.say_json(each.document())
        else:
            voice.say(f"{_line(each)}\n    {each.says}")


@config.command(
    epilog="""\b
Exit status:
  0  the secret is made
  2  it could not be carried out: there is one already, say"""
)
@FOLDER
def secret(folder: Path) -> None:
    """Make the secret that news to webhooks is signed with; say where it is.

    It is in the file that webhook_secret names. Nobody else may read that file, and
    the secret is never shown.
    """
    with mended_by(folder):
        _check_folder(folder)
        path = folder / Config.read(folder).webhook_secret
        make_secret(path)
    voice.fact("secret", str(path))
    voice.tell(
        f"those who are told need what is in {path}, to see that it is from this log; "
        "give it to them in private"
    )


def _checked(folder: Path) -> tuple[list[Setting], list[Odd]]:
    """What differs and what is odd; Held if nothing can be served with it."""
    _check_folder(folder)
    read = Config.read(folder)
    for name in ("listen", "operations"):
        parse_address(getattr(read, name), name)
    tls_of(folder, read)
    profiles = [read_profile(name, folder) for name in read.profiles]
    # Buckets and addresses come with libraries that no other command here needs.
    from ledger.server.outside import check_outside  # noqa: PLC0415

    home = Home(folder, read)
    check_outside(home)
    settings = list(_settings(folder, read))
    variables = {
        each.name: each.where for each in settings if each.where.startswith(ENVIRONMENT)
    }
    odd = [
        *oddities(read, listed(folder), read_clock().wall_ms),
        *from_elsewhere(variables),
        *of_profiles(profiles),
        *_unasked(home),
    ]
    return [each for each in settings if each.value != each.default], odd


def _unasked(home: Home) -> Iterator[Odd]:
    """Whom the log would not ask as it is set, which else its next start finds out."""
    witnesses = home.whom_to_believe().witnesses.values()
    urls = [name_text(each.url) for each in witnesses if each.url]
    for url in dict.fromkeys([*urls, *home.config.anchors, *home.config.webhooks]):
        if says := unasked(home.folder, url):
            yield Odd("reach", says)


def _check_folder(folder: Path) -> None:
    if not (folder / NAME).exists() and not (folder / "store").is_dir():
        raise absent(folder)


def _settings(folder: Path, read: Config) -> Iterator[Setting]:
    """Every setting, in the order in which they are declared."""
    path = folder / NAME
    try:
        in_file = tomllib.loads(read_file(path, MAX_BYTES).decode())
    except FileNotFoundError:
        in_file = {}
    for each in dataclasses.fields(Settings):
        variable = f"{ENVIRONMENT}{each.name.upper()}"
        where = str(path) if each.name in in_file else "default"
        yield Setting(
            name=each.name,
            value=getattr(read, each.name),
            default=each.default,
            where=variable if variable in os.environ else where,
            says=each.metadata["says"],
        )


def _say(found: list[Setting], odd: list[Odd], hold: Held | None) -> None:
    for each in found:
        voice.say(f"{_line(each)}\n    {each.says}; default {_value(each.default)}")
    for setting, says in odd:
        voice.say(f"odd: {setting}: {escape(says)}")
    if hold:
        voice.fact("state", hold.state)
        voice.fact("says", str(hold))
        voice.fact("mend", hold.mend)
    elif not found:
        voice.say("everything is as it is by default")


def _line(setting: Setting) -> str:
    value = escape(_value(setting.value))
    return f"{setting.name} = {value}  ({escape(setting.where)})"


def _value(value: Any) -> str:
    """A value as log.toml has it; a number also as people read it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:,}".replace(",", "_") if value > 9_999 else str(value)
        case str():
            return f'"{value}"'
    return "[" + ", ".join(f'"{each}"' for each in value) + "]"


def _document(
    found: list[Setting], odd: list[Odd], hold: Held | None
) -> dict[str, Any]:
    return {
        "state": hold.state if hold else "fine",
        "says": str(hold) if hold else "",
        "mend": hold.mend if hold else "",
        "settings": [each.document() for each in found],
        "odd": [each._asdict() for each in odd],
    }
