"""Exports at the same time, and into what others have laid there, spoil nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from ledger.clock import Instant
from ledger.errors import Held, Refused
from ledger.log.look import look
from ledger.publish import folder as publish
from ledger.publish.export import export, signing_time
from ledger.store.disk import alone_in
from tests.upkeep.published import audited, files
from tests.upkeep.spoil import ROOT, TIME, flip_file, public
from verifier.note import Note

SIZE = 300
ANOTHER = """
import sys
from pathlib import Path
from ledger.clock import read_clock
from ledger.log.log import Log
from ledger.log.look import look
from ledger.publish.export import export
with Log.open(Path(sys.argv[1])) as log:
    log.append([b"one more"])
with look(Path(sys.argv[1])) as seen:
    export(seen, Path(sys.argv[2]), time=read_clock().wall_ms // 1000)
"""


# Two at a time


def another(log, dest):
    """Another process appends, and exports to the same folder."""
    log.given_up = True  # what it logged is not remembered here
    command = [sys.executable, "-c", ANOTHER, log.folder, dest]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)


def test_a_slow_export_does_not_take_the_folder_back(log, tmp_path):
    public(log, tmp_path / "public")
    with look(log.folder) as slow:
        another(log, tmp_path / "public")
        newest = (tmp_path / "public/checkpoint").read_bytes()
        done = export(slow, tmp_path / "public", time=TIME)
    assert (done.before, done.checkpoint.size) == (SIZE + 1, SIZE + 1)
    assert (tmp_path / "public/checkpoint").read_bytes() == newest
    assert audited(tmp_path / "public", log).size == SIZE + 1


def test_what_another_has_published_while_it_waited_counts(log, tmp_path, monkeypatch):
    """The other one is done between the first look at the folder and the lock."""
    dest = tmp_path / "public"

    def overtaken(folder, says):
        monkeypatch.undo()
        another(log, dest)
        return alone_in(folder, says)

    with look(log.folder) as slow:
        monkeypatch.setattr(publish, "alone_in", overtaken)
        assert export(slow, dest, time=TIME).checkpoint.size == SIZE + 1
    assert audited(dest, log).size == SIZE + 1


def test_only_one_at_a_time_works_on_a_folder(log, tmp_path):
    (tmp_path / "public").mkdir()
    with (
        alone_in(tmp_path / "public", "taken"),
        pytest.raises(Refused, match="another export is at work"),
    ):
        public(log, tmp_path / "public")
    assert files(tmp_path / "public") == {}
    assert public(log, tmp_path / "public").checkpoint.size == SIZE


def test_a_file_has_its_name_only_when_it_is_whole_and_durable(
    log, tmp_path, monkeypatch
):
    """Who is killed at any moment leaves nothing half under a name that is served."""
    fsync, synced = os.fsync, []

    def named(number):
        status = os.fstat(number)
        if stat.S_ISREG(status.st_mode):
            there = list((tmp_path / "public").rglob("[!.]*"))
            synced.append(status.st_ino in {each.stat().st_ino for each in there})
        fsync(number)

    monkeypatch.setattr(os, "fsync", named)
    public(log, tmp_path / "public")
    assert synced
    assert not any(synced)


# What others have laid there


@pytest.mark.parametrize("where", ["tile", "tile/entries", "tile/0"])
def test_a_folder_that_is_a_link_is_not_followed(log, tmp_path, where):
    place = tmp_path / "public" / where
    place.parent.mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    place.symlink_to(tmp_path / "mine")
    with pytest.raises(Refused, match="is a link"):
        public(log, tmp_path / "public")
    assert not any((tmp_path / "mine").iterdir())


@pytest.mark.parametrize("name", ["tile/entries/000", "checkpoint"])
def test_a_pipe_is_not_waited_for(log, tmp_path, name):
    path = tmp_path / "public" / name
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(Refused, match="remove it"):
        public(log, tmp_path / "public")
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_file_with_another_name_elsewhere_keeps_its_bytes(log, tmp_path):
    path = tmp_path / "public/tile/entries/000"
    path.parent.mkdir(parents=True)
    (tmp_path / "mine").write_bytes(b"mine")
    os.link(tmp_path / "mine", path)
    public(log, tmp_path / "public")
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert audited(tmp_path / "public", log).size == SIZE


@pytest.mark.parametrize("inside", [".", "store", "store/public"])
def test_the_logs_own_folder_is_no_place_for_it(log, inside):
    with pytest.raises(Refused) as refused:
        public(log, log.folder / inside)
    assert refused.value.check == "folder"
    assert not (log.folder / "store/public").exists()


@pytest.mark.parametrize("data", [b"", b"no checkpoint", b"\xff\n\n"])
def test_a_checkpoint_that_is_none_is_called_so(log, tmp_path, data):
    public(log, tmp_path / "public")
    (tmp_path / "public/checkpoint").write_bytes(data)
    with pytest.raises(Refused, match="cannot be read as a checkpoint") as refused:
        public(log, tmp_path / "public")
    assert "remove it" in str(refused.value)
    (tmp_path / "public/checkpoint").unlink()
    assert public(log, tmp_path / "public").before == 0


# Looking at what is there


@pytest.mark.parametrize("spoilt", ["gone", "wrong", "cut", "long"])
def test_with_check_every_file_is_what_the_log_has(log, tmp_path, spoilt):
    public(log, tmp_path / "public")
    expected = files(tmp_path / "public")
    path = tmp_path / "public/tile/entries/000"
    if spoilt == "gone":
        path.unlink()
    elif spoilt == "wrong":
        flip_file(path, 7)
    else:
        data = path.read_bytes()
        path.write_bytes(data[:9] if spoilt == "cut" else data + b"more")
    assert public(log, tmp_path / "public").written == 0
    assert files(tmp_path / "public") != expected
    assert public(log, tmp_path / "public", check=True).written == 1
    assert files(tmp_path / "public") == expected


def test_what_is_right_is_not_written_again(log, tmp_path):
    public(log, tmp_path / "public")
    before = (tmp_path / "public/tile/entries/000").stat()
    assert public(log, tmp_path / "public", check=True).written == 0
    after = (tmp_path / "public/tile/entries/000").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


# The clock


def test_a_clock_before_the_newest_entry_cosigns_nothing(log):
    with look(log.folder) as seen:
        early = Instant(wall_ms=seen.head.at - 6_000, boot_ms=0)
        with pytest.raises(Held) as held:
            signing_time(seen, early)
        assert held.value.state == "clock"
        right = Instant(wall_ms=seen.head.at, boot_ms=0)
        assert signing_time(seen, right) == seen.head.at // 1000


@pytest.mark.parametrize("time", [-86_400, TIME - 6], ids=["before 1970", "earlier"])
def test_a_cosignature_is_not_followed_by_an_earlier_one(log, tmp_path, time):
    public(log, tmp_path / "public")
    before = (tmp_path / "public/checkpoint").read_bytes()
    with look(log.folder) as seen, pytest.raises(Held) as held:
        export(seen, tmp_path / "public", time=time)
    assert held.value.state == "clock"
    assert "set the clock" in held.value.mend
    assert (tmp_path / "public/checkpoint").read_bytes() == before


def times(dest):
    """When each key says that it signed; the Ed25519 key says nothing, twice."""
    signatures = Note.parse((dest / "checkpoint").read_bytes()).signatures
    return [int.from_bytes(each.signature[:8]) for each in signatures[2:]]


def test_a_clock_that_was_put_right_by_a_moment_repeats_the_last_time(log, tmp_path):
    public(log, tmp_path / "public")
    assert times(tmp_path / "public") == [TIME]
    with look(log.folder) as seen:
        export(seen, tmp_path / "public", time=TIME - 3)
    assert times(tmp_path / "public") == [TIME]


def test_a_time_before_1970_is_no_fault_of_the_program(new_log, tmp_path):
    with look(new_log().folder) as seen, pytest.raises(Held) as held:
        export(seen, tmp_path / "public", time=-1)
    assert held.value.state == "clock"
