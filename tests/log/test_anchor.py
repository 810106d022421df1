"""The anchor is a second memory: torn, lost or strange, it never lets a log fork."""

import errno
import os
import stat
import struct
from dataclasses import replace
from hashlib import sha256

import pytest

from ledger.errors import Halted, Held
from ledger.log.anchor import (
    MAGIC,
    SLOT_BYTES,
    Anchor,
    Anchored,
    read_anchor,
    write_anchor,
)
from ledger.store import Head
from ledger.store.disk import file_identity
from tests.log.fakes import numbered
from tests.spoiling import flipped

GENESIS, DATA = b"genesis of a log", b"the file of data"
WHOLE = 145


def head(batch, size=None):
    size = batch if size is None else size
    return Head(batch=batch, size=size, root=sha256(b"%d" % size).digest())


@pytest.fixture
def path(tmp_path):
    """An anchor that has moved three times: batches 2 and 3 are in its slots."""
    path = tmp_path / "anchor"
    write_anchor(path, Anchored(genesis=GENESIS, data=DATA))
    anchor = Anchor(path)
    for batch in (1, 2, 3):
        anchor.advance(head(batch))
    anchor.close()
    return path


@pytest.fixture
def anchor(path):
    anchor = Anchor(path)
    yield anchor
    anchor.close()


def slot_at(path, batch):
    start = batch % 2 * SLOT_BYTES
    return path.read_bytes()[start : start + WHOLE]


def spoil(path, batch, data):
    with path.open("r+b") as file:
        file.seek(batch % 2 * SLOT_BYTES)
        file.write(data)


# The bytes


def test_a_slot_is_what_the_table_says(path):
    parts = (MAGIC, GENESIS, DATA, file_identity(path), 3, 3, head(3).root, False)
    body = struct.pack(">16s16s16s16sQQ32s?", *parts)
    assert slot_at(path, 3) == body + sha256(body).digest()
    assert path.stat().st_size == 2 * SLOT_BYTES


def test_a_copy_does_not_claim_to_be_the_file_that_it_names(path, tmp_path):
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    assert read_anchor(copy).file != file_identity(copy)


def test_slots_take_turns(path):
    assert Anchored.parse(slot_at(path, 2)).batch == 2
    assert Anchored.parse(slot_at(path, 3)).batch == 3


def test_what_is_held_is_there_after_it_was_closed(path):
    held = read_anchor(path)
    assert (held.genesis, held.data) == (GENESIS, DATA)
    assert held.file == file_identity(path)
    assert (held.batch, held.size, held.root) == (3, 3, head(3).root)


@pytest.mark.parametrize("make", ["made", "made anew", "moved"])
def test_nobody_else_may_read_or_write_it(tmp_path, path, make):
    if make == "made anew":
        write_anchor(path, Anchored(genesis=GENESIS, data=DATA))
    elif make == "made":
        path = tmp_path / "another"
        write_anchor(path, Anchored(genesis=GENESIS, data=DATA))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_left_beside_by_a_crash_gives_nobody_else_a_right(tmp_path):
    beside = tmp_path / ".anchor.new"
    beside.write_bytes(bytes(100))
    beside.chmod(0o666)
    write_anchor(tmp_path / "anchor", Anchored(genesis=GENESIS, data=DATA))
    assert stat.S_IMODE((tmp_path / "anchor").stat().st_mode) == 0o600
    assert not beside.exists()


# A crash while a slot is written


def test_after_any_part_of_a_write_the_older_or_the_newer_head_is_held(path):
    before, new = slot_at(path, 4), read_anchor(path).at(head(4)).slot()
    differ = [at for at in range(WHOLE) if before[at] != new[at]]
    for length in range(WHOLE + 1):
        spoil(path, 4, new[:length] + before[length:])
        assert read_anchor(path).batch == (4 if length > differ[-1] else 3)


def test_the_same_holds_for_sectors_that_were_never_written(path):
    new = read_anchor(path).at(head(4)).slot()
    for length in range(WHOLE):
        spoil(path, 4, new[:length] + bytes(WHOLE - length))
        assert read_anchor(path).batch == 3


def test_no_flipped_bit_of_the_newest_slot_is_believed(path):
    newest = slot_at(path, 3)
    for bit in range(WHOLE * 8):
        spoil(path, 3, flipped(newest, bit))
        assert read_anchor(path).batch == 2


def test_a_checksum_over_something_else_is_not_believed():
    body = b"provlog/anchor/2" + bytes(96)
    assert Anchored.parse(body + sha256(body).digest()) is None


@pytest.mark.parametrize("size", [0, 1, WHOLE - 1, SLOT_BYTES])
def test_a_file_without_a_whole_slot_is_damaged(path, size):
    spoil(path, 2, bytes(WHOLE))
    os.truncate(path, min(size, SLOT_BYTES))
    with pytest.raises(Held, match="neither slot") as caught:
        read_anchor(path)
    assert caught.value.state == "anchor_damaged"


def test_a_file_that_ends_behind_its_first_slot_holds_that(path):
    os.truncate(path, SLOT_BYTES)
    assert read_anchor(path).batch == 2


# Moving


