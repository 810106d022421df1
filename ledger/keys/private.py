"""Files that nobody else may read: refused where others can, and written whole."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import secrets
import stat
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple

from ledger.errors import Held

MAX_BYTES: Final = 64 * 1024
"""Some hundred keys; a log has two, and four during a rotation."""


class Kept(NamedTuple):
    """What is in a private file, in the words that are said about it."""

    keys: str
    file: str
    copied: str  # what is to be done where somebody may have copied them


OF_A_LOG: Final = Kept("the log's keys", "log's key file", "freeze the log")


def read_private(path: Path, kept: Kept = OF_A_LOG) -> str:
    """The text at `path`, or Held: missing, damaged, or within the reach of others."""
    # Not blocking: a pipe laid here would have us wait for its other end.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        number = os.open(path, flags)
        try:
            # Of what was opened; the name may lead elsewhere by now.
            _check_private(path, os.fstat(number), kept)
            with open(number, "rb", closefd=False) as file:
                data = file.read(MAX_BYTES + 1)
        finally:
            os.close(number)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_a_file(path, kept) from None
        if error.errno == errno.EACCES and (owner := _owner(path)) is not None:
            raise _wrong_user(path, owner) from None
        raise Held(
            "key_missing",
            f"the keys at {path} cannot be read: {error.strerror}",
            mend=f"put the {kept.file}, or its backup, at {path}",
        ) from None
    if len(data) > MAX_BYTES:
        raise damaged(path, f"it has more than {MAX_BYTES} bytes", kept)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise damaged(path, "it is not valid UTF-8", kept) from None


def write_private(path: Path, text: str) -> None:
    """Replace the file at `path`; after a crash it is the old or the new one, whole."""
    # A name that nobody can have put a link under before.
    beside = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        # Private from the first moment: who has a file open keeps it open.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(beside, flags, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise Held(
            "key_unwritten",
            f"the keys cannot be written to {path}: {error.strerror}",
        ) from None


def damaged(path: Path, says: str, kept: Kept = OF_A_LOG) -> Held:
    """What to raise where the file is not the one it has to be."""
    return Held(
        "key_damaged",
        f"{path} does not hold {kept.keys}: {says}",
        mend=f"put the backup of the {kept.file} at {path}",
    )


def _check_private(path: Path, found: os.stat_result, kept: Kept) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _not_a_file(path, kept)
    if found.st_uid not in (os.geteuid(), 0):
        if found.st_uid == _owner(path.parent):
            raise _wrong_user(path, found.st_uid)
        raise Held(
            "key_exposed",
            f"{path} belongs to user {found.st_uid}, who can read {kept.keys}, and "
            "put others in their place",
            mend=f"chown {os.geteuid()} {quote(str(path))}",
        )
    if found.st_mode & 0o077:
        raise Held(
            "key_exposed",
            f"{path} has mode {stat.S_IMODE(found.st_mode):04o}, so that others than "
            f"its owner can reach {kept.keys}. If anybody may have copied them, "
            f"{kept.copied}",
            mend=f"chmod 600 {quote(str(path))}",
        )


def _owner(path: Path) -> int | None:
    """Which user's it is, if that can be told."""
    try:
        return path.stat().st_uid
    except OSError:
        return None


def _wrong_user(path: Path, owner: int) -> Held:
    """The keys are as they have to be, or nearly so, for another user than this one."""
    who, here = _called(owner), _called(os.geteuid())
    mend = f"give this command as that user: runuser -u {who} -- provlog ..."
    if _owner(path.parent) == os.geteuid():
        mend = f"as root: chown {here} {quote(str(path))}"
    return Held(
        "wrong_user",
        f"{path} belongs to user {who}, and this command was given as user {here}",
        mend=mend,
    )


def _called(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _not_a_file(path: Path, kept: Kept) -> Held:
    return Held(
        "key_exposed",
        f"{path} is a link, or no regular file; whoever can change where it leads "
        f"chooses {kept.keys}",
        mend=f"put the key file itself at {path}",
    )
