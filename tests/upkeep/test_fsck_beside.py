"""fsck stands in nobody's way, and asks no more of a disk or a mirror than it must."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ledger.log.home import Home
from ledger.log.lock import is_locked
from ledger.log.log import Log
from ledger.log.look import look
from ledger.store import layout as at
from ledger.upkeep import fsck as checking
from ledger.upkeep import structure
from ledger.upkeep.copies import backup, open_copy
from ledger.upkeep.fsck import fsck, repair
from ledger.upkeep.source import MAX_SILENCES, Sparing
from tests.loopback import Server, answer, folder, running
from tests.upkeep.spoil import ROOT, entries, flip, is_sound, public
from verifier.errors import Unavailable

SIZE = 300
READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77
exec "$2" -c "$3" "$1"
"""
FSCK = """
import sys
from pathlib import Path
from ledger.upkeep.fsck import fsck
print(fsck(Path(sys.argv[1])).sound)
"""


APPEND = """
import sys
from pathlib import Path
from ledger.log.log import Log
with Log.open(Path(sys.argv[1])) as log:
    for each in range(5):
        log.append([b"meanwhile %d" % each])
"""


def meanwhile(log):
    """Another process appends some batches."""
    command = [sys.executable, "-c", APPEND, log.folder]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)


# The right to write


def test_while_entries_are_hashed_the_log_can_be_written_to(log, monkeypatch):
    seen = []
    real = checking.audit

    def audit(*arguments, **options):
        seen.append(is_locked(log.folder))
        return real(*arguments, **options)

    monkeypatch.setattr(checking, "audit", audit)
    assert fsck(log.folder).structure
    assert seen == [False]


def test_while_the_structure_is_looked_at_nobody_writes(log, monkeypatch):
    seen = []
    monkeypatch.setattr(
        structure, "check_structure", lambda _: seen.append(is_locked(log.folder))
    )
    fsck(log.folder)
    assert seen == [True]


def test_who_starts_to_write_meanwhile_is_no_finding(log, monkeypatch):
    """Another process appends after the first look, and is there no more."""
    real = checking.audit

    def audit(*arguments, **options):
        meanwhile(log)
        return real(*arguments, **options)

    monkeypatch.setattr(checking, "audit", audit)
    checkup = fsck(log.folder)
    assert (checkup.sound, checkup.tree.size) == (True, SIZE)


def test_a_log_that_is_written_to_has_no_structure_to_look_at(log):
    with Log.open(log.folder):
        assert not structure.look_at_structure(log.folder)
    assert structure.look_at_structure(log.folder)


# Copies


def test_nothing_is_written_beside_a_backup_that_is_checked(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    before = sorted(os.listdir(tmp_path / "backup"))
    assert fsck(tmp_path / "backup").sound
    assert sorted(os.listdir(tmp_path / "backup")) == before


@pytest.mark.parametrize("what", ["backup", "log"])
def test_what_lies_on_a_disk_that_is_only_read_can_be_checked(log, tmp_path, what):
    where = log.folder
    if what == "backup":
        where = tmp_path / "backup"
        backup(log.folder, where)
    command = ["unshare", "-rm", "sh", "-c", READ_ONLY, "sh"]
    command += [where, sys.executable, FSCK]
    try:
        given = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if given.returncode == 77 or "unshare" in given.stderr:
        pytest.skip("nobody may mount here")
    assert given.stdout == "True\n", given.stderr


def test_a_copy_whose_readers_cannot_be_noted_is_to_be_copied_first(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    (tmp_path / "backup/store/lock.mdb").chmod(0o400)
    command = [sys.executable, "-c", FSCK, tmp_path / "backup"]
    if os.geteuid() == 0:
        # Whom everything is allowed has to do without that.
        command[:0] = ["setpriv", "--bounding-set=-dac_override"]
    try:
        given = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError:
        pytest.skip("there is no setpriv here")
    assert f"copy {tmp_path / 'backup'} to where this user may write" in given.stderr


# Mirrors


def mend(log, *sources):
    return dict(repair(log.folder, fsck(log.folder), sources))


def test_a_mirror_that_has_nothing_is_asked_a_few_times(log):
    log.given_up = True
    flip(log.folder, at.ENTRIES, at.index_key(0), 5 * 14 + 3)
    with running(Server()) as server, open_copy(server.prefix) as copy:
        server.behaviours = [answer(404)]
        assert mend(log, copy) == {"tile/entries/000": False}
        asked = [path for path, _ in server.requests]
    assert len(asked) < 10
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("more", [0, 3, SIZE])
def test_a_mirror_is_asked_for_the_width_that_it_has(log, tmp_path, more):
    """A log that is ahead, or as far, has no entry tile as narrow as ours."""
    public(log, tmp_path / "before")
    flip(log.folder, at.TAIL, at.index_key(290), 3)
    checkup = fsck(log.folder)
    flip(log.folder, at.TAIL, at.index_key(290), 3)
    if more:
        log.append(*entries(more, SIZE))
    public(log, tmp_path / "public")
    with running(Server()) as server, open_copy(server.prefix) as copy:
        server.behaviours = [folder(tmp_path / "public")]
        assert dict(repair(log.folder, checkup, [copy])) == {
            "tile/entries/001.p/44": True
        }
        assert len(server.requests) < 10
    assert is_sound(log.folder)


class Silent:
    """A copy that never answers."""

    parallel = 1

    def __init__(self):
        self.asked = 0

    def read(self, path, most):
        self.asked += 1
        raise Unavailable(f"{path}: no answer")

    def close(self):
        pass


def test_a_copy_that_never_answers_is_given_up(log):
    log.given_up = True
    flip(log.folder, at.ENTRIES, at.index_key(0), 5 * 14 + 3)
    flip(log.folder, at.TAIL, at.index_key(290), 3)
    copy = Silent()
    assert not any(mend(log, copy).values())
    assert copy.asked <= MAX_SILENCES


def test_a_copy_has_only_so_much_time_in_all(tmp_path):
    with running(Server()) as server, open_copy(server.prefix) as copy:
        server.behaviours = [answer(body=b"right")]
        spared = Sparing(copy, most_s=1e-9)
        assert spared.read("tile/0/000", 9) == b"right"
        with pytest.raises(Unavailable, match="taken too long"):
            spared.read("tile/0/001", 9)
        assert len(server.requests) == 1


# A look


def test_a_writer_that_starts_between_two_looks_is_no_old_anchor(log, monkeypatch):
    """The anchor is read, then another process goes on by some batches."""
    log.given_up = True
    real = Home.open_store

    def late(home, *, readonly):
        meanwhile(log)
        monkeypatch.undo()
        return real(home, readonly=readonly)

    monkeypatch.setattr(Home, "open_store", late)
    with look(log.folder) as seen:
        assert seen.hold is None
        assert seen.newest.size == SIZE + 5
        assert seen.checkpoint()
