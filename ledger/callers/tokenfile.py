"""The file that knows every token of a log, and holds none of them.

A row for each token that was ever given out, in JSON, one a line:

    {"version":1,"tokens":[
    {"by":"s-0b7d…","created_ms":…,"expires_ms":…,"hash":"5c0e…","id":"9f31c2aa",
     "name":"train-eu-1","revoked_ms":null,"scopes":["read","submit"]}
    ]}

A token is 256 random bits, so its bare SHA-256 tells nobody what it is: a salt or
a slow hash, as for passwords, would add nothing. Whoever can write the file can
let anybody in; so it is refused where others could, and where it is damaged.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Annotated, Final, Literal, get_args

import msgspec

from ledger.errors import Held, Unavailable
from verifier import errors as verifier
from verifier.document import MAX_INTEGER
from verifier.durable import write_atomically

NAME: Final = "tokens"
PREFIX: Final = "provlog_"
"""By this a scanner for secrets knows one in a place where it should not be."""
FORM: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
BY: Final = re.compile("s-[0-9a-f]{20}")
MAX_NAME: Final = 64
MAX_TOKENS: Final = 10_000
MAX_BYTES: Final = 8 << 20
"""More than so many of the longest rows."""

Scope = Literal["submit", "read", "audit", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

_Time = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token, as far as it is known here.

    No member has a default: a row that lost its `revoked_ms` is damaged, and does
    not let anybody in again.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}\Z")]
    hash: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    by: Annotated[str, msgspec.Meta(pattern=rf"\A{BY.pattern}\Z")]
    name: Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
    scopes: frozenset[Scope]
    created_ms: _Time
    expires_ms: _Time | None
    revoked_ms: _Time | None

    def ended(self, now_ms: int) -> Row:
        """The same, from now on valid no more; what has ended stays as it ended."""
        if self.revoked_ms is not None:
            return self
        return msgspec.structs.replace(self, revoked_ms=now_ms)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    tokens: Annotated[list[Row], msgspec.Meta(max_length=MAX_TOKENS)]


def hash_of(text: str) -> str:
    """What is kept of a token."""
    return sha256(text.encode()).hexdigest()


def listed(folder: Path) -> list[Row]:
    """Every token of the log in `folder`, the oldest first, or Held."""
    path = folder / NAME
    try:
        return read_rows(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        mend = f"let {path} be a file that the log's own user can read"
        raise _wrong(path, f"cannot be read: {error.strerror}", mend) from None


def read_rows(path: Path) -> list[Row]:
    """The rows of the file at `path`; Held if they are not to be believed."""
    # A link is not followed, and a pipe laid here has no other end to wait for.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    number = os.open(path, flags)
    try:
        _check_private(path, os.fstat(number))
        with open(number, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(number)
    if len(data) > MAX_BYTES:
        raise _damaged(path, f"it has more than {MAX_BYTES} bytes")
    try:
        rows = msgspec.json.decode(data, type=_File).tokens
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    for member in ("id", "hash"):
        if len({getattr(each, member) for each in rows}) != len(rows):
            raise _damaged(path, f"two tokens have the same {member}")
    return rows


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Replace the file at `path`; after a crash it is the old or the new one, whole."""
    lines = (msgspec.json.encode(each, order="sorted") for each in rows)
    data = b'{"version":1,"tokens":[\n' + b",\n".join(lines) + b"\n]}\n"
    # Private from the first moment. The mask is that of the whole process, and one
    # at a time is in here; what others make meanwhile is private, too, at worst.
    before = os.umask(0o077)
    try:
        write_atomically(path, data)
    except verifier.Unavailable as error:
        raise Unavailable("tokens", str(error)) from None
    finally:
        os.umask(before)


def _check_private(path: Path, found: os.stat_result) -> None:
    """Return if nobody else can have written what is read here."""
    if not stat.S_ISREG(found.st_mode):
        raise _wrong(path, "is no regular file", f"put the file itself at {path}")
    if found.st_uid not in (os.geteuid(), 0):
        mend = f"chown {os.geteuid()} {quote(str(path))}"
        raise _wrong(path, f"belongs to user {found.st_uid}", mend)
    if found.st_mode & 0o077:
        mode = f"has mode {stat.S_IMODE(found.st_mode):04o}: others can reach it"
        raise _wrong(path, mode, f"look at it, and: chmod 600 {quote(str(path))}")


def _damaged(path: Path, says: str) -> Held:
    mend = f"mend {path}, or move it away: all have to get new tokens then"
    return _wrong(path, f"is damaged: {says}", mend)


def _wrong(path: Path, says: str, mend: str) -> Held:
    return Held("config", f"{path} {says}", mend=mend)
