"""Whose token is this: asked with each request, answered in a few microseconds.

The file is looked at each time. So a token that is revoked is refused from the next
request on, in each front-end process, with nothing to restart and nobody to tell.
Where the file cannot be believed any more, nobody is let in: what it said before
may be what somebody has just tried to take back.

No message of this module quotes what was sent: it may be a token.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from ledger.callers.tokenfile import FORM, NAME, Row, hash_of, read_rows
from ledger.errors import Held, Refused, Unavailable

_REFUSED: Final = (
    "this token is unknown here, has expired, or was revoked; ask the operator of the "
    "log for another one"
)
"""One sentence for the three: a stranger learns nothing about a token he has found."""


class Caller(NamedTuple):
    """Somebody who has shown a token: `token` is its id, and no secret."""

    by: str
    scopes: frozenset[str]
    token: str


class _Known(NamedTuple):
    hash: str
    expires_ms: int | None
    caller: Caller


class Tokens:
    """The tokens of the log in `folder`; `clock` tells the time in milliseconds.

    A file that cannot be used does not end the process that reads it: callers get
    Unavailable until it has been mended. Who starts a service asks `listed` first,
    which says what is wrong while somebody is there to read it.
    """

    def __init__(self, folder: Path, clock: Callable[[], int]) -> None:
        self._path = folder / NAME
        self._where = str(self._path)
        self._clock = clock
        self._seen: tuple[int, ...] | None = None
        """By what the file was known when it was last read; None: there was none."""
        self._known: dict[str, _Known] = {}
        self._any = False
        self._wrong: Held | None = None

    def caller(self, text: str) -> Caller:
        """Whose token `text` is; Refused if it lets nobody in."""
        if not FORM.fullmatch(text):
            raise Refused("token", "a token is provlog_ and 43 characters after it")
        self._look()
        digest = hash_of(text)
        known = self._known.get(digest)
        if known is None or not hmac.compare_digest(known.hash, digest):
            raise Refused("token", _REFUSED)
        if known.expires_ms is not None and known.expires_ms <= self._clock():
            raise Refused("token", _REFUSED)
        return known.caller

    @property
    def any(self) -> bool:
        """Whether a token was ever given out, be it a revoked one.

        A log that asks for tokens does not stop asking when the last one has ended.
        """
        self._look()
        return self._any

    def _look(self) -> None:
        """Read the file again if it is another one, or raise Unavailable."""
        try:
            now = _state(self._where)
            if now != self._seen:
                self._read(now)
        # Not remembered, as a file that is damaged is: there may be too many files
        # open just now, and a moment later there are not.
        except OSError as error:
            raise _unavailable() from error
        if self._wrong:
            raise _unavailable() from self._wrong

    def _read(self, now: tuple[int, ...] | None) -> None:
        try:
            # A log without tokens may let everybody in; one that lost its file of
            # them may not, and there is none to be read now.
            rows = read_rows(self._path)
        except Held as error:
            self._known, self._wrong = {}, error
        else:
            standing = [each for each in rows if each.revoked_ms is None]
            self._known = {each.hash: _known(each) for each in standing}
            self._any, self._wrong = bool(rows), None
        # Taken before the file was read: it is never older than what was read.
        self._seen = now


def _state(path: str) -> tuple[int, ...] | None:
    """What changes when the file does, or when others get access to it."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_mode,
        found.st_uid,
    )


def _known(row: Row) -> _Known:
    caller = Caller(by=row.by, scopes=frozenset(row.scopes), token=row.id)
    return _Known(row.hash, row.expires_ms, caller)


def _unavailable() -> Unavailable:
    return Unavailable(
        "tokens", "no token can be checked until the operator has looked at their file"
    )
