"""The scrubber goes round for ever, at its rate, and says of each place once."""

import logging
import threading

import pytest

from ledger.errors import Unavailable
from ledger.log.scrubber import Scrubber
from ledger.store import layout as at
from tests.upkeep.spoil import entries, flip

SIZE = 700


@pytest.fixture
def log(new_log):
    log = new_log(settings="scrub_entries_per_s = 0\n")
    log.append(*entries(SIZE))
    return log


def test_a_round_looks_at_every_entry_and_begins_anew(log):
    with log.open() as opened:
        scrubber = opened.scrub()
        steps = [scrubber.step() for _ in range(8)]
    assert steps == [256, 256, 188, 0, 256, 256, 188, 0]
    assert (scrubber.rounds, scrubber.position) == (2, 0)


def test_it_goes_on_with_what_is_new(log):
    with log.open() as opened:
        scrubber = opened.scrub()
        assert [scrubber.step() for _ in range(3)] == [256, 256, 188]
        log.append(*entries(100, SIZE), log=opened)
        assert scrubber.step() == 256
        assert scrubber.position == 768


def test_a_log_without_entries_has_rounds_too(new_log):
    with new_log().open() as opened:
        scrubber = opened.scrub()
        scrubber.stop()
        scrubber.rounds = 0
        assert scrubber.step() == 0
        assert scrubber.rounds == 1


def test_what_is_found_is_said_once(log, caplog):
    caplog.set_level(logging.ERROR, "provlog")
    flip(log.folder, at.ENTRIES, at.index_key(0), 5)
    with log.open() as opened:
        caplog.clear()
        scrubber = opened.scrub()
        for _ in range(8):
            scrubber.step()
    assert [each.getMessage().split()[0] for each in caplog.records] == ["damage_found"]
    assert "place=tile/entries/000" in caplog.text
    assert "entry 0" in scrubber.found["tile/entries/000"]
    log.given_up = True


def test_it_names_a_place_for_as_long_as_the_place_grows(new_log):
    log = new_log(settings="scrub_entries_per_s = 0\n")
    log.append(*entries(5_000))  # more than is looked at when it is opened
    log.given_up = True
    flip(log.folder, at.TILES, at.tile_key((0, 0)), 5)
    with log.open() as opened:
        scrubber = opened.scrub()
        scrubber.step()
        assert set(scrubber.found) == {"tile/entries/000", "tile/0/000"}
        log.append(b"one more", log=opened)
        scrubber.position = 0
        scrubber.step()
        assert set(scrubber.found) == {"tile/entries/000", "tile/0/000"}


def test_a_running_log_scrubs_itself_and_stops(new_log):
    log = new_log(settings="scrub_entries_per_s = 100000000\n")
    log.append(*entries(SIZE))
    with log.open() as opened:
        scrubber = opened.scrub()
        while scrubber.rounds < 3:
            scrubber._stop.wait(0.001)
    rounds = scrubber.rounds
    assert rounds >= 3
    assert scrubber.found == {}


def test_a_store_that_cannot_be_read_just_now_is_read_later(log):
    calls = []

    class Busy(Scrubber):
        def step(self):
            calls.append(1)
            if len(calls) == 1:
                raise Unavailable("readers", "too many are at work")
            self.stop()
            return 0

    with log.open() as opened:
        Busy(opened.reading, lambda: opened.head).run(10**9)
    assert len(calls) == 2


def test_what_it_cannot_look_at_is_told_once_and_looked_at_again(log, caplog):
    """A thread that ends by itself would find nothing for years, and say nothing."""
    caplog.set_level(logging.INFO, "provlog")
    steps = iter([OSError(5, "I/O"), MemoryError(), 256, 188])

    class Troubled(Scrubber):
        def step(self):
            found = next(steps, None)
            if isinstance(found, Exception):
                raise found
            if found is None:
                self.stop()
            return found or 0

    with log.open() as opened, pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger.log.scrubber.FAILED_PAUSE_S", 0.0)
        caplog.clear()
        Troubled(opened.reading, lambda: opened.head).run(10**9)
    told = [each.getMessage().split()[0] for each in caplog.records]
    assert told[:2] == ["scrub_failed", "scrub_again"]
    assert "error=OSError" in caplog.text
    assert "MemoryError" not in caplog.text


def test_where_it_cannot_look_it_waits_longer(log):
    calls = []

    class Broken(Scrubber):
        def step(self):
            calls.append(1)
            raise OSError(5, "I/O")

    with log.open() as opened:
        broken = Broken(opened.reading, lambda: opened.head)
        thread = threading.Thread(target=broken.run, args=(10**9,))
        thread.start()
        thread.join(0.1)
        broken.stop()
        thread.join(5)
    assert not thread.is_alive()
    assert len(calls) == 1
