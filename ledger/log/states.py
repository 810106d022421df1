"""The states in which a log does not write, and what mends each.

The names are stable: programs and alert rules may rely on them. docs/operations.md
has a heading for each, with what has happened and what to look at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import Final

from ledger.config import Config
from ledger.errors import Held, Unavailable, WrongBytes
from ledger.keys.keyfile import read_key_file
from ledger.log.anchor import read_anchor

MENDS: Final = {
    "absent": "provlog init {folder} --origin NAME, if there was never a log; "
    "else mount or restore what belongs here",
    "anchor_behind": "provlog restore {folder} --checkpoint NEWEST",
    "anchor_damaged": "provlog restore {folder} --checkpoint NEWEST",
    "anchor_missing": "provlog restore {folder} --checkpoint NEWEST",
    "anchor_silent": "bring it back, or start with --without URL",
    "clock": "set the clock, or: provlog resume {folder}",
    "cloned": "provlog restore {folder} --moved",
    "config": "edit {folder}/log.toml",
    "copy": "provlog restore DIR --from {folder}",
    "damaged": "provlog fsck {folder} --repair --from COPY, "
    "or provlog restore {folder} --from COPY",
    "forked": "provlog fsck {folder}; keep everything, and begin a new origin: "
    "provlog restore NEWDIR --from {folder} --origin NAME",
    "format": "use the version of provlog that wrote it",
    "frozen": "nothing: this log has ended; begin another with provlog init",
    "full": "make room on the disk, or raise what is too small in {folder}/log.toml",
    "halted": "end the process and start it again; it looks at what was left",
    "key_damaged": "put the key file back from its own backup",
    "key_exposed": "chmod 600 the key file; if others may have read it: "
    "provlog freeze {folder}, and a new origin",
    "key_missing": "put the key file back from its own backup",
    "key_taken": "give each log a key of its own",
    "key_unfit": "give an Ed25519 note signing key, or none",
    "key_unwritten": "make room, or let the key file's folder be written to",
    "locked": "wait until that process has ended, or end it",
    "remote_disk": "move the log to a local disk: provlog backup, provlog restore",
    "replaced": "provlog restore {folder}",
    "rollback": "provlog restore {folder} --from COPY",
    "target_silent": "bring it back, or start with --without NAME",
    "unsafe": "unset what changes how LMDB opens",
    "witness_silent": "bring them back, or start with --without NAME",
    "wrong_key": "put the key file of this log there",
    "wrong_log": "put the anchor of this log there, or the log of this anchor",
    "wrong_user": "give this command as the user whose log it is",
}


_OLD: Final = ("store.old-*", ".store.*")
"""What a restore has put aside, and what one that was ended had begun to build."""


def held(state: str, says: str, folder: Path) -> Held:
    """The state, with its mending command filled in."""
    return Held(state, says, mend=MENDS[state].format(folder=quote(str(folder))))


def absent(home_folder: Path) -> Held:
    """Why there is no log in the folder: there was never one, or its store is gone.

    What is left beside a store says that there was one. To whom that happened nobody
    may say "init": a new log of an old name is a second history.
    """
    if home_folder.exists() and not home_folder.is_dir():
        says = f"{home_folder} is not a folder"
        return Held("absent", says, mend="name the folder that has the log in it")
    if left := _left(home_folder):
        mend = f"provlog restore {quote(str(home_folder))} --from COPY"
        return Held("absent", f"the store of {left} is gone", mend=mend)
    says = f"there is no log in {home_folder}"
    if home_folder.is_dir() and any(home_folder.iterdir()):
        mend = "name the log's folder, or an empty one to make a log in"
        return Held("absent", f"{says}, and something else is", mend=mend)
    return held("absent", says, home_folder)


def _left(folder: Path) -> str:
    """Which log has left something in `folder`, as far as that can be read."""
    config = Config.read(folder)
    anchor, key = folder / config.anchor, folder / config.key
    olds = [path.name for form in _OLD for path in sorted(folder.glob(form))]
    if not (anchor.exists() or key.exists() or olds):
        return ""
    name, size = "a log", ""
    with suppress(Held):
        name = read_key_file(key).origin
    with suppress(Held, Unavailable, OSError):
        size = f" (size {read_anchor(anchor).size} by its anchor)"
    return f"{name}{size}" + (f"; left of it: {', '.join(olds)}" if olds else "")


@contextmanager
def mended_by(folder: Path) -> Iterator[None]:
    """Whatever is Held in here gets its mending command; wrong bytes are damage."""
    try:
        yield
    except WrongBytes as error:
        raise held("damaged", str(error), folder) from None
    except Held as error:
        if error.mend:
            raise
        if error.state == "absent":
            raise absent(folder) from None
        raise held(error.state, str(error), folder) from None
