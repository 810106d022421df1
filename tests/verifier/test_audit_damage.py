"""Whatever is spoilt in a log is found, with its place, once, and nothing else is.

The log has a full and a partial tile on level 1, and a partial one on levels 0
and 2. OTHER is the log that somebody would have liked to have: one entry in its
first tiles, and one in its last, are others.
"""

import functools
import os

import pytest

from tests.copies import copy_of, opaque, outage
from tests.testlog import TestLog
from verifier.audit import audit
from verifier.damage import MAX_FINDINGS, Damage, give_up, joined
from verifier.errors import Unavailable
from verifier.source import Directory
from verifier.tile import ENTRIES, Tile, encode_entries, parse_entries

SIZE = 65_536 + 2 * 256 + 3
FULL, EDGE = 1_000, SIZE - 2
MIDDLE = 65_536 + 300

E_FULL, E_MIDDLE, E_EDGE = (
    "tile/entries/003",
    "tile/entries/257",
    "tile/entries/258.p/3",
)
L0_FULL, L0_MIDDLE, L0_EDGE = "tile/0/003", "tile/0/257", "tile/0/258.p/3"
L1_FULL, L1_EDGE = "tile/1/000", "tile/1/001.p/2"
L2_EDGE = "tile/2/000.p/1"


@functools.cache
def true():
    return copy_of(opaque(SIZE))


@functools.cache
def other():
    entries = opaque(SIZE)
    for index in (FULL, MIDDLE, EDGE):
        entries[index] = b"rewritten"
    return copy_of(entries)


def found(copy, **options):
    """The damage in `copy`, held against the true checkpoint."""
    outcome = audit(copy, true().checkpoint, **options)
    return [(each.check, each.path, each.indexes) for each in outcome.damage]


def rewrite(path, change):
    """A copy where the entries of the tile at `path` are changed."""
    tile = Tile.parse(path)
    entries = parse_entries(true().bytes(path), tile)
    change(entries)
    return true().put(path, encode_entries(entries))


def under(first, count=1):
    return ((first, first + count),)


def test_the_true_log_passes():
    assert found(true()) == []


LENGTHS = {
    "short": lambda data: data[:-1],
    "long": lambda data: data + b"\0",
    "empty": lambda _: b"",
}


# Entries


@pytest.mark.parametrize(
    ("path", "index"), [(E_FULL, FULL), (E_MIDDLE, MIDDLE), (E_EDGE, EDGE)]
)
def test_an_altered_entry_is_found(path, index):
    assert found(true().take(other(), path)) == [("entry", path, under(index))]


def test_an_altered_length_of_an_entry_is_found():
    assert found(true().flip(E_FULL, at=1)) == [("form", E_FULL, ())]


@pytest.mark.parametrize("path", [E_FULL, E_MIDDLE, E_EDGE])
def test_a_removed_entry_is_found(path):
    assert found(rewrite(path, list.pop)) == [("form", path, ())]


def test_swapped_entries_are_found():
    def swap(entries):
        entries[1], entries[7] = entries[7], entries[1]

    places = ((769, 770), (775, 776))
    assert found(rewrite(E_FULL, swap)) == [("entry", E_FULL, places)]


def test_entries_swapped_between_tiles_are_found_in_both():
    spoilt = true().take(true())
    first, second = (
        parse_entries(true().bytes(path), Tile.parse(path))
        for path in (E_FULL, E_MIDDLE)
    )
    first[0], second[0] = second[0], first[0]
    spoilt = spoilt.put(E_FULL, encode_entries(first))
    spoilt = spoilt.put(E_MIDDLE, encode_entries(second))
    assert found(spoilt) == [
        ("entry", E_FULL, under(768)),
        ("entry", E_MIDDLE, under(65_792)),
    ]


@pytest.mark.parametrize("path", [E_FULL, E_MIDDLE, E_EDGE])
@pytest.mark.parametrize("length", LENGTHS)
def test_an_entry_tile_too_short_or_too_long_is_found(path, length):
    spoilt = true().put(path, LENGTHS[length](true().bytes(path)))
    assert found(spoilt) == [("form", path, ())]


# Hash tiles

HASH_TILES = [L0_FULL, L0_MIDDLE, L0_EDGE, L1_FULL, L1_EDGE, L2_EDGE]
ENTRIES_UNDER = {
    L0_FULL: under(768 + 1),
    L0_MIDDLE: under(65_792 + 1),
    L0_EDGE: under(66_048 + 1),
    L1_FULL: under(256, 256),
    L1_EDGE: under(65_792, 256),
    L2_EDGE: under(0, 65_536),
}


