"""Without an index the same is found, by reading all of it."""

import pytest

from ledger.errors import WrongBytes
from ledger.index.keys import digest_name, names_of
from ledger.index.lookup import Lookup, scan
from ledger.log.look import look
from ledger.log.reading import Reading
from tests.index.following import (
    ALIKE,
    GENESIS,
    Numbered,
    follow,
    follower_of,
    numbered,
    places_of,
)
from tests.livelog import FIRST
from tests.log.fakes import Bench, body, flip_in_tile


@pytest.mark.parametrize("size", [0, 1, 700])
def test_a_scan_finds_the_same(tmp_path, size):
    follow(follower_of(tmp_path, 700), size)
    lookup = Lookup(tmp_path, GENESIS)
    for entry in (numbered(0), numbered(ALIKE - 1), b"nowhere"):
        (name,) = names_of(entry, "opaque")
        found = list(scan(Numbered(700), size, name, kind="opaque"))
        assert found == places_of(entry, lookup)


def test_a_scan_compares_the_whole_name():
    (name,) = names_of(numbered(0), "opaque")
    near = name[:-1] + bytes([name[-1] ^ 1])
    assert list(scan(Numbered(300), 300, near, kind="opaque")) == []


def test_a_scan_finds_what_a_record_mentions(new_log):
    live = new_log(kind="record")
    live.append(body(1), body(2, inputs=[{"digest": "sha256:" + "ab" * 32}]))
    wanted = digest_name(bytes.fromhex("ab" * 32))
    with look(live.folder) as seen:
        found = scan(seen.reading, seen.newest.size, wanted, kind="record")
        assert list(found) == [FIRST + 1]


def test_a_scan_says_how_far_it_is():
    told = []
    found = scan(
        Numbered(600),
        600,
        digest_name(bytes(32)),
        kind="opaque",
        watch=lambda *done: told.append(done),
    )
    assert list(found) == []
    assert told == [(256, 600), (512, 600), (600, 600)]


def test_a_scan_of_wrong_bytes_does_not_say_that_nothing_was_found(tmp_path):
    with Bench(tmp_path) as bench:
        bench.append(*map(numbered, range(600)))
        reading = Reading(bench.store, lambda: bench.sequencer.answered.head)
        flip_in_tile(bench.store, (0, 1), 0)
        with pytest.raises(WrongBytes):
            list(scan(reading, 600, digest_name(bytes(32)), kind="opaque"))
        flip_in_tile(bench.store, (0, 1), 0)
