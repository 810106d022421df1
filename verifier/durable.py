"""Files that a crash, or another process, leaves as they were or as they were to be."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from verifier.errors import Unavailable


def write_atomically(path: Path, data: bytes) -> None:
    """Replace the file at `path`; after a crash it is the old or the new one, whole."""
    # A name that nobody can have put a link under before.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        number = os.open(beside, flags, 0o644)
        with open(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the only right to change the file at `path`, or raise Unavailable."""
    if not path.name:
        raise Unavailable(f"{path} is not the name of a file")
    lock = path.with_name(f"{path.name}.lock")
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        number = os.open(lock, flags, 0o644)
    except OSError as error:
        raise Unavailable(f"{lock} cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"another process is at work on {path}") from None
        yield
    finally:
        os.close(number)
