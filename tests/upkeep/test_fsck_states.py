"""fsck finds what no auditor sees: a wrong head, anchor, key, or data file."""

import pytest

from ledger.errors import Held
from ledger.log.anchor import SLOT_BYTES
from ledger.log.own import freeze
from ledger.store import layout as at
from ledger.store.environment import DATA
from ledger.upkeep.birth import new_charter
from ledger.upkeep.fsck import fsck
from tests.livelog import FIRST, ORIGIN
from tests.upkeep.spoil import (
    checks,
    drop,
    entries,
    flip,
    flip_file,
    overwrite,
    put,
    records,
    rows,
)

SIZE = 300


# Head, anchor and key


@pytest.mark.parametrize(("name", "byte"), {"size": 15, "root": 20}.items())
def test_a_head_that_is_not_the_anchored_one_is_found(log, name, byte):
    log.given_up = True
    flip(log.folder, at.LOG, at.HEAD_KEY, byte)
    checkup = fsck(log.folder)
    assert not checkup.sound
    assert f"size {SIZE} and root" in checkup.head.partition("anchored")[2]
    assert "head" in checks(checkup)


@pytest.mark.parametrize("byte", range(16))
def test_a_head_whose_numbers_are_absurd_is_found_in_time(log, byte):
    log.given_up = True
    row = bytearray(dict(rows(log.folder, at.LOG))[at.HEAD_KEY])
    row[byte] ^= 0x40
    put(log.folder, at.LOG, at.HEAD_KEY, bytes(row))
    assert not fsck(log.folder).sound


@pytest.mark.parametrize(
    ("byte", "says"),
    [(55, "the newest entry"), (56, "its newest entry ends it")],
    ids=["time", "end"],
)
def test_a_head_that_denies_its_newest_entry_is_found(new_log, byte, says):
    log = new_log(kind="record")
    log.given_up = True
    if byte == 56:
        with log.open() as opened:
            opened.submit([freeze("the end")], freeze=True).wait()
    flip(log.folder, at.LOG, at.HEAD_KEY, byte)
    checkup = fsck(log.folder)
    assert says in checkup.head
    assert not checkup.sound


def test_a_newest_entry_that_is_gone_is_not_the_heads_fault(new_log):
    log = new_log(kind="record")
    log.given_up = True
    log.append(*records(3))
    drop(log.folder, at.TAIL, at.index_key(FIRST + 2))
    checkup = fsck(log.folder)
    assert not checkup.sound
    assert not checkup.head


def test_an_anchor_with_flipped_bits_is_found(log):
    log.given_up = True
    for slot in (0, SLOT_BYTES):
        flip_file(log.folder / "anchor", slot + 70)
    assert checks(fsck(log.folder)) == {"anchor_damaged"}


@pytest.mark.parametrize(
    ("name", "state"), {"anchor": "anchor_missing", "key": "key_missing"}.items()
)
def test_a_file_that_is_gone_is_found(log, name, state):
    log.given_up = True
    (log.folder / name).unlink()
    assert checks(fsck(log.folder)) == {state}


def test_damage_does_not_hide_the_state_of_anchor_and_key(log):
    log.given_up = True
    flip(log.folder, at.TILES, at.tile_key((0, 1)))
    (log.folder / "anchor").unlink()
    (log.folder / "key").unlink()
    found = checks(fsck(log.folder))
    assert {"tile/0/001.p/44", "damaged", "anchor_missing", "key_missing"} == found


# The data file


def test_no_log_is_no_finding(tmp_path):
    with pytest.raises(Held) as held:
        fsck(tmp_path)
    assert held.value.state == "absent"


@pytest.mark.parametrize("size", [0, 5_000, 20_000])
def test_a_data_file_that_ends_early_has_a_name(log, size):
    log.given_up = True
    data = log.folder / "store" / DATA
    overwrite(data, data.read_bytes()[:size])
    with pytest.raises(Held) as held:
        fsck(log.folder)
    assert held.value.state == "damaged"
    assert held.value.mend == f"provlog restore {log.folder} --from COPY"


def test_pages_out_of_their_place_are_found_before_lmdb_reads_them(log):
    log.given_up = True
    data = log.folder / "store" / DATA
    whole = bytearray(data.read_bytes())
    for page in range(2, len(whole) // 4096):
        whole[page * 4096] ^= 0x55  # the number of the page, which it begins with
    overwrite(data, bytes(whole))
    with pytest.raises(Held) as held:
        fsck(log.folder)
    assert held.value.state == "damaged"
    assert DATA in str(held.value)


def test_another_log_in_its_place_is_found(log, new_log):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    other.append(*entries(SIZE))
    (log.folder / "key").write_bytes((other.folder / "key").read_bytes())
    log.given_up = True
    assert checks(fsck(log.folder)) == {"wrong_key"}


def test_a_record_log_names_an_entry_that_is_out_of_order(new_log):
    log = new_log(kind="record")
    log.append(*records(3))
    log.given_up = True
    flip(log.folder, at.TAIL, at.index_key(FIRST + 1), 10)  # inside its time
    checkup = fsck(log.folder)
    assert "tile/entries/000.p/5" in checks(checkup)
