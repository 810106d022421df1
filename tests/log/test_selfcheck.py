"""A bit that changes between computing and storing is never signed (Yeti 2022).

The batch is refused before anything is committed, no checkpoint covers it, and the
next one goes on as if nothing had been.
"""

from dataclasses import replace

import pytest

from ledger.errors import Held, Unavailable, WrongBytes
from ledger.log.anchor import read_anchor
from ledger.log.selfcheck import check_batch
from tests.log.fakes import (
    Bench,
    entries_of,
    flip_in_tile,
    head_of,
    numbered,
    spoil_next,
)
from tests.spoiling import flipped
from verifier.tile import encode_entries

FEW = numbered(3)


def entry_bit(number, bit):
    def change(batch):
        entries = list(batch.entries)
        entries[number] = flipped(entries[number], bit)
        return replace(batch, entries=entries)

    return change


def tile_bit(tile, bit):
    def change(batch):
        spoiled = flipped(batch.tiles[tile], bit)
        return replace(batch, tiles={**batch.tiles, tile: spoiled})

    return change


def root_bit(bit):
    def change(batch):
        return replace(
            batch, head=replace(batch.head, root=flipped(batch.head.root, bit))
        )

    return change


def head_with(**members):
    return lambda batch: replace(batch, head=replace(batch.head, **members))


def refused_each(bench, changes, entries):
    """Append `entries` once for each change, all of which have to be refused."""
    before, signed, anchored = (
        head_of(bench.store),
        bench.signer.signed,
        bench.anchor.held,
    )
    for count, change in enumerate(changes, start=1):
        bench.store.spoil = change
        with pytest.raises(Unavailable) as caught:
            bench.append(*entries)
        assert caught.value.reason == "self_check"
        assert bench.sequencer.refused_batches == count
    assert head_of(bench.store) == bench.sequencer.answered.head == before
    assert (bench.signer.signed, bench.anchor.held) == (signed, anchored)
    bench.store.spoil = lambda batch: batch
    assert bench.append(*entries).head.size == before.size + len(entries)


# Every bit, of a store in memory


def test_every_bit_of_every_new_entry(tmp_path):
    places = [(n, bit) for n, entry in enumerate(FEW) for bit in range(len(entry) * 8)]
    with Bench(tmp_path) as bench:
        refused_each(bench, [entry_bit(*place) for place in places], FEW)


def test_every_bit_of_every_new_leaf_hash(tmp_path):
    with Bench(tmp_path) as bench:
        bits = range(len(FEW) * 256)
        refused_each(bench, [tile_bit((0, 0), bit) for bit in bits], FEW)


def test_every_bit_of_the_leaf_hashes_from_before_that_are_written_again(tmp_path):
    with Bench(tmp_path) as bench:
        bench.append(*FEW)
        bits = range(256, 4 * 256)
        refused_each(bench, [tile_bit((0, 0), bit) for bit in bits], [b"one more"])


def test_every_bit_of_the_root(tmp_path):
    with Bench(tmp_path) as bench:
        refused_each(bench, map(root_bit, range(256)), FEW)


def test_every_bit_of_an_interior_node(tmp_path):
    with Bench(tmp_path) as bench:
        bench.append(*numbered(250))
        changes = [tile_bit((1, 0), bit) for bit in range(256)]
        refused_each(bench, changes, numbered(10, 250))


def test_bits_of_the_interior_nodes_of_a_batch_of_several_tiles(tmp_path):
    with Bench(tmp_path) as bench:
        bench.append(*numbered(3))
        changes = [tile_bit((1, 0), bit) for bit in range(0, 3 * 256, 5)]
        refused_each(bench, changes, numbered(1_000, 3))


def test_every_bit_of_a_node_two_levels_up(tmp_path):
    with Bench(tmp_path) as bench:
        bench.append(*numbered(65_530))
        changes = [tile_bit((2, 0), bit) for bit in range(256)]
        changes += [tile_bit((1, 0), bit) for bit in range(0, 2_560, 37)]
        refused_each(bench, changes, numbered(10, 65_530))


@pytest.mark.parametrize(
    "members", [{"batch": 7}, {"at": 1}, {"frozen": True}], ids=str
)
def test_a_head_that_says_something_else(tmp_path, members):
    with Bench(tmp_path) as bench:
        refused_each(bench, [head_with(**members)], FEW)


# One bit of each kind, on disk

ON_DISK = {
    "an entry": (entry_bit(0, 3), "tile/entries/000: "),
    "a leaf hash": (tile_bit((0, 1), 100), "tile/0/001.p/4: "),
    "an interior node": (tile_bit((1, 0), 200), "tile/1/000.p/1: "),
    "the root": (root_bit(255), "head: "),
}


