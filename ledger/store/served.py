"""Files in a folder that strangers read, and that others may have laid things in."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from ledger.errors import Refused
from verifier.errors import MalformedError
from verifier.source import read_file

NEW: Final = ".new"
"""What a file is called until it is whole; a crash may leave one in a folder."""


def check_real(path: Path, folders: list[Path]) -> None:
    """Return if nothing on the way leads out of the folder, or is waited for."""
    for each in (path, *folders):
        with suppress(FileNotFoundError, NotADirectoryError):
            mode = os.lstat(each).st_mode
            if not (stat.S_ISREG(mode) if each == path else stat.S_ISDIR(mode)):
                what = "file" if each == path else "folder"
                says = f"{each} is a link, or no {what}; remove it, and repeat"
                raise Refused("folder", says)


def has_bytes(path: Path, data: bytes) -> bool:
    """Whether the file at `path` has these bytes."""
    try:
        return read_file(path, len(data)) == data
    except (FileNotFoundError, MalformedError):
        return False


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, durably but for its name, under which it is whole or not there."""
    beside = path.with_name(NEW)
    beside.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    number = os.open(beside, flags, 0o644)
    with open(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def make_folders(folder: Path) -> set[Path]:
    """Make `folder` and what is missing above it; return whose names changed."""
    if folder.is_dir():
        return set()
    changed = make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    return changed | {folder.parent}
