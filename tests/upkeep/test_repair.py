"""What is damaged is mended by bytes that the root vouches for, and by no others."""

import pytest

from ledger.store import layout as at
from ledger.upkeep.copies import open_copy
from ledger.upkeep.fsck import fsck, repair
from tests.loopback import Server, folder, running
from tests.upkeep.repairing import (
    ENTRIES,
    ENTRY,
    HASHES,
    LEAVES,
    SIZE,
    TAIL,
    UPPER_EDGE,
    mended,
)
from tests.upkeep.spoil import (
    drop,
    entries,
    fill,
    flip,
    flip_file,
    is_sound,
    public,
    rows,
)

# What is mended


@pytest.mark.parametrize("where", ["backup", "export"])
@pytest.mark.parametrize("name", ENTRIES | HASHES)
def test_a_copy_has_what_is_damaged(log, copies, name, where):
    flip(log.folder, *(ENTRIES | HASHES)[name])
    assert not is_sound(log.folder)
    assert all(mended(log, copies[where]).values())
    assert is_sound(log.folder)


@pytest.mark.parametrize("name", ENTRIES | HASHES)
def test_a_copy_has_what_is_gone(log, copies, name):
    database, key, _ = (ENTRIES | HASHES)[name]
    drop(log.folder, database, key)
    assert all(mended(log, copies["export"]).values())
    assert is_sound(log.folder)


@pytest.mark.parametrize("name", HASHES)
def test_hashes_follow_from_the_entries(log, name):
    flip(log.folder, *HASHES[name])
    assert all(mended(log).values())
    assert is_sound(log.folder)


def test_all_hashes_follow_from_the_entries(log):
    for key, _ in rows(log.folder, at.TILES):
        flip(log.folder, at.TILES, key, 9)
    assert all(mended(log).values())
    assert is_sound(log.folder)


def test_all_of_a_log_can_be_damaged_and_mended(log, copies):
    for database in (at.TILES, at.ENTRIES, at.TAIL):
        for key, value in rows(log.folder, database):
            flip(log.folder, database, key, len(value) - 1)
    assert all(mended(log, copies["export"]).values())
    assert is_sound(log.folder)


@pytest.mark.exhaustive
def test_tiles_in_the_middle_of_a_large_log_are_mended_from_the_log_itself(new_log):
    log = new_log()
    fill(log, 70_000)
    for key in ((1, 0), (0, 7), (0, 8), (0, 270), (1, 1), (2, 0)):
        flip(log.folder, at.TILES, at.tile_key(key), 7 * 32 if key[0] < 1 else 0)
    assert all(mended(log).values())
    assert is_sound(log.folder)


def test_a_copy_at_an_address_serves_too(log, copies, tmp_path):
    flip(log.folder, *ENTRY)
    with running(Server()) as server:
        server.behaviours = [folder(tmp_path / "public")]
        assert all(mended(log, server.prefix).values())
    assert is_sound(log.folder)


def test_two_copies_have_together_what_neither_has(log, copies, tmp_path):
    flip(log.folder, *ENTRY)
    flip(log.folder, *TAIL)
    flip(tmp_path / "backup", *ENTRY)
    flip_file(tmp_path / "public/tile/entries/001.p/44", 5 * 14 + 3)
    assert all(mended(log, *copies.values()).values())
    assert is_sound(log.folder)


def test_a_copy_that_is_damaged_beside_it_still_has_it(log, copies, tmp_path):
    flip(log.folder, *ENTRY)
    flip_file(tmp_path / "public/tile/entries/000", ENTRY[2] + 14)
    assert all(mended(log, copies["export"]).values())
    assert is_sound(log.folder)


@pytest.mark.parametrize("size", [256, 512])
def test_a_log_whose_last_tile_is_full_is_mended(new_log, size):
    log = new_log()
    log.append(*entries(size))
    flip(log.folder, *LEAVES)
    flip(log.folder, *UPPER_EDGE)
    assert all(mended(log).values())
    assert is_sound(log.folder)


def test_what_was_mended_below_mends_what_is_above(new_log, tmp_path):
    """The copy ends before the upper tile does, and has all that is wrong under it."""
    log = new_log()
    log.append(*entries(SIZE))
    public(log, tmp_path / "export")
    log.append(*entries(SIZE, SIZE))
    for place in (ENTRY, LEAVES, (at.TILES, at.tile_key((1, 0)), 32 + 3)):
        flip(log.folder, *place)
    assert all(mended(log, str(tmp_path / "export")).values())
    assert is_sound(log.folder)


def test_a_log_is_the_same_after_a_repair(log, copies):
    before = [rows(log.folder, name) for name in at.DATABASES]
    for place in (ENTRIES | HASHES).values():
        flip(log.folder, *place)
    mended(log, copies["backup"])
    assert [rows(log.folder, name) for name in at.DATABASES] == before
    log.append(*entries(300, SIZE))


def test_a_backup_can_be_repaired_and_stays_one(log, copies, tmp_path):
    flip(tmp_path / "backup", *ENTRY)
    checkup = fsck(tmp_path / "backup")
    with open_copy(copies["export"]) as source:
        assert all(dict(repair(tmp_path / "backup", checkup, [source])).values())
    assert is_sound(tmp_path / "backup")
