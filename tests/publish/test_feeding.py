"""A target that is fed is whole at every moment, and never goes back."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import Held, Refused, WrongBytes
from ledger.publish.feeding import feed
from ledger.publish.folder import Folder
from ledger.publish.target import Overtaken
from ledger.store import layout as at
from tests.publish.feeds import TIME, Cut, CutOff, publishing, whole
from tests.upkeep.published import files
from tests.upkeep.spoil import entries, fill, flip
from verifier.errors import VerificationError
from verifier.source import Directory
from verifier.tile import tiles_of

SIZE = 300


@pytest.fixture
def log(new_log):
    log = new_log()
    log.append(*entries(SIZE))
    return log


def test_it_has_all_that_its_checkpoint_covers_and_the_checkpoint(log, tmp_path):
    with publishing(log) as us:
        note = us.signed(SIZE)
        assert feed(Folder(tmp_path / "to"), us.ours, note).size == SIZE
    assert (tmp_path / "to/checkpoint").read_bytes() == note
    assert set(files(tmp_path / "to")) == {each.path() for each in tiles_of(SIZE)}
    assert whole(Directory(tmp_path / "to"), log).size == SIZE


def test_partial_tiles_of_every_published_size_stay(log, tmp_path):
    with publishing(log) as us:
        for size in (5, 256, 260, SIZE):
            feed(Folder(tmp_path / "to"), us.ours, us.signed(size))
    there = set(files(tmp_path / "to"))
    for size in (5, 256, 260, SIZE):
        assert {each.path() for each in tiles_of(size)} <= there


def test_the_same_checkpoint_is_not_written_again(log, tmp_path):
    target = Folder(tmp_path / "to")
    with publishing(log) as us:
        feed(target, us.ours, us.signed(SIZE))
        feed(Cut(target, 0), us.ours, us.signed(SIZE))


def test_the_same_tree_signed_later_replaces_the_checkpoint_alone(log, tmp_path):
    target = Folder(tmp_path / "to")
    with publishing(log) as us:
        feed(target, us.ours, us.signed(SIZE))
        before = files(tmp_path / "to")
        later = us.signed(SIZE, TIME + 600)
        feed(target, us.ours, later)
    assert target.checkpoint() == later
    assert files(tmp_path / "to") == before


def test_a_late_one_does_not_take_it_back(log, tmp_path):
    target = Folder(tmp_path / "to")
    with publishing(log) as us:
        feed(target, us.ours, us.signed(SIZE))
        assert feed(target, us.ours, us.signed(7)).size == SIZE
        assert target.checkpoint() == us.signed(SIZE)


def test_a_target_ahead_of_what_was_anchored_is_named(log, tmp_path):
    target = Folder(tmp_path / "to")
    with publishing(log) as us:
        feed(target, us.ours, us.signed(SIZE))
        early = replace(us.ours, anchored=lambda: 7)
        with pytest.raises(Held) as error:
            feed(Cut(target, 0), early, us.signed(7))
    assert error.value.state == "rollback"


def test_another_logs_target_is_refused_and_left_alone(log, new_log, tmp_path):
    other = new_log("other")
    other.append(*entries(9, 1000))
    target = Folder(tmp_path / "to")
    with publishing(other) as them:
        feed(target, them.ours, them.signed(9))
    before = files(tmp_path / "to")
    with publishing(log) as us, pytest.raises(Refused, match="another log"):
        feed(target, us.ours, us.signed(SIZE))
    assert files(tmp_path / "to") == before


def test_a_note_that_is_not_signed_by_us_is_not_published(log, new_log, tmp_path):
    other = new_log("other")
    other.append(*entries(9, 1000))
    with publishing(other) as them:
        theirs = them.signed(9)
    none = pytest.raises(VerificationError, match="none of the configured keys")
    with publishing(log) as us, none:
        feed(Folder(tmp_path / "to"), us.ours, theirs)
    assert not (tmp_path / "to").exists()


def test_wrong_bytes_in_the_store_are_not_published(new_log, tmp_path):
    log = new_log()
    log.append(*entries(5_000))  # so that opening does not look at the first
    log.given_up = True
    flip(log.folder, at.ENTRIES, at.index_key(0), 5)
    target = Folder(tmp_path / "to")
    with publishing(log) as us, pytest.raises(WrongBytes):
        feed(target, us.ours, us.signed(5_000))
    assert target.checkpoint() is None


# Cut off


@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sizes=st.lists(st.integers(1, SIZE), min_size=1, max_size=3, unique=True))
def test_stopped_after_any_write_it_is_whole_and_goes_on(log, tmp_path_factory, sizes):
    """Also after several publishers that were cut off, one behind the other."""
    dest = tmp_path_factory.mktemp("to")
    target, source = Folder(dest), Directory(dest)
    with publishing(log) as us:
        reached = 0
        for size in sorted(sizes):
            for writes in range(50):
                try:
                    feed(Cut(target, writes), us.ours, us.signed(size))
                    break
                except CutOff:
                    if reached:
                        assert whole(source, log).size == reached
                    else:
                        assert not (dest / "checkpoint").exists()
            reached = size
            assert whole(source, log).size == size


def test_who_reads_while_it_grows_finds_it_whole(new_log, tmp_path):
    log = new_log()
    fill(log, 2_000)
    target, source = Folder(tmp_path / "to"), Directory(tmp_path / "to")
    over, found = threading.Event(), []
    with publishing(log) as us:
        feed(target, us.ours, us.signed(1))

        def read():
            while not over.is_set() or len(found) < 2:
                found.append(whole(source, log).size)

        def publish():
            for size in range(50, 2_001, 50):
                feed(target, us.ours, us.signed(size))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            publish()
        finally:
            over.set()
            reader.join()
    assert found == sorted(found)
    assert whole(source, log).size == 2_000


def test_who_was_overtaken_between_reading_and_writing_is_told(log, tmp_path):
    target = Folder(tmp_path / "to")

    class Slow(Cut):
        def flush(self):
            super().flush()
            (tmp_path / "to/checkpoint").write_bytes(b"another's")

    with publishing(log) as us, pytest.raises(Overtaken):
        feed(Slow(target, -1), us.ours, us.signed(SIZE))
    assert target.checkpoint() == b"another's"
