"""A follower that is cut off before each change it makes to its folder, in turn.

`python -m tests.index.crashing FOLDER SIZE` takes one step from the index in
FOLDER/before, in FOLDER/0 up to its first change, in FOLDER/1 up to its second,
and so on; in the last folder to the end. It writes what each cut came before.
"""

from __future__ import annotations

import os
import shutil
import sys
from itertools import count
from pathlib import Path

from tests.index.following import follower_of

_CHANGES = {"os.rename", "os.remove"}


def step_cut(folder: Path, size: int, changes: int) -> None:
    """Take one step in `folder`; the process ends before change number `changes`."""
    follower = follower_of(folder, size)
    left = changes

    def watch(event: str, arguments: tuple) -> None:
        nonlocal left
        # A name that is not there is no change: what is written next is new.
        if event in _CHANGES and _is_there(folder, arguments[0]):
            if not left:
                print(event, os.path.basename(arguments[0]), flush=True)
                os._exit(1)
            left -= 1

    sys.addaudithook(watch)
    follower.step(size)


def _is_there(folder: Path, path: str | Path) -> bool:
    return Path(path).parent == folder and os.path.lexists(path)


def main(folder: Path, size: int) -> None:
    for changes in count():
        copy = folder / str(changes)
        shutil.copytree(folder / "before", copy)
        child = os.fork()
        if not child:
            step_cut(copy, size, changes)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