def test_it_moves_to_the_next_batch_only(anchor):
    for batch in (2, 3, 5):
        with pytest.raises(Halted, match="does not follow"):
            anchor.advance(head(batch, 9))
    anchor.advance(head(4))
    assert anchor.held.batch == 4


def test_it_never_moves_to_a_smaller_tree(anchor):
    with pytest.raises(Halted, match="does not follow"):
        anchor.advance(head(4, 2))
    assert read_anchor(anchor.path).size == 3


def test_a_batch_without_entries_may_follow(anchor):
    anchor.advance(Head(batch=4, size=3, root=head(3).root))
    assert read_anchor(anchor.path).batch == 4


def test_what_somebody_else_has_written_ends_the_process(anchor):
    other = anchor.held.at(head(4))
    spoil(anchor.path, 4, other.slot())
    with pytest.raises(Halted, match="somebody else has written"):
        anchor.advance(head(4))


@pytest.mark.parametrize("batch", [2, 3])
def test_a_slot_that_somebody_else_has_spoiled_is_the_newest_or_does_no_harm(
    anchor, batch
):
    spoil(anchor.path, batch, bytes(WHOLE))
    if batch == 2:
        anchor.advance(head(4))
        assert read_anchor(anchor.path).batch == 4
        return
    with pytest.raises(Halted, match="somebody else"):
        anchor.advance(head(4))


def test_when_both_are_spoiled_while_it_is_open_the_process_ends(anchor):
    spoil(anchor.path, 2, bytes(WHOLE))
    spoil(anchor.path, 3, bytes(WHOLE))
    with pytest.raises(Halted, match="neither slot"):
        anchor.advance(head(4))


def test_a_disk_that_fails_ends_the_process(anchor, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr("ledger.log.anchor.os.pwrite", fails)
    with pytest.raises(Halted, match="input/output error"):
        anchor.advance(head(4))
    assert anchor.held.batch == 3


# Opening


def test_two_cannot_write_with_one_anchor(anchor):
    with pytest.raises(Held, match="another process") as caught:
        Anchor(anchor.path)
    assert caught.value.state == "locked"
    assert read_anchor(anchor.path).batch == 3


@pytest.mark.parametrize("opens", [Anchor, read_anchor])
def test_one_that_is_not_there_is_missing_and_is_not_made(tmp_path, opens):
    with pytest.raises(Held) as caught:
        opens(tmp_path / "anchor")
    assert caught.value.state == "anchor_missing"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("opens", [Anchor, read_anchor])
def test_a_link_is_not_followed(path, opens):
    link = path.with_name("link")
    link.symlink_to(path)
    with pytest.raises(Held, match="is no file") as caught:
        opens(link)
    assert caught.value.state == "anchor_damaged"


def test_a_folder_is_no_anchor(tmp_path):
    for opens in (Anchor, read_anchor):
        with pytest.raises(Held) as caught:
            opens(tmp_path)
        assert caught.value.state == "anchor_damaged"


def test_a_damaged_one_stays_open_for_nobody(path):
    path.write_bytes(bytes(2 * SLOT_BYTES))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(Held):
            Anchor(path)
    assert len(os.listdir("/proc/self/fd")) == before


# Under a log


def test_a_log_opens_after_any_torn_write_of_its_anchor(new_log):
    live = new_log()
    path = live.folder / "anchor"
    live.append(*numbered(2))
    live.append(*numbered(2, 2))
    before = slot_at(path, 1)
    newest = slot_at(path, 2)
    for length in range(0, WHOLE, 9):
        # The write of batch 2 was torn: the store is one batch ahead.
        spoil(path, 2, newest[:length] + bytes(WHOLE - length))
        with live.open() as log:
            assert log.hold is None
            assert live.saw(log.checkpoint()).size == 4
        assert slot_at(path, 1) == before


# Who replaces it


def test_nobody_replaces_the_anchor_of_somebody_who_writes(path):
    writer = Anchor(path)
    with pytest.raises(Held, match="another process writes with") as caught:
        write_anchor(path, read_anchor(path))
    assert caught.value.state == "locked"
    writer.advance(head(4))
    writer.close()


def test_the_one_that_was_replaced_is_wiped_wherever_it_is_linked(path, tmp_path):
    snapshot = tmp_path / "snapshot"
    os.link(path, snapshot)
    write_anchor(path, read_anchor(path))
    with pytest.raises(Held) as caught:
        read_anchor(snapshot)
    assert caught.value.state == "anchor_damaged"
    assert read_anchor(path).batch == 3


def test_who_holds_one_that_was_taken_away_goes_no_further(path):
    writer = Anchor(path)
    other = path.read_bytes()
    path.unlink()
    path.write_bytes(other)
    with pytest.raises(Halted, match="somebody else has written"):
        writer.advance(head(4))
    writer.close()


def test_a_pipe_is_no_anchor_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "anchor")
    for read in (Anchor, read_anchor):
        with pytest.raises(Held, match="no file"):
            read(tmp_path / "anchor")


def test_that_the_log_has_ended_is_held_as_well(path):
    writer = Anchor(path)
    writer.advance(replace(head(4), frozen=True))
    writer.close()
    assert read_anchor(path).frozen
