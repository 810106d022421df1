"""fsck and the scrubber find whatever is wrong with a log, and say where it is."""

from dataclasses import dataclass

import pytest

from ledger.errors import Held
from ledger.log.own import freeze
from ledger.store import layout as at
from ledger.upkeep.fsck import fsck, repair
from tests.livelog import ORIGIN
from tests.upkeep.spoil import (
    another_process,
    checks,
    drop,
    fill,
    flip,
)

SIZE = 300
LARGE = 65_536 + SIZE


@dataclass(frozen=True)
class Place:
    """A stored row, and by what name a report calls it."""

    database: bytes
    key: bytes
    path: str
    byte: int = 0
    indexes: tuple[tuple[int, int], ...] = ()


def tile(level, index, path, *, byte=0, indexes=()):
    return Place(at.TILES, at.tile_key((level, index)), path, byte, indexes)


PLACES = {
    "entry tile": Place(
        at.ENTRIES, at.index_key(0), "tile/entries/000", 5 * 14 + 3, ((5, 6),)
    ),
    "length": Place(at.ENTRIES, at.index_key(0), "tile/entries/000"),
    "tail entry": Place(
        at.TAIL, at.index_key(261), "tile/entries/001.p/44", 3, ((261, 262),)
    ),
    "leaf tile": tile(0, 0, "tile/0/000", byte=5 * 32, indexes=((5, 6),)),
    "leaf edge": tile(0, 1, "tile/0/001.p/44", byte=5 * 32, indexes=((261, 262),)),
    "upper edge": tile(1, 0, "tile/1/000.p/1", indexes=((0, 256),)),
}
HIGH_PLACES = {
    "entry tile": Place(
        at.ENTRIES, at.index_key(9), "tile/entries/009", 3, ((2304, 2305),)
    ),
    "upper tile": tile(1, 0, "tile/1/000", byte=7 * 32, indexes=((1792, 2048),)),
    "upper edge": tile(1, 1, "tile/1/001.p/1", indexes=((65_536, 65_792),)),
    "highest edge": tile(2, 0, "tile/2/000.p/1", indexes=((0, 65_536),)),
}


@pytest.fixture
def large(new_log):
    log = new_log()
    fill(log, LARGE)
    return log


def scrubbed(log):
    """What one round of the scrubber finds."""
    with log.open() as opened:
        scrubber = opened.scrub()
        scrubber.stop()
        scrubber.rounds = scrubber.position = 0
        while not scrubber.rounds:
            scrubber.step()
        return scrubber.found


def check_found(log, place):
    checkup = fsck(log.folder)
    [damage] = checkup.outcome.damage
    assert damage.path == place.path
    assert damage.indexes == place.indexes
    assert not checkup.sound
    place_of_any_width = place.path.split(".p/")[0]
    found = scrubbed(log)
    edge = place.database == at.TILES and ".p/" in place.path
    assert {"edge"} if edge else {place_of_any_width} <= set(found)
    # Its neighbours are not blamed for it.
    assert len(found) <= 2


# Nothing is wrong


@pytest.mark.parametrize("kind", ["record", "statement", "opaque"])
def test_a_new_log_is_sound(new_log, kind):
    log = new_log(kind=kind)
    assert fsck(log.folder).sound
    assert scrubbed(log) == {}


def test_a_log_is_sound(log):
    checkup = fsck(log.folder)
    assert checkup.sound
    assert checks(checkup) == set()
    assert (checkup.tree.size, checkup.origin, checkup.structure) == (
        SIZE,
        ORIGIN,
        True,
    )
    assert scrubbed(log) == {}


def test_a_log_that_has_ended_is_sound(new_log):
    log = new_log(kind="record")
    with log.open() as opened:
        opened.submit([freeze("the end")], freeze=True).wait()
    checkup = fsck(log.folder)
    assert checkup.sound
    assert checks(checkup) == {"frozen"}


def test_it_says_how_far_it_is(log):
    told = []
    fsck(log.folder, watch=lambda *done: told.append(done))
    assert told[-1] == (SIZE, SIZE)


def test_a_log_that_another_process_writes_to_is_checked_and_not_repaired(log):
    log.given_up = True  # what the other process logged is not remembered here
    with another_process(log.folder):
        checkup = fsck(log.folder)
        assert not checkup.structure
        assert checkup.sound
        assert checkup.tree.size > SIZE
        with pytest.raises(Held) as held:
            list(repair(log.folder, checkup, []))
        assert held.value.state == "locked"
    log.check()


# One row is another one


@pytest.mark.parametrize("name", PLACES)
def test_a_flipped_bit_is_found_where_it_is(log, name):
    log.given_up = True
    place = PLACES[name]
    flip(log.folder, place.database, place.key, place.byte)
    check_found(log, place)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", HIGH_PLACES)
def test_a_flipped_bit_in_a_large_log_is_found_where_it_is(large, name):
    large.given_up = True
    place = HIGH_PLACES[name]
    flip(large.folder, place.database, place.key, place.byte)
    check_found(large, place)


@pytest.mark.parametrize("name", sorted(PLACES.keys() - {"length"}))
def test_a_row_that_is_gone_is_found_where_it_was(log, name):
    log.given_up = True
    place = PLACES[name]
    drop(log.folder, place.database, place.key)
    paths = {each.path for each in fsck(log.folder).outcome.damage}
    assert place.path in paths
    found = set(scrubbed(log))
    assert found & {"edge", place.path.split(".p/")[0]}


def test_what_the_scrubber_found_is_gone_when_it_is_right_again(log):
    place = PLACES["entry tile"]
    flip(log.folder, place.database, place.key, place.byte)
    with log.open() as opened:
        scrubber = opened.scrub()
        scrubber.stop()
        scrubber.position = 0
        scrubber.step()
        assert set(scrubber.found) == {"tile/entries/000"}
    flip(log.folder, place.database, place.key, place.byte)
    assert scrubbed(log) == {}
