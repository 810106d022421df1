"""What is looked up is what the log has, while it grows, and however often it is."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.errors import Refused, Unavailable
from ledger.index import shelf
from ledger.index.follower import PIECE, Follower
from ledger.index.keys import names_of, record_name
from ledger.index.lookup import Lookup
from ledger.log.look import look
from tests.index.following import (
    ALIKE,
    GENESIS,
    check_answers,
    files,
    follow,
    follower_of,
    model,
    numbered,
    places_of,
    settle,
    sixteen,
    spoil,
    widths,
)
from tests.livelog import FIRST
from tests.log.fakes import LONG_S, body
from tests.recordlog import record_id

ROOT = Path(__file__).parents[2]

FOLLOW = """
import select, sys
from pathlib import Path
from ledger.index import shelf
from ledger.index.follower import PIECE, Follower
from ledger.log.look import look

folder = Path(sys.argv[1])
while not select.select([sys.stdin], [], [], 0)[0]:
    with look(folder) as seen:
        charter = seen.store.charter
        follower = Follower(
            folder / "index", seen.reading, charter.kind, charter.genesis
        )
        while follower.step(seen.newest.size):
            pass
"""


def index_of(live):
    """Bring the index of a log up to it; return where it is, and who reads it."""
    with look(live.folder) as seen:
        charter = seen.store.charter
        folder = live.folder / "index"
        follower = Follower(folder, seen.reading, charter.kind, charter.genesis)
        follow(follower, seen.newest.size)
        assert follower.covered == seen.newest.size
    return folder, Lookup(folder, charter.genesis)


def entries_of(live):
    with look(live.folder) as seen:
        return seen.reading.entries(0, seen.newest.size)


# A real log


@pytest.mark.parametrize("kind", ["record", "opaque"])
def test_every_entry_is_found_by_all_its_names(new_log, kind):
    live = new_log(kind=kind)
    live.append(*(body(number, again=number % 7) for number in range(600)))
    _, lookup = index_of(live)
    entries = entries_of(live)
    places = model(entries, kind)
    # The schema is found by its own digest, too.
    assert len(places) == (2 * FIRST + 1 + 3 * 600 if kind == "record" else 600)
    for key, indexes in places.items():
        name = {b"d": "digest", b"r": "record"}[key[:1]]
        assert lookup.find(name, key[1:], most=9999) == indexes


def test_a_record_is_found_by_its_id(new_log):
    live = new_log(kind="record")
    live.append(body(1), body(2))
    _, lookup = index_of(live)
    (index,) = lookup.find("record", record_name(record_id(2))[1:])
    assert record_name(record_id(2)) in names_of(entries_of(live)[index], "record")


def test_two_submitters_may_have_used_one_id(new_log):
    live = new_log(kind="record")
    with live.open() as log:
        for by in ("p-1", "p-2"):
            log.append([body(1)], by=by)
    _, lookup = index_of(live)
    assert len(lookup.find("record", record_name(record_id(1))[1:])) == 2


def test_an_index_that_was_lost_is_made_again_with_the_same_answers(new_log):
    live = new_log()
    live.append(*(numbered(index) for index in range(5000)))
    folder, lookup = index_of(live)
    before = files(folder)
    for each in folder.iterdir():
        each.unlink()
    assert places_of(numbered(3), lookup) == []
    assert lookup.covered == 0
    index_of(live)
    assert files(folder) == before
    check_answers(folder, 5000, genesis=live.charter.genesis)


def test_another_logs_index_says_nothing(new_log):
    mine, others = new_log("mine"), new_log("others")
    others.append(b"theirs")
    folder, _ = index_of(others)
    lookup = Lookup(folder, mine.charter.genesis)
    assert (lookup.covered, places_of(b"theirs", lookup)) == (0, [])


@pytest.mark.exhaustive
def test_answers_are_right_at_every_moment_while_another_process_follows(new_log):
    live = new_log()
    lookup = Lookup(live.folder / "index", live.charter.genesis)
    command = [sys.executable, "-c", FOLLOW, str(live.folder)]
    started = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
    with live.open() as log, started as process:
        size = 0
        for more in (1, 300, 10, *[256] * 16, 9000, 5000):
            some = [numbered(index) for index in range(size, size + more)]
            live.append(*some, log=log)
            size += more
            until = time.monotonic() + LONG_S
            while check_now(lookup, size) < size:
                assert time.monotonic() < until
    # It ended with its input.
    assert process.returncode == 0
    check_answers(live.folder / "index", size, genesis=live.charter.genesis)


def check_now(lookup, size):
    """What is covered before is found, and nothing that is not there."""
    covered = lookup.covered
    for number in range(0, ALIKE, 7):
        found = places_of(numbered(number), lookup, most=size)
        there = list(range(number, size, ALIKE))
        assert found == there[: len(found)]
        assert len(found) >= len(range(number, covered, ALIKE))
    return covered


# The files


def test_what_is_new_is_seen_at_once(tmp_path):
    follower, lookup = follower_of(tmp_path, 600), Lookup(tmp_path, GENESIS)
    assert (lookup.covered, places_of(numbered(1), lookup)) == (0, [])
    for size in range(2, 600, 3):
        follow(follower, size)
        assert lookup.covered == size
        assert places_of(numbered(1), lookup) == list(range(1, size, ALIKE))


def test_a_run_that_was_made_again_under_its_name_is_seen(tmp_path):
    follow(follower_of(tmp_path, 300), 300)
    path = min(tmp_path.iterdir())
    true = path.read_bytes()
    path.write_bytes(true[:-1])
    lookup = Lookup(tmp_path, GENESIS)
    assert lookup.covered == 0
    # As a file system does that uses an inode again.
    path.write_bytes(true)
    assert lookup.covered == 300
    assert places_of(numbered(1), lookup) == [1, 98, 195, 292]


def test_one_that_was_spoiled_and_made_again_while_it_was_open_is_seen(tmp_path):
    follow(follower_of(tmp_path, 300), 300)
    spoil(min(tmp_path.iterdir()), "flipped")
    lookup = Lookup(tmp_path, GENESIS)
    assert lookup.covered == 300  # it looks right, and is open from now on
    settle(follower_of(tmp_path, 300), 300)
    (run, _) = lookup._look().runs
    run.check()


def test_what_is_gone_between_listing_and_opening_is_found_in_its_place(
    tmp_path, monkeypatch
):
    sixteen(tmp_path)
    listed = shelf._list

    def merged_meanwhile(folder):
        monkeypatch.setattr(shelf, "_list", listed)
        found = listed(folder)
        follow(follower_of(folder, PIECE), PIECE)
        return found

    monkeypatch.setattr(shelf, "_list", merged_meanwhile)
    check_answers(tmp_path, PIECE)
    assert widths(tmp_path) == [PIECE]


def test_what_stands_behind_a_gap_is_found_and_not_counted(tmp_path):
    follow(follower_of(tmp_path, 700), 700)
    sorted(tmp_path.iterdir())[1].unlink()
    lookup = Lookup(tmp_path, GENESIS)
    assert lookup.covered == 256
    assert places_of(numbered(0), lookup) == [0, 97, 194, 582, 679]


def test_a_folder_that_cannot_be_read_is_no_empty_one(tmp_path):
    (tmp_path / "index").write_text("no folder")
    with pytest.raises(Unavailable):
        places_of(b"x", Lookup(tmp_path / "index", GENESIS))


def test_looking_up_opens_each_file_once(tmp_path):
    follow(follower_of(tmp_path, 700), 700)
    lookup = Lookup(tmp_path, GENESIS)
    places_of(b"x", lookup)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        places_of(b"x", lookup)
    assert len(os.listdir("/proc/self/fd")) == before
    runs = lookup._look().runs
    follow(follower_of(tmp_path, 800), 800)
    assert lookup._look().runs[:2] == runs[:2]


def test_a_kind_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(Refused):
        Lookup(tmp_path, GENESIS).find("path", bytes(16))