@pytest.mark.parametrize("path", HASH_TILES)
def test_one_flipped_hash_is_found_at_its_level(path):
    at = 0 if path == L2_EDGE else 32
    assert found(true().flip(path, at)) == [("tile", path, ENTRIES_UNDER[path])]


@pytest.mark.parametrize("path", [*HASH_TILES, E_FULL, E_MIDDLE, E_EDGE])
def test_a_missing_tile_is_found(path):
    assert found(true().drop(path)) == [("missing", path, ())]


@pytest.mark.parametrize("path", HASH_TILES)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_hash_tile_too_short_or_too_long_is_found(path, length):
    spoilt = true().put(path, LENGTHS[length](true().bytes(path)))
    assert found(spoilt) == [("form", path, ())]


def test_the_tile_of_another_log_is_found():
    stranger = copy_of(b"stranger %d" % number for number in range(1_024))
    spoilt = true().take(stranger, L0_FULL)
    assert found(spoilt) == [("tile", L0_FULL, under(768, 256))]


@pytest.mark.parametrize("partial", [E_EDGE, L0_EDGE, L1_EDGE, L2_EDGE])
def test_a_full_tile_in_place_of_a_partial_one_is_no_damage(partial):
    tile = Tile.parse(partial)
    more = encode_entries([b""] * (256 - tile.width))
    if tile.level != ENTRIES:
        more = bytes(32 * (256 - tile.width))
    data = true().bytes(partial) + more
    assert found(true().drop(partial).put(tile.full().path(), data)) == []


# Rewriting, as far up as somebody cared to


def test_an_entry_rewritten_with_its_hash_is_found_one_level_up():
    spoilt = true().take(other(), E_FULL, L0_FULL)
    assert found(spoilt) == [("tile", L1_FULL, under(768, 256))]
    spoilt = true().take(other(), E_MIDDLE, L0_MIDDLE)
    assert found(spoilt) == [("tile", L1_EDGE, under(65_792, 256))]


def test_an_entry_rewritten_up_to_level_1_is_found_on_level_2():
    spoilt = true().take(other(), E_FULL, L0_FULL, L1_FULL)
    assert found(spoilt) == [("tile", L2_EDGE, under(0, 65_536))]


@pytest.mark.parametrize(
    "paths",
    [
        (E_FULL, L0_FULL, L1_FULL, L2_EDGE),
        (E_MIDDLE, L0_MIDDLE, L1_EDGE),
        (E_EDGE, L0_EDGE),
    ],
)
def test_what_is_rewritten_up_to_the_top_leads_to_another_root(paths):
    assert found(true().take(other(), *paths)) == [("root", "checkpoint", ())]


def test_a_whole_other_log_leads_to_another_root():
    assert found(other()) == [("root", "checkpoint", ())]


def test_tiles_rewritten_without_their_entries_are_found():
    checks = [check for check, _, _ in found(true().take(other(), L0_FULL, L1_FULL))]
    assert checks
    assert found(true().take(other(), L0_EDGE)) == [("tile", L0_EDGE, under(EDGE))]


# Two faults in one place: which of three is right, only the level above could say

UNDECIDED = {
    "an entry and another hash of its tile": (
        lambda: true().take(other(), E_FULL).flip(L0_FULL, 32),
        [("conflict", L0_FULL, ((769, 770), (1_000, 1_001)))],
    ),
    "a hash and the hash above it": (
        lambda: true().flip(L0_FULL, 32).flip(L1_FULL, 3 * 32),
        [("conflict", L0_FULL, under(769)), ("tile", L2_EDGE, under(0, 65_536))],
    ),
    "an entry and the hash above its tile": (
        lambda: true().take(other(), E_FULL).flip(L1_FULL, 3 * 32),
        [("conflict", L0_FULL, under(FULL)), ("tile", L2_EDGE, under(0, 65_536))],
    ),
    "an entry whose tile is gone": (
        lambda: true().take(other(), E_FULL).drop(L0_FULL),
        [("missing", L0_FULL, ()), ("tile", L1_FULL, under(768, 256))],
    ),
}


@pytest.mark.parametrize("faults", UNDECIDED)
def test_of_two_faults_in_one_place_nothing_that_is_right_is_accused(faults):
    make, expected = UNDECIDED[faults]
    damage = audit(make(), true().checkpoint).damage
    assert [(each.check, each.path, each.indexes) for each in damage] == expected
    for each in damage:
        # A tile that the level above vouches for is named as the witness.
        words = {"conflict": "disagree", "tile": "than the tiles below"}
        assert words.get(each.check, "not there") in each.says


