"""Nothing that the root does not vouch for is ever put in the place of anything."""

import shutil

import pytest

from ledger.errors import Held, Refused
from ledger.store import layout as at
from ledger.store.environment import DATA
from ledger.upkeep.copies import backup, open_copy
from tests.upkeep.repairing import (
    ENTRIES,
    ENTRY,
    LEAF_EDGE,
    LEAVES,
    SIZE,
    TAIL,
    UPPER_EDGE,
    mended,
)
from tests.upkeep.spoil import (
    drop,
    entries,
    flip,
    flip_file,
    is_sound,
    public,
    put,
    rows,
)

# What is not


@pytest.mark.parametrize("name", ENTRIES)
def test_entries_follow_from_nothing(log, name):
    log.given_up = True
    flip(log.folder, *ENTRIES[name])
    [(place, whole)] = mended(log).items()
    assert place.startswith("tile/entries/")
    assert not whole
    assert not is_sound(log.folder)


@pytest.mark.parametrize("where", ["backup", "export"])
def test_a_copy_that_is_damaged_there_does_not_serve(log, copies, tmp_path, where):
    log.given_up = True
    before = rows(log.folder, at.ENTRIES)
    flip(log.folder, *ENTRY)
    damaged = rows(log.folder, at.ENTRIES)
    flip(tmp_path / "backup", *ENTRY[:2], ENTRY[2] + 1)
    flip_file(tmp_path / "public/tile/entries/000", ENTRY[2] + 1)
    assert mended(log, copies[where]) == {"tile/entries/000": False}
    assert rows(log.folder, at.ENTRIES) == damaged != before


@pytest.mark.parametrize("where", ["backup", "export"])
def test_a_copy_of_another_log_does_not_serve(log, new_log, tmp_path, where):
    log.given_up = True
    other = new_log("other")
    other.append(*entries(SIZE, 1))
    backup(other.folder, tmp_path / "backup")
    public(other, tmp_path / "export")
    for place in (ENTRY, TAIL, LEAVES):
        flip(log.folder, *place)
    found = mended(log, str(tmp_path / where))
    assert found.pop("tile/entries/000") is False
    assert found.pop("tile/entries/001.p/44") is False
    # The entry and its hash are both wrong: nobody can say what is right.
    assert set(found.values()) <= {False}


def test_a_copy_of_the_damage_does_not_serve(log, tmp_path):
    log.given_up = True
    flip(log.folder, *ENTRY)
    forged = rows(log.folder, at.ENTRIES)
    shutil.copytree(log.folder, tmp_path / "forged")
    assert mended(log, str(tmp_path / "forged")) == {"tile/entries/000": False}
    assert rows(log.folder, at.ENTRIES) == forged


@pytest.mark.parametrize(
    "place", [ENTRY, TAIL, LEAF_EDGE], ids=["full", "tail", "edge"]
)
@pytest.mark.parametrize("where", ["backup", "export"])
def test_a_shorter_copy_mends_what_it_has(new_log, tmp_path, where, place):
    log = new_log()
    log.append(*entries(280))
    backup(log.folder, tmp_path / "backup")
    public(log, tmp_path / "export")
    log.append(*entries(SIZE - 280, 280))
    drop(log.folder, *place[:2])
    assert all(mended(log, str(tmp_path / where)).values())
    assert is_sound(log.folder)


def test_a_shorter_copy_does_not_mend_what_it_has_not(new_log, tmp_path):
    log = new_log()
    log.given_up = True
    log.append(*entries(260))
    public(log, tmp_path / "export")
    log.append(*entries(SIZE - 260, 260))
    flip(log.folder, *TAIL)
    assert mended(log, str(tmp_path / "export")) == {"tile/entries/001.p/44": False}


def test_what_nothing_vouches_for_stays_as_it_is(log):
    """The entry, its hash and the one above it: which of them is right?"""
    log.given_up = True
    for place in (ENTRY, LEAVES, UPPER_EDGE):
        flip(log.folder, *place)
    before = [rows(log.folder, name) for name in at.DATABASES]
    assert not any(mended(log).values())
    assert [rows(log.folder, name) for name in at.DATABASES] == before


def test_a_head_that_is_wrong_is_never_led_to(log, copies):
    log.given_up = True
    flip(log.folder, at.LOG, at.HEAD_KEY, 20)
    assert mended(log, *copies.values()) == {}
    assert not is_sound(log.folder)


# What is no copy


def test_what_is_no_copy_is_refused(tmp_path):
    with pytest.raises(Refused) as refused, open_copy(str(tmp_path)):
        pass
    assert refused.value.check == "copy"
    assert str(tmp_path) in str(refused.value)


def test_a_backup_whose_pages_are_out_of_place_is_refused(log, copies, tmp_path):
    """Also where LMDB would not notice before it comes there."""
    data = tmp_path / "backup/store" / DATA
    at_entries = data.read_bytes().index(entries(1)[0])
    flip_file(data, at_entries // 4096 * 4096)
    with pytest.raises(Held, match=DATA) as held, open_copy(copies["backup"]):
        pass
    assert held.value.state == "damaged"


def test_a_copy_that_does_not_answer_is_not_waited_for_at_every_tile(log, tmp_path):
    log.given_up = True
    flip(log.folder, *TAIL)
    (tmp_path / "copy/tile").mkdir(parents=True)
    (tmp_path / "copy/tile/entries").write_bytes(b"no folder")
    assert mended(log, str(tmp_path / "copy")) == {"tile/entries/001.p/44": False}


def test_a_tile_that_is_too_long_is_cut_to_what_it_was(log, copies):
    _, key, _ = LEAF_EDGE
    value = dict(rows(log.folder, at.TILES))[key]
    put(log.folder, at.TILES, key, value[:-7])
    assert all(mended(log, copies["export"]).values())
    assert is_sound(log.folder)
