"""A backup is of one moment of a log that may be running: whole, and never a log."""

import os
import stat

import pytest

from ledger.errors import Held, Refused, Unavailable
from ledger.log.log import Log
from ledger.store import layout as at
from ledger.store.lmdb import LmdbStore
from ledger.upkeep.copies import backup, open_copy, verify_store
from tests.upkeep.spoil import (
    another_process,
    drop,
    entries,
    flip,
    is_sound,
    put,
    records,
    rows,
    statements,
)
from verifier import verify_checkpoint
from verifier.errors import MalformedError
from verifier.source import read_entries
from verifier.tile import ENTRIES, Tile

SIZE = 300
MADE = {"record": records, "statement": statements, "opaque": entries}


def modes(folder):
    """Which rights there are in `folder`, by path."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in [folder, *folder.rglob("*")]
    }


@pytest.mark.parametrize("kind", MADE)
def test_a_backup_has_all_of_the_log(new_log, tmp_path, kind):
    log = new_log(kind=kind)
    log.append(*MADE[kind](SIZE))
    head = backup(log.folder, tmp_path / "backup")
    assert head.size == log.check().size
    assert verify_store(tmp_path / "backup/store") == head
    for name in (at.TILES, at.ENTRIES, at.TAIL, at.IDENTITIES):
        assert rows(tmp_path / "backup", name) == rows(log.folder, name)
    assert is_sound(tmp_path / "backup")


def test_an_empty_log_has_a_backup(new_log, tmp_path):
    assert backup(new_log().folder, tmp_path / "backup").size == 0


def test_a_backup_has_no_secret_and_is_nobody_elses(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    found = modes(tmp_path / "backup")
    assert not {"key", "anchor"} & set(found)
    assert found["."] == found["store"] == 0o700
    assert found["store/data.mdb"] == 0o600
    secret = (log.folder / "key").read_bytes()
    assert all(
        secret not in path.read_bytes()
        for path in (tmp_path / "backup").rglob("*")
        if path.is_file()
    )


def test_the_checkpoint_in_a_backup_is_signed(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    signed = verify_checkpoint(
        (tmp_path / "backup/checkpoint").read_bytes(), log.policy
    )
    assert signed.checkpoint == log.check()


def test_a_backup_is_never_written_to(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    for name in ("key", "anchor"):
        (tmp_path / "backup" / name).write_bytes((log.folder / name).read_bytes())
        os.chmod(tmp_path / "backup" / name, 0o600)
    with Log.open(tmp_path / "backup") as opened:
        assert opened.hold.state == "copy"
        with pytest.raises(Held) as held:
            opened.append([b"one more"])
    assert held.value.state == "copy"
    assert f"--from {tmp_path / 'backup'}" in held.value.mend


def test_a_backup_of_a_backup_is_one(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    backup(tmp_path / "backup", tmp_path / "second")
    with Log.open(tmp_path / "second") as opened:
        assert opened.hold.state == "copy"


@pytest.mark.exhaustive
def test_each_backup_of_a_log_that_grows_is_whole(log, tmp_path):
    log.given_up = True  # what the other process logged is not remembered here
    sizes = []
    with another_process(log.folder) as writer:
        for number in range(20):
            dest = tmp_path / f"backup {number}"
            sizes.append(backup(log.folder, dest).size)
            signed = verify_checkpoint((dest / "checkpoint").read_bytes(), log.policy)
            assert signed.checkpoint.size <= sizes[-1]
            with Log.open(dest) as opened:
                assert opened.hold.state == "copy"
        assert writer.poll() is None
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 1
    log.check()


def test_entries_of_an_opaque_log_may_look_like_those_of_another(new_log, tmp_path):
    # As two entries of a record log in the wrong order would.
    source = new_log("source", kind="record")
    with source.open() as opened:
        first, second = (opened.append([each]).head.size - 1 for each in records(2))
        looks = [opened.reading.entry(each) for each in (second, first)]
    looks[0] = looks[0][:15] + bytes([looks[0][15] | 1]) + looks[0][16:]
    looks[1] = looks[1][:8] + b"\x00\x00\x01" + looks[1][11:]
    log = new_log()
    log.append(*looks)
    assert backup(log.folder, tmp_path / "backup").size == 2


# What is refused, and leaves nothing


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_a_place_that_holds_something_is_refused(log, tmp_path, what):
    dest = tmp_path / "dest"
    if what == "file":
        dest.write_bytes(b"mine")
    elif what == "folder":
        dest.mkdir()
        (dest / "mine").write_bytes(b"mine")
    else:
        dest.symlink_to(tmp_path)
    with pytest.raises(Refused) as refused:
        backup(log.folder, dest)
    assert refused.value.check == "folder"
    assert str(dest) in str(refused.value)


def test_an_empty_folder_is_a_place(log, tmp_path):
    (tmp_path / "dest").mkdir()
    assert backup(log.folder, tmp_path / "dest").size == SIZE


@pytest.mark.parametrize(
    ("database", "key"),
    [
        (at.ENTRIES, at.index_key(0)),
        (at.TAIL, at.index_key(290)),
        (at.TILES, at.tile_key((0, 0))),
        (at.LOG, at.HEAD_KEY),
    ],
    ids=["entries", "tail", "tiles", "head"],
)
def test_a_damaged_log_has_no_backup(log, tmp_path, database, key):
    log.given_up = True
    flip(log.folder, database, key, 20 if database == at.LOG else 8)
    before = set(tmp_path.iterdir())
    with pytest.raises(Held) as held:
        backup(log.folder, tmp_path / "dest")
    assert held.value.state == "damaged"
    assert set(tmp_path.iterdir()) == before


def test_no_log_has_no_backup(tmp_path):
    with pytest.raises(Held) as held:
        backup(tmp_path / "nowhere", tmp_path / "dest")
    assert held.value.state == "absent"
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_cannot_be_written_leaves_nothing(log, tmp_path, monkeypatch):
    def full(self, folder):
        (folder / "data.mdb").write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LmdbStore, "copy_to", full)
    before = set(tmp_path.iterdir())
    with pytest.raises(Unavailable, match="No space left"):
        backup(log.folder, tmp_path / "dest")
    assert set(tmp_path.iterdir()) == before


def test_a_log_that_cannot_be_signed_still_has_a_backup(log, tmp_path):
    (log.folder / "anchor").unlink()
    log.given_up = True
    assert backup(log.folder, tmp_path / "backup").size == SIZE
    assert not (tmp_path / "backup/checkpoint").exists()


def test_what_lies_beside_the_store_need_not_be_there(log, tmp_path):
    (log.folder / "policy.txt").unlink()
    assert backup(log.folder, tmp_path / "backup").size == SIZE
    assert not (tmp_path / "backup/policy.txt").exists()


# Reading a copy


def test_a_copy_is_read_as_what_it_is(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    with open_copy(str(tmp_path / "backup")) as copy:
        assert read_entries(copy, Tile(ENTRIES, 0)) == entries(256)
        assert read_entries(copy, Tile(ENTRIES, 1, 44)) == entries(44, 256)
        assert read_entries(copy, Tile(ENTRIES, 1, 45)) is None
        assert copy.read("tile/0/007", 1 << 20) is None
        assert str(copy) == "the store"
        with pytest.raises(MalformedError, match="more than 99 bytes"):
            copy.read("tile/entries/000", 99)


def test_a_record_log_whose_head_denies_its_end_has_no_backup(new_log, tmp_path):
    log = new_log(kind="record")
    log.append(*records(3))
    log.given_up = True
    flip(log.folder, at.LOG, at.HEAD_KEY, 50)
    with pytest.raises(Held, match="newest entry"):
        backup(log.folder, tmp_path / "dest")


@pytest.mark.parametrize("name", [at.FORMAT_KEY, at.CHARTER_KEY, at.ROLE_KEY])
def test_a_store_that_lost_what_it_is_has_no_backup(log, tmp_path, name):
    log.given_up = True
    drop(log.folder, at.LOG, name)
    with pytest.raises(Held) as held:
        backup(log.folder, tmp_path / "dest")
    assert held.value.state == "damaged"


def test_a_store_of_another_format_is_left_alone(log, tmp_path):
    log.given_up = True
    put(log.folder, at.LOG, at.FORMAT_KEY, b"provlog/store/2")
    with pytest.raises(Held) as held:
        backup(log.folder, tmp_path / "dest")
    assert held.value.state == "format"
