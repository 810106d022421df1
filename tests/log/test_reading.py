"""What is read is what was logged: wrong bytes are named, and never handed out."""

import random

import pytest

from ledger.errors import Refused, WrongBytes
from ledger.log.reading import Reading
from ledger.store import Head
from ledger.upkeep.source import StoreSource
from tests.log.fakes import Bench, Spoiled, flip_in_tile, numbered, put_entry_tile
from tests.reference.rfc6962 import Tree
from tests.spoiling import flipped
from tests.tree.definition import Tiles
from verifier.errors import MalformedError
from verifier.hashing import leaf_hash
from verifier.proof import verify_consistency, verify_inclusion
from verifier.tile import ENTRIES, WIDTH, Tile, encode_entries, tiles_of, width_at

SIZE = 600
ENTRIES_OF_LOG = numbered(SIZE)
TREE = Tree(ENTRIES_OF_LOG)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Bench(tmp_path_factory.mktemp("reading")) as bench:
        bench.append(*ENTRIES_OF_LOG)
        yield bench.store


def reading_of(store):
    newest = Head(size=SIZE, root=TREE.mth(0, SIZE))
    return Reading(store, lambda: newest)


def right_or_named(read, *arguments, right):
    """Whether what is read is right, or is refused with its place."""
    try:
        return read(*arguments) == right
    except WrongBytes as error:
        return bool(error.where)


# What is there


def test_every_entry_and_every_range(store):
    reading = reading_of(store)
    assert [reading.entry(index) for index in range(SIZE)] == ENTRIES_OF_LOG
    for start in (0, 1, 255, 256, 511, 599):
        for stop in (start + 1, min(start + 257, SIZE), SIZE):
            assert reading.entries(start, stop) == ENTRIES_OF_LOG[start:stop]


def test_every_tile_in_every_width(store):
    reading, tiles = reading_of(store), Tiles(TREE, SIZE)
    for tile in tiles_of(SIZE):
        for width in range(1, tile.width + 1):
            asked, start = Tile(tile.level, tile.index, width), tile.index * WIDTH
            if tile.level == ENTRIES:
                some = ENTRIES_OF_LOG[start : start + width]
                assert reading.entry_tile(asked) == encode_entries(some)
            else:
                whole = tiles.hashes(tile.level, tile.index)
                assert reading.hashes(asked) == whole[: 32 * width]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 599, 600])
def test_every_inclusion_proof_of_a_tree_of(store, size):
    reading = reading_of(store)
    for index in range(0, size, 7):
        assert reading.inclusion(index, size) == TREE.path(index, size)
    assert reading.root(size) == TREE.mth(0, size)


@pytest.mark.parametrize("second", [1, 2, 255, 256, 257, 512, 599, 600])
def test_every_consistency_proof_to_a_tree_of(store, second):
    reading = reading_of(store)
    for first in range(1, second + 1, 7):
        assert reading.consistency(first, second) == TREE.consistency(first, second)


def test_without_a_size_the_newest_tree_is_meant(store):
    reading = reading_of(store)
    assert reading.inclusion(3) == TREE.path(3, SIZE)
    assert reading.consistency(3) == TREE.consistency(3, SIZE)


# What is not there


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (5, 5), (6, 5), (599, 601)])
def test_a_range_that_is_not_all_there_is_refused(store, start, stop):
    with pytest.raises(Refused, match="from 0 up to 600") as caught:
        reading_of(store).entries(start, stop)
    assert caught.value.check == "index"


@pytest.mark.parametrize("index", [-1, SIZE, 2**64])
def test_an_index_outside_is_refused(store, index):
    for read in (reading_of(store).entry, reading_of(store).inclusion):
        with pytest.raises(Refused):
            read(index)


@pytest.mark.parametrize(("index", "size"), [(5, 5), (0, 0), (0, 601), (-1, 5)])
def test_no_inclusion_in_a_tree_without_the_entry(store, index, size):
    with pytest.raises(Refused):
        reading_of(store).inclusion(index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 5), (6, 5), (5, 601), (-1, 5)])
def test_no_consistency_between_sizes_that_never_were(store, first, second):
    with pytest.raises(Refused):
        reading_of(store).consistency(first, second)


@pytest.mark.parametrize(
    "tile",
    [Tile(0, 3), Tile(0, 2, 89), Tile(1, 0, 3), Tile(2, 0, 1), Tile(9, 0)],
    ids=str,
)
def test_a_tile_of_hashes_that_is_not_there_is_refused(store, tile):
    with pytest.raises(Refused):
        reading_of(store).hashes(tile)


