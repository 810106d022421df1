"""A frontier appends to a tree of any size, and says which tiles have changed."""

import json
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tree import Frontier
from tests import foreign
from tests.sampled import one_in
from tests.tree.definition import EndlessTree, Tiles
from verifier.hashing import EMPTY_ROOT, leaf_hash
from verifier.tile import ENTRIES, tiles_of

TREE = EndlessTree()
BLOCKS = EndlessTree(block=2**16)
SEAMS = [0, 1, 255, 256, 257, 511, 512, 65_280, 65_535, 65_536, 65_791, 65_792, 65_793]


@lru_cache(maxsize=1_024)
def leaf(tree, index):
    return leaf_hash(tree.entries[index])


def leaves(start, stop, tree=TREE):
    return [leaf(tree, index) for index in range(start, stop)]


def frontier(size, tree=TREE):
    return Frontier.load(size, Tiles(tree, size))


def check_append(before, stop, tree=TREE):
    """Append up to `stop`: the root and the changed tiles are as defined."""
    start = before.size
    changed = before.append(leaves(start, stop, tree))
    assert before.size == stop
    assert before.root() == tree.mth(0, stop)
    assert changed == Tiles(tree, stop).changed_since(start)


# Appending


def test_the_empty_tree_has_the_root_of_nothing():
    assert (Frontier().size, Frontier().root()) == (0, EMPTY_ROOT)


def test_one_at_a_time_every_tree_to_size_300_has_its_root_and_changes_its_tiles():
    growing = Frontier()
    for size in range(1, 301):
        check_append(growing, size)


@pytest.mark.parametrize("size", [*range(18), *range(254, 259), 300, 700])
def test_at_once_a_tree_has_its_root_and_all_its_tiles(size):
    check_append(Frontier(), size)


@pytest.mark.exhaustive
@pytest.mark.parametrize("start", one_in(4, range(0, 301, 20)))
def test_from_every_size_to_every_size_up_to_300(start):
    for first in range(start, start + 20):
        for size in range(first, 301):
            check_append(frontier(first), size)


@pytest.mark.parametrize("start", SEAMS)
@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 600])
def test_across_the_seams_between_tiles(start, count):
    check_append(frontier(start), start + count)


@given(st.lists(st.integers(0, 300), max_size=8))
def test_however_it_is_split_into_batches_a_tree_is_the_same(counts):
    growing = Frontier()
    for count in counts:
        check_append(growing, growing.size + count)


@given(st.integers(0, 66_500), st.lists(st.integers(0, 40), max_size=4))
def test_from_any_size_on_a_tree_grows_the_same(size, counts):
    growing = frontier(size)
    for count in counts:
        check_append(growing, growing.size + count)


@pytest.mark.parametrize("start", [2**24 - 300, 2**24 - 1, 2**24, 2**24 + 65_500])
def test_a_tree_of_sixteen_million_entries_grows_like_any_other(start):
    growing = frontier(start, BLOCKS)
    for stop in (start + 1, start + 300, start + 301):
        check_append(growing, stop, BLOCKS)


@pytest.mark.parametrize("power", [40, 62])
def test_a_tree_that_nobody_could_fill_grows_like_any_other(power):
    tree = EndlessTree(block=2 ** (power - 7))
    start = 2**power - 3
    growing = frontier(start, tree)
    check_append(growing, start + 2, tree)
    check_append(growing, start + 6, tree)


def test_what_has_changed_adds_up_to_all_tiles_that_the_tree_needs():
    growing, tiles = Frontier(), {}
    for count in (1, 300, 4_096, 0, 61_395, 700):
        tiles |= growing.append(leaves(growing.size, growing.size + count))
    needed = {
        (tile.level, tile.index): tile.width * 32
        for tile in tiles_of(growing.size)
        if tile.level != ENTRIES
    }
    assert {where: len(tile) for where, tile in tiles.items()} == needed
    assert all(tiles[where] == Tiles(TREE, growing.size)(*where) for where in needed)


def test_no_leaves_change_nothing():
    growing = frontier(300)
    assert growing.append([]) == {}
    assert (growing.size, growing.root()) == (300, TREE.mth(0, 300))


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), b"an entry"])
def test_what_is_no_hash_is_refused_and_leaves_the_tree_as_it_was(wrong):
    growing = frontier(5)
    with pytest.raises(ValueError, match="hash the entries before"):
        growing.append([*leaves(5, 7), wrong, *leaves(8, 10)])
    check_append(growing, 10)


def test_what_is_appended_to_a_copy_is_not_in_the_original():
    original = frontier(255)
    copy = original.copy()
    check_append(copy, 600)
    assert (original.size, original.root()) == (255, TREE.mth(0, 255))
    check_append(original, 258)
    check_append(copy, 601)


# Loading


@pytest.mark.parametrize("size", sorted({*range(0, 301, 7), *SEAMS}))
def test_it_is_loaded_from_the_partial_tiles_at_the_right_edge_alone(size):
    tiles = Tiles(TREE, size)
    assert Frontier.load(size, tiles).root() == TREE.mth(0, size)
    edge = {(0, size // 256): size % 256, (1, size // 65_536): size // 256 % 256}
    edge[2, 0] = size // 65_536
    assert sorted(tiles.asked) == [where for where, width in edge.items() if width]


@pytest.mark.parametrize("size", [1, 200, 255, 257, 65_792])
def test_a_tile_that_has_grown_since_serves_as_well(size):
    grown = Tiles(TREE, size + 300)
    check_append(Frontier.load(size, grown), size + 20)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda tile: b"", id="nothing"),
        pytest.param(lambda tile: tile[:-32], id="one hash less"),
        pytest.param(lambda tile: tile[:-1], id="half a hash"),
        pytest.param(lambda tile: tile + b"\0", id="a byte more"),
        pytest.param(lambda tile: tile.ljust(257 * 32), id="more than a tile holds"),
    ],
)
@pytest.mark.parametrize("level", [0, 1])
def test_a_tile_of_another_length_is_refused(level, spoil):
    true = Tiles(TREE, 600)

    def spoiled(at, index):
        tile = true(at, index)
        return spoil(tile) if at == level else tile

    with pytest.raises(ValueError, match=rf"tile . of level {level} .* 600 entries"):
        Frontier.load(600, spoiled)


def test_there_is_no_tree_of_less_than_no_entries():
    with pytest.raises(ValueError, match="cannot have -1 entries"):
        Frontier.load(-1, Tiles(TREE, 0))


# Strangers


def test_the_published_reference_tree_grows_as_published():
    path = foreign.folder("transparency-dev-merkle") / "reference_tree.json"
    vector = json.loads(path.read_text())
    growing = Frontier()
    inputs = [leaf_hash(bytes.fromhex(each)) for each in vector["leaf_inputs_hex"]]
    published = vector["node_hashes_by_level_hex"][0]
    for size, root in enumerate(vector["root_by_size_hex"]):
        assert growing.root().hex() == root
        tile = b"".join(bytes.fromhex(each) for each in published[: size + 1])
        changed = growing.append(inputs[size : size + 1])
        assert changed == ({(0, 0): tile} if size < len(inputs) else {})