def test_two_faults_apart_are_two_findings():
    spoilt = true().flip(L0_FULL, 32).flip(L1_FULL, 9 * 32)
    assert found(spoilt) == [
        ("tile", L0_FULL, under(769)),
        ("tile", L1_FULL, under(9 * 256, 256)),
    ]


# Everything at once


def test_all_damage_is_in_one_report():
    spoilt = (
        true()
        .take(other(), E_FULL)
        .drop("tile/0/010", "tile/entries/020")
        .flip("tile/0/030", 64)
        .flip(L1_EDGE, 0)
        .put("tile/0/040", b"")
    )
    expected = [
        ("entry", E_FULL, under(FULL)),
        ("form", "tile/0/040", ()),
        ("missing", "tile/0/010", ()),
        ("missing", "tile/entries/020", ()),
        ("tile", "tile/0/030", under(30 * 256 + 2)),
        ("tile", L1_EDGE, under(65_536, 256)),
    ]
    assert sorted(found(spoilt)) == expected
    spoilt.parallel = 4
    assert sorted(found(spoilt)) == expected


@pytest.mark.parametrize("lost", [E_FULL, L0_FULL, L1_FULL, E_EDGE, L2_EDGE])
def test_an_unanswered_read_neither_hides_damage_elsewhere_nor_makes_any(lost):
    spoilt = true().flip(L0_MIDDLE, 32).put(lost, outage(lost))
    assert sorted(found(spoilt)) == [
        ("tile", L0_MIDDLE, ENTRIES_UNDER[L0_MIDDLE]),
        ("unavailable", lost, ()),
    ]


def test_a_tile_and_its_entries_may_both_be_gone():
    gone = {E_FULL, L0_FULL}
    assert {path for _, path, _ in found(true().drop(*gone))} == gone


def test_the_level_above_being_gone_does_not_hide_what_is_below():
    spoilt = true().drop(L1_FULL).flip(L0_FULL, 32)
    assert ("missing", L1_FULL, ()) in found(spoilt)
    assert len(found(spoilt)) == 2
    spoilt = true().drop(L1_FULL, L0_FULL, E_FULL)
    assert {("missing", each, ()) for each in (L1_FULL, L0_FULL, E_FULL)} < set(
        found(spoilt)
    )


def test_a_pipe_in_place_of_a_tile_is_found_and_does_not_hang(tmp_path):
    log = TestLog(tmp_path)
    log.append(*opaque(300))
    checkpoint = log.check()
    for path in ("tile/0/000", "tile/entries/001.p/44"):
        (tmp_path / path).unlink()
        os.mkfifo(tmp_path / path)
    damage = audit(Directory(tmp_path), checkpoint).damage
    assert [(each.check, each.path) for each in damage] == [
        ("form", "tile/0/000"),
        ("form", "tile/entries/001.p/44"),
    ]


# Many findings as one


def test_alike_findings_of_neighbouring_tiles_are_told_as_one():
    def found(path, *indexes, says="it is not there", check="missing"):
        return Damage(check=check, path=path, says=says, indexes=indexes)

    told = joined(
        [
            found("tile/entries/000", (3, 5), (255, 256)),
            found("tile/entries/001", (256, 300)),
            found("tile/entries/003", (768, 770)),  # not a neighbour
            found("tile/entries/004", (1024, 1025), check="form"),  # not alike
            found("tile/0/005"),  # another level
            found("tile/0/006.p/7"),
            found("checkpoint", check="root"),  # no tile
            found("checkpoint", check="root"),
        ]
    )
    assert [(first.path, last, indexes) for first, last, indexes in told] == [
        ("tile/entries/000", "tile/entries/001", [(3, 5), (255, 300)]),
        ("tile/entries/003", "tile/entries/003", [(768, 770)]),
        ("tile/entries/004", "tile/entries/004", [(1024, 1025)]),
        ("tile/0/005", "tile/0/006.p/7", []),
        ("checkpoint", "checkpoint", []),
        ("checkpoint", "checkpoint", []),
    ]


def test_of_so_many_findings_the_rest_is_not_looked_at():
    found = [Damage(check="tile", path="tile/0/000", says="wrong")] * MAX_FINDINGS
    give_up(found)
    with pytest.raises(Unavailable, match="the rest was not looked at"):
        give_up([*found, found[0]])