@pytest.mark.parametrize("tile", [Tile(ENTRIES, 3), Tile(ENTRIES, 2, 89)], ids=str)
def test_an_entry_tile_that_is_not_there_is_refused(store, tile):
    with pytest.raises(Refused):
        reading_of(store).entry_tile(tile)


@pytest.mark.parametrize("size", [-1, 601, 2**40])
def test_a_root_of_a_size_that_never_was_is_refused(store, size):
    with pytest.raises(Refused):
        reading_of(store).root(size)


def test_what_is_stored_above_the_newest_head_is_not_shown(store):
    head = Head(size=300, root=TREE.mth(0, 300))
    reading = Reading(store, lambda: head)
    for read in (
        lambda: reading.entry(300),
        lambda: reading.hashes(Tile(0, 1, 45)),
        lambda: reading.entry_tile(Tile(ENTRIES, 1, 45)),
        lambda: reading.inclusion(0, 301),
        lambda: reading.consistency(1, 301),
        lambda: reading.root(301),
    ):
        with pytest.raises(Refused):
            read()
    assert reading.inclusion(299) == TREE.path(299, 300)
    assert reading.hashes(Tile(1, 0, 1)) == TREE.mth(0, 256)


# What is wrong


def test_no_bit_of_an_entry_may_have_changed(store):
    for index in (0, 255, 256, 511, 599):
        for bit in range(len(ENTRIES_OF_LOG[index]) * 8):
            entries = list(ENTRIES_OF_LOG)
            entries[index] = flipped(entries[index], bit)
            reading = reading_of(Spoiled(store, ENTRIES, entries))
            with pytest.raises(WrongBytes, match="not what was logged") as caught:
                reading.entries(index - index % WIDTH, index + 1)
            assert caught.value.where == f"entry {index}"
            assert reading.entry((index + 7) % SIZE)


@pytest.mark.parametrize("tile", [(0, 0), (0, 1), (0, 2), (1, 0)], ids=str)
def test_no_bit_of_a_tile_may_have_changed(store, tile):
    level, index = tile
    with store.snapshot() as snapshot:
        right = snapshot.tile(*tile)
    width = width_at(level, index, SIZE)
    for bit in range(0, len(right) * 8, 61):
        reading = reading_of(Spoiled(store, tile, flipped(right, bit)))
        with pytest.raises(WrongBytes) as caught:
            reading.hashes(Tile(level, index, width))
        assert caught.value.where.startswith("tile/")
        at = width - 1 - bit // 256
        if level == 0:
            with pytest.raises(WrongBytes):
                reading.entry(index * WIDTH + at)


@pytest.mark.parametrize("tile", [(0, 0), (0, 1), (0, 2), (1, 0)], ids=str)
@pytest.mark.parametrize("size", [SIZE, 599, 512, 300, 100])
def test_no_proof_is_made_of_a_tile_that_has_changed(store, tile, size):
    chance = random.Random(f"{tile} {size}")
    with store.snapshot() as snapshot:
        right = snapshot.tile(*tile)
    for _ in range(60):
        bit, index = chance.randrange(len(right) * 8), chance.randrange(size)
        first = chance.randrange(1, size + 1)
        spoiled = reading_of(Spoiled(store, tile, flipped(right, bit)))
        path, step = TREE.path(index, size), TREE.consistency(first, size)
        assert right_or_named(spoiled.inclusion, index, size, right=path), bit
        assert right_or_named(spoiled.consistency, first, size, right=step), bit


def test_no_root_is_made_of_a_tile_that_has_changed(store):
    with store.snapshot() as snapshot:
        right = snapshot.tile(0, 2)
    for bit in range(0, len(right) * 8, 101):
        spoiled = reading_of(Spoiled(store, (0, 2), flipped(right, bit)))
        assert right_or_named(spoiled.root, 599, right=TREE.mth(0, 599))


@pytest.mark.parametrize("length", [0, 31, 33, 32 * 87, 32 * 88 - 1])
def test_a_tile_that_was_cut_is_not_served(store, length):
    with store.snapshot() as snapshot:
        cut = snapshot.tile(0, 2)[:length]
    spoiled = reading_of(Spoiled(store, (0, 2), cut))
    for read in (
        lambda: spoiled.hashes(Tile(0, 2, 88)),
        lambda: spoiled.inclusion(599),
        lambda: spoiled.consistency(598, 600),
        lambda: spoiled.entry(599),
    ):
        with pytest.raises(WrongBytes):
            read()


