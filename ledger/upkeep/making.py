"""Folders that are made whole, or not at all.

What goes into a new folder is made in another one inside it, and moves to its
place when nothing is missing any more; the store comes last, for a folder without
one is no log. A folder that holds anything is never touched.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ledger.errors import Refused
from ledger.store.disk import alone_in, sync_path

STORE: Final = "store"
UNFINISHED: Final = ".new-"


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """A folder to fill, whose contents are those of `folder` when this ends well."""
    check_empty(folder)
    new = not folder.exists()
    beside = folder / f"{UNFINISHED}{secrets.token_hex(8)}"
    moved: list[Path] = []
    try:
        if new:
            folder.mkdir(0o700)
            sync_path(folder.absolute().parent)
        with alone_in(folder, f"another command is just filling {folder}"):
            check_empty(folder)
            beside.mkdir(0o700)
            yield beside
            sync_path(beside)
            if os.listdir(folder) != [beside.name]:
                raise Refused("folder", f"somebody else puts things into {folder}")
            # The files stay the same: an anchor knows its store by the inode.
            for name in sorted(os.listdir(beside), key=lambda name: name == STORE):
                os.rename(beside / name, folder / name)
                moved.append(folder / name)
            beside.rmdir()
            sync_path(folder)
    except BaseException:
        for path in [beside, *moved]:
            _remove(path)
        if new:
            with suppress(OSError):
                folder.rmdir()
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def check_empty(folder: Path) -> None:
    """Return if nothing is in `folder`, whose parent is there."""
    if folder.is_symlink():
        raise Refused("folder", f"{folder} is a link; name the folder itself")
    try:
        found = sorted(os.listdir(folder))
    except FileNotFoundError:
        parent = folder.absolute().parent
        if not parent.is_dir():
            raise Refused("folder", f"{parent} is not a folder") from None
    except NotADirectoryError:
        raise Refused("folder", f"{folder} is not a folder") from None
    else:
        if found:
            left = found[0].startswith(UNFINISHED)
            mend = "a command that was ended left it: remove it"
            if not left:
                mend = "name a new folder, for nothing is ever written over"
            says = f"{folder} holds something: {found[0]}; {mend}"
            raise Refused("folder", says)
