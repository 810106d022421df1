"""A tile has one path and one content, and a tree needs certain tiles and no others."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from verifier.errors import MalformedError
from verifier.tile import (
    ENTRIES,
    MAX_ENTRY_BYTES,
    WIDTH,
    Tile,
    check_hashes,
    encode_entries,
    levels_at,
    parse_entries,
    tiles_at,
    tiles_of,
    width_at,
)

NEAR_POWERS_OF_1000 = sorted(
    {
        max(0, 1000**power + step)
        for power in range(6)
        for step in (-2, -1, 0, 1, 2, 7, 99, 100)
    }
    | {10**18 - 1}
)
SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000, 131_073]


def vectors():
    path = foreign.folder("tessera") / "layout_paths.json"
    return json.loads(path.read_text())


def needed(size):
    """What c2sp.org/tlog-tiles says a tree of `size` entries needs, counted out."""
    hashes, level = size, 0
    yield from rows(ENTRIES, size)
    while hashes:
        yield from rows(level, hashes)
        hashes, level = hashes // 256, level + 1


def rows(level, hashes):
    for index in range(hashes // 256):
        yield level, index, 256
    if hashes % 256:
        yield level, hashes // 256, hashes % 256


# Paths


def test_every_path_of_the_foreign_layout_is_written_and_read_the_same():
    for case in vectors()["tile_paths"]:
        tile = Tile(case["level"], case["index"], case["partial"] or WIDTH)
        assert tile.path() == case["path"]
        assert Tile.parse(case["path"]) == tile


def test_the_entry_tile_of_an_index_is_where_the_foreign_layout_has_it():
    for case in vectors()["entry_bundle_path_for_index"]:
        index = case["log_index"] // WIDTH
        tile = Tile(ENTRIES, index, width_at(ENTRIES, index, case["tree_size"]))
        assert tile.path() == case["path"]
        assert Tile.parse(case["path"]) == tile


def test_every_foreign_spelling_is_accepted_or_refused_as_upstream_does():
    for case in vectors()["parse"]:
        path = f"tile/{case['level']}/{case['index']}"
        if case.get("error"):
            with pytest.raises(MalformedError):
                Tile.parse(path)
        else:
            width = case["want_partial"] or WIDTH
            expected = Tile(case["want_level"], case["want_index"], width)
            assert Tile.parse(path) == expected


def test_the_examples_of_the_specification_hold():
    encoded, larger, smaller = vectors()["spec_examples"]
    assert Tile(0, encoded["index"]).path() == f"tile/0/{encoded['encoded']}"
    size = larger["tree_size"]
    assert width_at(0, larger["level0_full"], size) == larger["level0_partial_width"]
    assert width_at(1, larger["level1_full"], size) == larger["level1_partial_width"]
    assert width_at(2, 0, size) == larger["level2_partial_width"]
    assert width_at(0, 0, smaller["tree_size"]) == WIDTH
    assert width_at(1, 0, smaller["tree_size"]) == smaller["level1_partial_width"]


@pytest.mark.parametrize("level", [ENTRIES, 0, 1, 9, 10, 62, 63])
@pytest.mark.parametrize("width", [1, 9, 10, 99, 100, 255, 256])
def test_near_every_power_of_1000_a_path_leads_back_to_its_tile(level, width):
    for index in NEAR_POWERS_OF_1000:
        tile = Tile(level, index, width)
        assert Tile.parse(tile.path()) == tile


@given(st.integers(ENTRIES, 63), st.integers(0, 10**18 - 1), st.integers(1, WIDTH))
def test_any_path_leads_back_to_its_tile(level, index, width):
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path()) == tile
    assert tile.full().path() == tile.path().partition(".")[0]


@given(
    st.from_regex(r"tile/(entries|[0-9]{1,2})/(x?[0-9]{1,4}/?){1,3}(\.p/[0-9]{1,3})?")
)
def test_whatever_is_read_is_written_again_as_it_was(path):
    try:
        tile = Tile.parse(path)
    except MalformedError:
        return
    assert tile.path() == path
    assert 1 <= tile.width <= WIDTH


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0/x000/005",
        "tile/0/5",
        "tile/0/0005",
        "tile/0/x001/x000",
        "tile/0/001/000",
        "tile/0/X001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/999",
        "tile/0/000.p/1000",
        "tile/0/000.P/1",
        "tile/0/000.p/",
        "tile/0/000.p/+1",
        "tile/64/000",
        "tile/99/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/Entries/000",
        "TILE/0/000",
        "/tile/0/000",
        "tile//0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile%2F0%2F000",
        "tile/0%2f000",
        "tile/0/../0/000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/x1000/000",
        "tile/0/x001/x001/x001/x001/x001/x001/001",
    ],
)
def test_any_other_spelling_is_refused(path):
    with pytest.raises(MalformedError, match="path of a tile"):
        Tile.parse(path)


# What a tree needs


@pytest.mark.parametrize("size", SIZES)
def test_a_tree_needs_exactly_the_tiles_of_the_definition(size):
    found = [(tile.level, tile.index, tile.width) for tile in tiles_of(size)]
    assert found == list(needed(size))


@pytest.mark.parametrize(
    ("size", "levels"),
    [(0, 0), (1, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 3), (2**63 - 1, 8)],
)
def test_a_tree_has_a_level_for_every_eight_doublings(size, levels):
    assert levels_at(size) == levels
    assert tiles_at(max(levels - 1, 0), size) == min(size, 1)


def test_a_tile_that_a_tree_has_not_grown_into_has_no_width():
    assert width_at(0, 1, 256) == 0
    assert width_at(1, 0, 255) == 0
    assert width_at(ENTRIES, 7, 0) == 0


# Contents


def test_hashes_are_as_many_as_the_tile_is_wide():
    tile = Tile(0, 0, 3)
    check_hashes(bytes(96), tile)
    for wrong in (0, 64, 95, 97, 128):
        with pytest.raises(MalformedError, match="3 hashes"):
            check_hashes(bytes(wrong), tile)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=WIDTH))
def test_entries_are_read_as_they_were_written(entries):
    tile = Tile(ENTRIES, 0, len(entries))
    assert parse_entries(encode_entries(entries), tile) == entries


def test_an_entry_may_be_empty_and_may_have_65535_bytes():
    entries = [b"", bytes(MAX_ENTRY_BYTES), b""]
    data = encode_entries(entries)
    assert len(data) == MAX_ENTRY_BYTES + 6
    assert parse_entries(data, Tile(ENTRIES, 0, 3)) == entries


def test_an_entry_of_65536_bytes_cannot_be_written():
    with pytest.raises(OverflowError):
        encode_entries([bytes(MAX_ENTRY_BYTES + 1)])


TRUE = encode_entries([b"one", b"", b"three"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        TRUE[:-1],
        TRUE[:-5],
        TRUE + b"\x00",
        TRUE + b"\x00\x00",
        TRUE + TRUE,
        TRUE[:-7],
        TRUE[1:],
        b"\xff\xff" + TRUE[2:],
    ],
    ids=[
        "empty",
        "a byte short",
        "cut in the last entry",
        "half a length more",
        "an entry more",
        "twice",
        "an entry less",
        "without its first byte",
        "a length beyond the end",
    ],
)
def test_an_entry_tile_ends_where_its_last_entry_ends(data):
    with pytest.raises(MalformedError, match="3 entries with their lengths"):
        parse_entries(data, Tile(ENTRIES, 0, 3))