def test_entries_that_are_missing_are_not_made_up(store):
    spoiled = reading_of(Spoiled(store, ENTRIES, ENTRIES_OF_LOG[:-1]))
    with pytest.raises(WrongBytes) as caught:
        spoiled.entries(598, 600)
    assert caught.value.where == "tile/entries/002"


# An auditor reads what is stored, right or wrong


def test_an_auditor_is_given_every_resource_and_nothing_that_is_not_there(store):
    source = StoreSource(store)
    for tile in tiles_of(SIZE):
        assert source.read(tile.path(), 1 << 24)
    for path in (
        "tile/0/003",
        "tile/entries/003",
        "tile/entries/002",
        "tile/2/000.p/1",
    ):
        assert source.read(path, 1 << 24) is None
    with pytest.raises(MalformedError):
        source.read("checkpoint", 1 << 24)
    with pytest.raises(MalformedError, match="more than 9 bytes"):
        source.read("tile/entries/000", 9)
    source.close()
    assert str(source) == "the store"


def test_an_auditor_is_told_of_what_cannot_be_a_tile(new_log):
    live = new_log()
    with live.open() as log:
        live.append(*ENTRIES_OF_LOG, log=log)
        source = StoreSource(log.store)
        right = source.read("tile/entries/000", 1 << 24)
        put_entry_tile(log.store, 0, b"\xff" * 100)
        with pytest.raises(MalformedError, match="lengths"):
            source.read("tile/entries/000", 1 << 24)
        log.store.mend((ENTRIES, 0), right)


# On disk


@pytest.mark.parametrize("tile", [(0, 0), (0, 2), (1, 0)], ids=str)
def test_a_log_on_disk_serves_no_tile_that_has_changed(new_log, tile):
    live = new_log()
    with live.open() as log:
        live.append(*ENTRIES_OF_LOG, log=log)
        flip_in_tile(log.store, tile, 77)
        with pytest.raises(WrongBytes):
            log.reading.hashes(Tile(*tile, width_at(*tile, SIZE)))
        flip_in_tile(log.store, tile, 77)


@pytest.mark.parametrize("index", [0, 2])
def test_a_log_on_disk_serves_no_entry_that_has_changed(new_log, index):
    live = new_log()
    with live.open() as log:
        live.append(*ENTRIES_OF_LOG, log=log)
        right = log.reading.entry_tile(Tile(ENTRIES, index, 88 if index else WIDTH))
        log.store.mend((ENTRIES, index), flipped(right, 3))
        with pytest.raises(WrongBytes) as caught:
            log.reading.entries(0, SIZE)
        assert caught.value.where == f"entry {599 if index else 255}"
        assert log.reading.entries(256, 512) == ENTRIES_OF_LOG[256:512]
        log.store.mend((ENTRIES, index), right)


@pytest.mark.exhaustive
def test_a_log_of_70_000_entries_serves_all_tiles_and_proves_all_it_says(new_log):
    size, entries = 70_000, numbered(70_000)
    tree, live, chance = Tree(entries), new_log(), random.Random(70_000)
    with live.open() as log:
        for start in range(0, size, 14_000):
            live.append(*entries[start : start + 14_000], log=log)
        reading, tiles, root = log.reading, Tiles(tree, size), tree.mth(0, size)
        for tile in tiles_of(size):
            start = tile.index * WIDTH
            for width in {1, 100 % tile.width + 1, tile.width}:
                asked = Tile(tile.level, tile.index, width)
                if tile.level == ENTRIES:
                    some = encode_entries(entries[start : start + width])
                    assert reading.entry_tile(asked) == some
                else:
                    whole = tiles.hashes(tile.level, tile.index)
                    assert reading.hashes(asked) == whole[: 32 * width]
        for _ in range(500):
            second = chance.randrange(1, size + 1)
            index, first = chance.randrange(second), chance.randrange(1, second + 1)
            verify_inclusion(
                leaf_hash(entries[index]),
                index=index,
                size=second,
                proof=reading.inclusion(index, second),
                root=tree.mth(0, second),
            )
            verify_consistency(
                first=first,
                first_root=tree.mth(0, first),
                second=size,
                second_root=root,
                proof=reading.consistency(first),
            )
