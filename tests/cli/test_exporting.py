"""export says what it did and refuses what is no place for it, with how to mend it."""

from __future__ import annotations

import os
import pty
import sys
from contextlib import suppress

import pytest

from ledger.clock import Instant
from tests.cli.operating import done, provlog, said, start

SIZE = 3_001


def test_progress_counts_files(log, tmp_path):
    leading, following = pty.openpty()
    with start("export", log.folder, tmp_path / "public", stderr=following) as given:
        os.close(following)
        shown = b""
        with suppress(OSError):  # the terminal is gone when the process is
            while data := os.read(leading, 1 << 16):
                shown += data
        assert given.wait(30) == 0
    os.close(leading)
    assert b"25 of 25 files" in shown
    assert b"entries" not in shown


def test_files_that_are_gone_come_back_with_check(log, tmp_path):
    done("export", log.folder, tmp_path / "public")
    (tmp_path / "public/tile/0/005").unlink()
    audit = ("audit", "--policy", log.folder / "policy.txt", tmp_path / "public")
    assert said("export", log.folder, tmp_path / "public")["written"] == 0
    assert provlog(*audit).exit_code == 1
    told = done("export", log.folder, tmp_path / "public", "--check")
    assert "all compared; 1 written" in told
    assert provlog(*audit).exit_code == 0


@pytest.mark.parametrize(
    "dest", ["http://log.example/x", "https://log.example", "gs://bucket/log"]
)
def test_an_address_is_no_folder(log, dest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = provlog("export", log.folder, dest)
    assert given.exit_code == 1
    assert "DEST is a folder" in given.stderr
    assert [each.name for each in tmp_path.iterdir()] == [log.folder.name]


def test_a_damaged_checkpoint_is_named_with_what_mends_it(log, tmp_path):
    done("export", log.folder, tmp_path / "public")
    path = tmp_path / "public/checkpoint"
    path.write_bytes(b"half")
    given = provlog("export", log.folder, tmp_path / "public")
    assert given.exit_code == 1
    assert f"{path} cannot be read as a checkpoint" in given.stderr
    assert "remove it" in given.stderr
    assert "another log" not in given.stderr
    path.unlink()
    done("export", log.folder, tmp_path / "public")


def test_a_clock_before_the_newest_entry_exports_nothing(log, tmp_path, monkeypatch):
    early = Instant(wall_ms=-172_800_000, boot_ms=0)
    # The module, not the command that has its name.
    monkeypatch.setattr(sys.modules["cli.export"], "read_clock", lambda: early)
    given = provlog("export", log.folder, tmp_path / "public")
    assert given.exit_code == 2
    assert "error: clock" in given.stderr
    assert "mend: set the clock" in given.stderr
    assert not (tmp_path / "public").exists()
