"""The follower covers what is committed, in bounded steps, and nothing else."""

import fcntl
import os
import tracemalloc
from pathlib import Path

import pytest

from ledger.errors import Refused, Unavailable, WrongBytes
from ledger.index.follower import MANY, PIECE, Follower
from ledger.index.lookup import Lookup
from ledger.index.runs import ROW_BYTES, About, write_run
from ledger.index.shelf import FAN, Shelf, mergeable
from ledger.log.reading import Reading
from tests.index.following import (
    ALIKE,
    GENESIS,
    Numbered,
    check_answers,
    files,
    follow,
    follower_of,
    numbered,
    places_of,
    sixteen,
    widths,
)
from tests.log.fakes import Bench, body, flip_in_tile
from tests.recordlog import wrapped
from verifier.tile import WIDTH

# Following


@pytest.mark.parametrize("size", [1, 255, 256, 257, 4095, 4096, 4097, 9000])
def test_it_covers_all_there_is(tmp_path, size):
    follow(follower_of(tmp_path, size), size)
    check_answers(tmp_path, size)


def test_nothing_is_done_where_there_is_nothing(tmp_path):
    follower = follower_of(tmp_path / "index", 0)
    assert follower.step(0) == 0
    assert follower.covered == 0
    assert files(tmp_path / "index") == {}


def test_each_step_is_bounded_and_says_how_much_it_was_about(tmp_path):
    follower = follower_of(tmp_path, 9000)
    done = [follower.step(9000) for _ in range(6)]
    assert done == [PIECE, PIECE, WIDTH, WIDTH, WIDTH, 9000 - 2 * PIECE - 3 * WIDTH]
    assert follower.step(9000) == 0
    assert widths(tmp_path) == done


def test_what_is_new_is_all_that_is_written(tmp_path):
    follower = follower_of(tmp_path, 1000)
    follow(follower, 700)
    before = files(tmp_path)
    follow(follower, 701)
    after = files(tmp_path)
    assert len(set(before) & set(after)) == 2
    assert len(after) == 3


def test_it_is_never_asked_to_forget(tmp_path):
    follower = follower_of(tmp_path, 700)
    follow(follower, 700)
    before = files(tmp_path)
    follow(follower, 300, 0)
    assert files(tmp_path) == before
    assert follower.covered == 700


def test_sixteen_runs_become_one_with_the_same_answers(tmp_path):
    sixteen(tmp_path)
    follower = follower_of(tmp_path, PIECE)
    assert follower.step(PIECE) == PIECE
    assert widths(tmp_path) == [PIECE]
    check_answers(tmp_path, PIECE)


def test_it_is_the_same_file_on_whatever_way_it_was_made(tmp_path):
    follow(follower_of(sixteen(tmp_path / "a"), PIECE), PIECE)
    follow(follower_of(tmp_path / "b", PIECE), PIECE)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_wide_runs_become_wider_ones(tmp_path):
    size = PIECE * FAN + 700
    follow(follower_of(tmp_path, size), size)
    assert widths(tmp_path) == [PIECE * FAN, WIDTH, WIDTH, 700 - 2 * WIDTH]
    lookup = Lookup(tmp_path, GENESIS)
    for index in (0, 1, ALIKE - 1):
        there = list(range(index, size, ALIKE))
        assert places_of(numbered(index), lookup, most=size) == there


# What cannot be read


def test_an_entry_that_cannot_be_read_costs_its_tile_and_no_other(tmp_path):
    entries = [b"entry %d" % number for number in range(1024)]
    with Bench(tmp_path) as bench:
        bench.append(*entries)
        reading = Reading(bench.store, lambda: bench.sequencer.answered.head)
        flip_in_tile(bench.store, (0, 1), 0)
        follower = Follower(tmp_path / "index", reading, "opaque", GENESIS)
        follow(follower, 1024)
        assert (follower.covered, follower.skipped) == (1024, 256)
        lookup = Lookup(tmp_path / "index", GENESIS)
        for index, entry in enumerate(entries):
            there = [] if 256 <= index < 512 else [index]
            assert places_of(entry, lookup) == there
        flip_in_tile(bench.store, (0, 1), 0)


def test_what_could_not_be_read_is_not_merged_and_read_when_it_is_mended(tmp_path):
    for start in range(0, PIECE, WIDTH):
        about = About(
            genesis=GENESIS, start=start, stop=start + WIDTH, rows=0, skipped=WIDTH
        )
        write_run(tmp_path, about, [])
    assert mergeable(Shelf().look(tmp_path, GENESIS).runs) == []
    assert Lookup(tmp_path, GENESIS).skipped == PIECE
    follower = follower_of(tmp_path, PIECE)
    follow(follower, PIECE)
    assert follower.skipped == 0
    check_answers(tmp_path, PIECE)


