"""Giving tokens out, and taking them back: what an operator does to the file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from ledger.callers.tokenfile import (
    BY,
    FORM,
    MAX_NAME,
    MAX_TOKENS,
    NAME,
    PREFIX,
    SCOPES,
    Row,
    Scope,
    hash_of,
    listed,
    write_rows,
)
from ledger.errors import Refused, Unavailable
from ledger.locks import taken
from verifier.document import MAX_INTEGER

_WITHIN_S: Final = 5.0
"""Others read and sync one file meanwhile."""


def create(
    folder: Path,
    *,
    scopes: Collection[str],
    by: str | None = None,
    name: str = "",
    expires_ms: int | None = None,
    now_ms: int,
) -> tuple[str, Row]:
    """Make a token, which is returned and nowhere kept, and the row that knows it.

    `by` is the submitter whose token it is: one who has others, or a new one.
    """
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Refused("scopes", f"a token has some of {', '.join(SCOPES)}")
    if by is not None and not BY.fullmatch(by):
        raise Refused("by", "a submitter is s- and 20 hex digits, as a list shows it")
    if len(name) > MAX_NAME or " " in name or not name.isprintable():
        raise Refused("name", f"a name is one word of at most {MAX_NAME} characters")
    if expires_ms is not None and not now_ms < expires_ms <= MAX_INTEGER:
        raise Refused("expires", "a token expires later than now, and some day")
    text = PREFIX + secrets.token_urlsafe(32)
    with _alone(folder / NAME):
        rows = listed(folder)
        _check_room(folder / NAME, rows)
        row = Row(
            id=_unused({each.id for each in rows}),
            hash=hash_of(text),
            by=by or f"s-{secrets.token_hex(10)}",
            name=name,
            scopes=frozenset(cast("Collection[Scope]", scopes)),
            created_ms=now_ms,
            expires_ms=expires_ms,
            revoked_ms=None,
        )
        write_rows(folder / NAME, [*rows, row])
    return text, row


def revoke(folder: Path, which: str, now_ms: int) -> list[Row]:
    """Let the token `which` in no more: by its id, its submitter, or its own text.

    A submitter's are revoked together. One that was revoked before stays so, since
    that time, so that this can be repeated.
    """
    # Who has found a token lying about has its text, and no id.
    hashed = hash_of(which) if FORM.fullmatch(which) else ""
    with _alone(folder / NAME):
        rows = listed(folder)
        meant = {each.id for each in rows if which in (each.id, each.by)}
        meant |= {each.id for each in rows if each.hash == hashed}
        if not meant:
            # Not said which: it may be a token, mistyped.
            raise Refused("token", "no token has this id, or is of this submitter")
        changed = [each.ended(now_ms) if each.id in meant else each for each in rows]
        if changed != rows:
            write_rows(folder / NAME, changed)
    return [each for each in changed if each.id in meant]


def _check_room(path: Path, rows: Collection[Row]) -> None:
    if len(rows) >= MAX_TOKENS:
        raise Refused(
            "tokens",
            f"{path} has {MAX_TOKENS} tokens, which is all that is kept; take lines "
            "out of it whose tokens were revoked, or have expired",
        )


def _unused(taken: Collection[str]) -> str:
    while (id_ := secrets.token_hex(4)) in taken:
        pass
    return id_


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Be the only one who changes the file at `path`: commands wait for each other."""
    lock = path.with_name(f"{path.name}.lock")
    # Nobody else may open it: who can read a file can hold its lock, and then no
    # token could be revoked.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        number = os.open(lock, flags, 0o600)
    except OSError as error:
        says = f"{lock} cannot be opened: {error.strerror}"
        raise Unavailable("tokens", says) from None
    try:
        if not taken(number, within_s=_WITHIN_S):
            raise Unavailable("tokens", f"another command is at work on {path}")
        yield
    finally:
        os.close(number)
