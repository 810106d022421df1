"""provlog token: let somebody in over HTTP, and no more."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any, TextIO

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, Commands, Named
from cli.times import span_ms
from ledger.callers import issuing
from ledger.callers.tokenfile import SCOPES, Row, listed
from ledger.clock import read_clock
from ledger.errors import Refused
from ledger.log.home import Home
from ledger.log.states import absent, mended_by
from verifier.report import escape, time_text


@click.group(cls=Commands)
def token() -> None:
    """Give out tokens, which let somebody in over HTTP, and take them back."""


@token.command(
    epilog="""\b
Exit status:
  0  the token is made; it is on standard output, and nowhere else
  1  it was refused, and nothing was made
  2  it could not be carried out

\b
With --json, one object: id, by, name, scopes, created_ms, expires_ms and revoked_ms
(null: never), and token, or with --out file.

\b
Examples:
  provlog token create LOG --name train-eu-1
  provlog token create LOG --scope audit --expires never --out auditor.token
  provlog token create LOG --by s-0b7d3c1e5f2a4968b7d0"""
)
@FOLDER
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    default=("submit", "read"),
    show_default=True,
    help="What it is good for. May be repeated.",
)
@click.option(
    "--expires",
    metavar="TIME",
    default="90d",
    show_default=True,
    help="After how long it ends: 90d, 12h, or never.",
)
@click.option(
    "--by",
    metavar="PSEUDONYM",
    help="The submitter whose token it is, as a list shows it; else a new one.",
)
@click.option(
    "--name", metavar="WORD", default="", help="A word for you, to know it by."
)
@click.option(
    "--out",
    metavar="FILE",
    type=Named(path_type=Path, dir_okay=False),
    help="Write the token to this new file, which nobody else can read, and show none.",
)
@AS_JSON
def create(
    folder: Path,
    scopes: tuple[str, ...],
    expires: str,
    by: str | None,
    name: str,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make a token for one who submits to the log in DIR, or reads it.

    It is shown this once. What a submitter has logged is known as his by the
    pseudonym, so a token that replaces another one is made with its --by.
    """
    lifetime = _lifetime(expires)
    with mended_by(folder):
        _check(folder)
        now = read_clock().wall_ms
        until = None if lifetime is None else now + lifetime
        known = {each.by for each in listed(folder)}
        with _new_file(out) as file:
            text, row = issuing.create(
                folder, scopes=scopes, by=by, name=name, expires_ms=until, now_ms=now
            )
            if file:
                file.write(f"{text}\n")
    if by and by not in known:
        voice.tell(f"warning: {by} has had no token here before")
    back = f"provlog token revoke {quote(str(folder))} {row.id}"
    with voice.done(f"a token is made that nobody has seen; take it back: {back}"):
        shown = {"file": str(out)} if out else {"token": text}
        if as_json:
            voice.say_json({**_document(row), **shown})
        else:
            _say(row, shown)
    if not out:
        voice.tell(
            "keep the token now: it is shown this once, and only its hash is kept"
        )
    voice.tell(f"to take it back: {back}")


@token.command(
    "list",
    epilog="""\b
Exit status:
  0  those are all
  2  it could not be carried out

\b
With --json, one object: tokens, a list of objects: id, by, name, scopes, created_ms,
expires_ms and revoked_ms (null: never).""",
)
@FOLDER
@AS_JSON
def list_(folder: Path, *, as_json: bool) -> None:
    """List the tokens of the log in DIR, the oldest first.

    No token is shown, since none is kept. Revoked ones and expired ones stay in
    the list: they say who the submitters in the log are.
    """
    with mended_by(folder):
        _check(folder)
        rows = listed(folder)
    if as_json:
        voice.say_json({"tokens": [_document(each) for each in rows]})
        return
    now = read_clock().wall_ms
    for each in rows:
        line = f"{each.id}  {each.by}  {_scopes(each)}  {_until(each, now)}"
        voice.say(f"{line}  {escape(each.name)}".rstrip())
    if not rows:
        voice.tell(f"none yet; make one: provlog token create {quote(str(folder))}")


@token.command(
    epilog="""\b
Exit status:
  0  it is revoked, now or before
  1  there is no such token
  2  it could not be carried out

\b
With --json, one object: tokens, those that have ended now or before, as of a list."""
)
@FOLDER
@click.argument("which", metavar="ID")
@AS_JSON
def revoke(folder: Path, which: str, *, as_json: bool) -> None:
    """Take a token back, for ever.

    From its next request on it lets nobody in; a running service has not to be told.
    ID is that of a token, as the list shows it, or the pseudonym of a submitter, all
    of whose tokens end. Of a token that was found somewhere, ID may be the token.
    """
    with mended_by(folder):
        _check(folder)
        rows = issuing.revoke(folder, which, read_clock().wall_ms)
    with voice.done(f"it is revoked: provlog token list {quote(str(folder))}"):
        _say_revoked(rows, as_json=as_json)


def _check(folder: Path) -> None:
    """Return if there is a log, and what is written here can be read by its writer."""
    home = Home.at(folder)
    if not home.store.is_dir():
        raise absent(folder)
    owner = os.stat(home.store).st_uid
    if owner != os.geteuid():
        raise Refused(
            "user",
            f"the log in {folder} is that of user {owner}, and its tokens have to be, "
            f"too: the file is private. Give this command as that user",
        )


def _lifetime(text: str) -> int | None:
    """In milliseconds; None for one that does not end."""
    if text == "never":
        return None
    found = span_ms(text)
    if found is None:
        raise click.UsageError(
            f"--expires is a number of days or hours, such as 90d or 12h, or never; "
            f"not {text!r}"
        )
    return found


@contextmanager
def _new_file(path: Path | None) -> Iterator[TextIO | None]:
    """A file for the token alone, made before there is one, and gone if none is."""
    if path is None:
        yield None
        return
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(number, "w", encoding="ascii") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _say(row: Row, shown: Mapping[str, str]) -> None:
    for name, value in shown.items():
        voice.fact(name, value)
    voice.fact("id", row.id)
    voice.fact("by", row.by)
    if row.name:
        voice.fact("name", row.name)
    voice.fact("scopes", _scopes(row))
    ends = row.expires_ms
    voice.fact("expires", "never" if ends is None else time_text(ends // 1000))


def _say_revoked(rows: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        voice.say_json({"tokens": [_document(each) for each in rows]})
        return
    for each in rows:
        at = time_text((each.revoked_ms or 0) // 1000)
        voice.fact("revoked", f"{each.id} of {each.by}, at {at}")


def _document(row: Row) -> dict[str, Any]:
    """What is shown of a token, with the names that its file has."""
    return {
        "id": row.id,
        "by": row.by,
        "name": row.name,
        "scopes": [each for each in SCOPES if each in row.scopes],
        "created_ms": row.created_ms,
        "expires_ms": row.expires_ms,
        "revoked_ms": row.revoked_ms,
    }


def _scopes(row: Row) -> str:
    return ",".join(each for each in SCOPES if each in row.scopes)


def _until(row: Row, now: int) -> str:
    """Until when a token is good, or since when it is not."""
    if row.revoked_ms is not None:
        return f"revoked {time_text(row.revoked_ms // 1000)}"
    if row.expires_ms is None:
        return "does not expire"
    expired = "expired" if row.expires_ms <= now else "expires"
    return f"{expired} {time_text(row.expires_ms // 1000)}"