def test_what_still_cannot_be_read_is_tried_once_by_each_follower(tmp_path):
    log = Damaged(700)
    for _ in range(2):
        log.reads = 0
        follower = Follower(tmp_path, log, "opaque", GENESIS)
        for _ in range(9):
            follow(follower, 700)
        assert (follower.covered, follower.skipped) == (700, 256)
        assert log.reads == 1


class Damaged(Numbered):
    """A log with a tile that is not what was logged."""

    reads = 0

    def entries(self, start, stop):
        if start == 256:
            self.reads += 1
            raise WrongBytes("tile", "it is not what was logged")
        return super().entries(start, stop)


class Busy(Numbered):
    """A log that has too many readers just now."""

    free = False

    def entries(self, start, stop):
        if not self.free and start:
            raise Unavailable("readers", "too many read just now")
        return super().entries(start, stop)


def test_a_log_that_cannot_be_read_now_is_followed_later(tmp_path):
    log = Busy(700)
    follower = Follower(tmp_path, log, "opaque", GENESIS)
    follower.step(700)
    for _ in range(2):
        with pytest.raises(Unavailable):
            follower.step(700)
    check_answers(tmp_path, 256)
    log.free = True
    follow(follower, 700)
    check_answers(tmp_path, 700)


# Others, and the disk


def test_a_second_follower_is_refused(tmp_path):
    number = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(number, fcntl.LOCK_EX)
    with pytest.raises(Refused, match="another process"):
        follower_of(tmp_path, 300).step(300)
    os.close(number)
    follow(follower_of(tmp_path, 300), 300)


def test_the_last_of_the_disk_is_left_to_the_log(tmp_path):
    follower = follower_of(tmp_path, 300, min_free_bytes=1 << 60)
    with pytest.raises(Unavailable, match="stay free") as caught:
        follower.step(300)
    assert caught.value.reason == "disk"
    assert files(tmp_path) == {}


def test_where_a_large_file_has_no_room_a_small_one_may(tmp_path, monkeypatch):
    sixteen(tmp_path)
    # A real disk has other writers, and its last kilobytes come and go.
    room = 10 * WIDTH * ROW_BYTES
    monkeypatch.setattr("ledger.index.follower.free_bytes", lambda _: room)
    follow(follower_of(tmp_path, PIECE + 9), PIECE + 9)
    assert widths(tmp_path) == [WIDTH] * FAN + [9]
    check_answers(tmp_path, PIECE + 9)


def test_a_folder_that_cannot_be_made_is_a_matter_of_the_disk(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable):
        follower_of(tmp_path / "file" / "index", 300).step(300)


def test_nothing_stays_open_of_what_was_replaced(tmp_path):
    follower = follower_of(tmp_path, PIECE)
    for size in range(1, 600, 10):
        follow(follower, size)
        follower.step(size)
    assert len(held(tmp_path)) == len(files(tmp_path))


class Hostile:
    """A log of records that mention as much as they have room for, or `mentioned`."""

    def __init__(self, mentioned=880):
        # What differs is in their keys, of which a record has each once.
        self.digests = [
            f"sha256:{number:032x}" + "0" * 32 for number in range(mentioned)
        ]
        self.entry = wrapped(body(1, inputs=self.digests))

    def entries(self, start, stop):
        # Each is an object of its own, as they are when they are read from a log.
        return [bytes(bytearray(self.entry)) for _ in range(start, stop)]


@pytest.mark.exhaustive
def test_memory_is_bounded_whatever_records_mention(tmp_path):
    follower = Follower(tmp_path, Hostile(), "record", GENESIS)
    tracemalloc.start()
    assert follower.step(PIECE) == WIDTH
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 34 << 20


@pytest.mark.exhaustive
def test_where_rows_are_many_each_tile_has_a_run_until_they_are_merged(tmp_path):
    log = Hostile(MANY // PIECE + 1)
    follower = Follower(tmp_path, log, "record", GENESIS)
    steps = [follower.step(PIECE) for _ in range(FAN + 1)]
    assert steps == [WIDTH] * FAN + [PIECE]
    assert widths(tmp_path) == [PIECE]
    lookup = Lookup(tmp_path, GENESIS)
    for digest in (log.digests[0], log.digests[-1]):
        start = bytes.fromhex(digest.removeprefix("sha256:"))[:16]
        assert lookup.find("digest", start, most=PIECE) == list(range(PIECE))


def held(folder):
    """The files of `folder` that this process has mapped, deleted or not."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    return {each.split(maxsplit=5)[5] for each in maps if f"{folder}/" in each}