@pytest.mark.parametrize(("change", "place"), ON_DISK.values(), ids=ON_DISK)
def test_on_disk_nothing_is_committed_anchored_or_signed(new_log, change, place):
    live = new_log()
    with live.open() as log:
        before = live.append(*numbered(250), log=log)
        spoil_next(log.store, change)
        with pytest.raises(Unavailable, match=f"not logged: {place}"):
            log.append(numbered(10, 250))
        assert log._sequencer.refused_batches == 1
        assert head_of(log.store) == log.head == before.head
        assert read_anchor(live.folder / "anchor").size == 250
        assert log.checkpoint() == before.checkpoint
        assert log.hold is None
        assert live.append(*numbered(10, 250), log=log).indexes == range(250, 260)


def test_it_is_told_to_who_watches(new_log, caplog):
    with new_log().open() as log:
        spoil_next(log.store, root_bit(0))
        with pytest.raises(Unavailable):
            log.append([b"entry"])
    (record,) = [each for each in caplog.records if "batch_refused" in each.message]
    assert record.levelname == "ERROR"


# What the sequencer remembers may be what is wrong


@pytest.mark.parametrize("remembered", ["a peak", "a partial tile"])
def test_a_bit_of_the_frontier_costs_one_batch(new_log, remembered):
    live = new_log()
    with live.open() as log:
        live.append(*numbered(5), log=log)
        frontier = log._sequencer._frontier
        if remembered == "a peak":
            frontier._peaks[0] = flipped(frontier._peaks[0], 0)
        else:
            frontier._partial[0] = flipped(frontier._partial[0], 0)
        with pytest.raises(Unavailable, match="not logged"):
            log.append([b"entry"])
        assert live.append(b"entry", log=log).indexes == range(5, 6)


# What is stored is wrong already


def test_a_waiting_entry_that_has_changed_does_not_enter_a_full_tile(new_log):
    live = new_log()
    with live.open() as log:
        live.append(*numbered(255), log=log)
        log.store.mend((-1, 0), encode_entries([b"entry X", *numbered(254, 1)]))
        with pytest.raises(Held, match="entry 0"):
            log.append([b"entry 255"])
        assert log._sequencer.refused_batches == 1
        log.store.mend((-1, 0), encode_entries(numbered(255)))
    live.append(b"entry 255")


@pytest.mark.parametrize("level", [0, 1])
def test_a_damaged_edge_of_the_tree_holds_the_log(new_log, level):
    live = new_log()
    with live.open() as log:
        live.append(*numbered(510), log=log)
        flip_in_tile(log.store, (level, 1 - level), 7)
        with pytest.raises(Held, match="edge") as caught:
            log.append(numbered(5))
        assert caught.value.state == log.hold.state == "damaged"
        flip_in_tile(log.store, (level, 1 - level), 7)
    assert live.append(b"entry").indexes == range(510, 511)


def test_a_tile_that_lost_its_end_gets_it_back_with_the_next_batch(new_log):
    live = new_log()
    with live.open() as log:
        live.append(*numbered(5), log=log)
        with log.store.snapshot() as snapshot:
            log.store.mend((0, 0), snapshot.tile(0, 0)[:-32])
        live.append(b"entry", log=log)


def test_unless_that_batch_is_refused_for_what_is_remembered_cannot_be_checked(new_log):
    live = new_log()
    with live.open() as log:
        live.append(*numbered(5), log=log)
        with log.store.snapshot() as snapshot:
            right = snapshot.tile(0, 0)
        log.store.mend((0, 0), right[:-32])
        spoil_next(log.store, root_bit(0))
        with pytest.raises(Held, match="edge"):
            log.append([b"entry"])
        log.store.mend((0, 0), right)
    live.append(b"entry")


# The check by itself


def batch_in(bench, entries):
    """The batch that was appended last, and the store with it."""
    taken = []
    bench.store.spoil = lambda batch: taken.append(batch) or batch
    bench.append(*entries)
    return taken[-1]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
@pytest.mark.parametrize("before", [0, 1, 255, 256, 300])
def test_what_was_computed_well_passes(tmp_path, before, size):
    with Bench(tmp_path) as bench:
        if before:
            bench.append(*numbered(before))
        batch = batch_in(bench, numbered(size, before))
        with bench.store.snapshot() as snapshot:
            check_batch(snapshot, batch)
        assert entries_of(bench.store) == numbered(before + size)


def test_the_place_is_named(tmp_path):
    with Bench(tmp_path) as bench:
        batch = batch_in(bench, numbered(300))
        for tile, path in (((0, 0), "tile/0/000"), ((1, 0), "tile/1/000.p/1")):
            flip_in_tile(bench.store, tile, 5)
            with (
                bench.store.snapshot() as snapshot,
                pytest.raises(WrongBytes) as caught,
            ):
                check_batch(snapshot, batch)
            assert caught.value.where == path
            flip_in_tile(bench.store, tile, 5)
