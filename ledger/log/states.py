"""The states in which a log does not write, and what mends each.

The names are stable: programs and alert rules may rely on them. docs/operations.md
has a heading for each, with what has happened and what to look at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Final

from ledger.errors import Held, WrongBytes

MENDS: Final = {
    "absent": "provlog init {folder} --origin NAME, if there was never a log; "
    "else mount or restore what belongs here",
    "anchor_behind": "provlog restore {folder} --checkpoint NEWEST",
    "anchor_damaged": "provlog restore {folder} --checkpoint NEWEST",
    "anchor_missing": "provlog restore {folder} --checkpoint NEWEST",
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
    "halted": "end the process and start it again; it looks at what was left",
    "key_damaged": "put the key file back from its own backup",
    "key_exposed": "chmod 600 the key file; if others may have read it: "
    "provlog freeze {folder}, and a new origin",
    "key_missing": "put the key file back from its own backup",
    "key_taken": "give each log a key of its own",
    "key_unfit": "give an Ed25519 note signing key, or none",
    "key_unwritten": "make room, or let the key file's folder be written to",
    "locked": "use the running process, or end it",
    "remote_disk": "move the log to a local disk: provlog backup, provlog restore",
    "replaced": "provlog restore {folder}",
    "rollback": "provlog restore {folder} --from COPY",
    "target_silent": "bring it back, or start with --without NAME",
    "unsafe": "unset what changes how LMDB opens",
    "wrong_key": "put the key file of this log there",
    "wrong_log": "put the anchor of this log there, or the log of this anchor",
}


def held(state: str, says: str, folder: Path) -> Held:
    """The state, with its mending command filled in."""
    return Held(state, says, mend=MENDS[state].format(folder=quote(str(folder))))


@contextmanager
def mended_by(folder: Path) -> Iterator[None]:
    """Whatever is Held in here gets its mending command; wrong bytes are damage."""
    try:
        yield
    except WrongBytes as error:
        raise held("damaged", str(error), folder) from None
    except Held as error:
        raise (error if error.mend else held(error.state, str(error), folder)) from None
