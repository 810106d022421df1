"""Seeing that a log does not write, mending it, and seeing that it writes again."""

from __future__ import annotations

import shutil

import pytest

from ledger.errors import Held, Refused
from ledger.log.log import Log
from ledger.log.pool import Admitted
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests.upkeep.spoil import (
    entries,
    is_sound,
    public,
    records,
    statements,
)

SIZE = 300
NEW = entries(40, SIZE)
MADE = {"record": records, "statement": statements, "opaque": entries}


def state_of(folder, **options):
    """Why the log in `folder` does not write."""
    with Log.open(folder, **options) as opened:
        hold = opened.hold
        if hold:
            with pytest.raises(Held):
                opened.submit([Admitted(None, b"never")]).wait()
        return hold.state if hold else None


def mend(log, **evidence):
    """Restore, and see that all is as it was promised, and goes on."""
    done = restore(log.folder, Evidence(**evidence))
    assert is_sound(log.folder)
    log.check()
    assert log.append(b"goes on").head.size == done.head.size + 1
    return done


def refusal(log, **evidence):
    """Why a log is not restored; and then nothing in it has changed.

    It has learnt what was promised, at most.
    """
    before = {each.name for each in log.folder.iterdir()}
    with pytest.raises((Held, Refused)) as refused:
        restore(log.folder, Evidence(**evidence))
    assert {each.name for each in log.folder.iterdir()} - before <= {"lock", "promised"}
    return getattr(refused.value, "state", None) or refused.value.check


def checkpoint(log):
    """The newest checkpoint that was shown, as somebody outside has it."""
    with log.open() as opened:
        return opened.checkpoint()


def lost(log, tmp_path):
    """Everything is gone but the key; somebody has an export, and its checkpoint."""
    public(log, tmp_path / "public")
    shutil.rmtree(log.folder / "store")
    (log.folder / "anchor").unlink()
    newest = (tmp_path / "public/checkpoint").read_bytes()
    return {"copies": [str(tmp_path / "public")], "checkpoints": [newest]}
