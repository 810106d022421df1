"""Before a log is written to, its memories are held against one another.

Only one thing is mended without asking: a head that is one batch ahead of its
anchor. Everything else is named, and the log is read and not written.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from ledger.errors import Halted, Held, WrongBytes
from ledger.log.anchor import read_anchor, write_anchor
from ledger.log.home import Home
from ledger.log.log import Log
from tests.log.fakes import LONG_S, flip_in_tile, head_of, hold_of, numbered
from tests.spoiling import flipped


@pytest.fixture
def live(new_log):
    """A log of three batches, of 2, 4 and 6 entries together."""
    live = new_log()
    for start in (0, 2, 4):
        live.append(*numbered(2, start))
    return live


def unreadable(live):
    """The state for which the log is not opened at all."""
    with pytest.raises(Held) as caught:
        Log.open(live.folder)
    assert caught.value.mend
    return caught.value.state


def anchored(live, **members):
    """Put the anchor where it says something else."""
    path = live.folder / "anchor"
    write_anchor(path, replace(read_anchor(path), **members))


def crash_after_commit(live, *entries):
    """One batch is committed, and the process ends before it is anchored."""

    def crash(head):
        raise Halted("the machine stops")

    with live.open() as log:
        log._anchor.advance = crash
        with pytest.raises(Halted):
            log.append(entries)


def opened_store(live):
    return Home.at(live.folder).open_store(readonly=False)


# A crash between commit and anchor


def test_one_batch_ahead_of_the_anchor_is_taken_on(live, caplog):
    crash_after_commit(live, b"entry 6")
    assert read_anchor(live.folder / "anchor").size == 6
    with live.open() as log:
        assert log.hold is None
        assert live.saw(log.checkpoint()).size == 7
        assert log.reading.entry(6) == b"entry 6"
        assert read_anchor(live.folder / "anchor").size == 7
        live.append(b"entry 7", log=log)
    (record,) = [each for each in caplog.records if "recovered" in each.message]
    assert record.levelname == "WARNING"


def test_a_crash_in_the_first_batch_is_one_ahead_of_nothing(new_log):
    live = new_log()
    crash_after_commit(live, b"first")
    with live.open() as log:
        assert live.saw(log.checkpoint()).size == 1


def test_the_same_checkpoint_is_signed_again(live):
    with live.open() as log:
        before = log.checkpoint()
    with live.open() as log:
        assert log.checkpoint() == before


def test_while_it_is_held_for_something_else_one_batch_ahead_is_not_shown(live):
    crash_after_commit(live, b"entry 6")
    (live.folder / "key").rename(live.folder / "away")
    with live.open() as log:
        assert log.hold.state == "key_missing"
        assert log.head.size == 6
        assert log.head.size == 6
        assert read_anchor(live.folder / "anchor").size == 6
    (live.folder / "away").rename(live.folder / "key")


# The anchor says something else


def test_two_batches_ahead_of_the_anchor_is_an_old_anchor(live):
    old = (live.folder / "anchor").read_bytes()
    live.append(b"entry 6")
    live.append(b"entry 7")
    (live.folder / "anchor").write_bytes(old)
    assert hold_of(live) == "anchor_behind"


def test_what_is_above_an_old_anchor_is_not_shown(live):
    anchored(live, batch=1, size=2)
    live.given_up = True
    with live.open() as log:
        assert log.hold
        assert log.head.size <= 2


def test_a_store_that_was_put_back_is_behind_its_anchor(live):
    data = live.folder / "store" / "data.mdb"
    old = data.read_bytes()
    live.append(b"entry 6")
    new = data.read_bytes()
    # The same file, as a snapshot of the disk leaves it.
    data.write_bytes(old)
    assert hold_of(live) == "rollback"
    data.write_bytes(new)
    assert live.append(b"entry 7").indexes == range(7, 8)


@pytest.mark.parametrize("members", [{"batch": 4}, {"size": 7}], ids=str)
def test_any_number_that_is_ahead_of_the_store_is_a_rollback(live, members):
    anchored(live, **members)
    assert hold_of(live) == "rollback"


@pytest.mark.parametrize("batch", [2, 3])
def test_another_root_is_a_fork(live, batch):
    anchored(live, batch=batch, root=bytes(32))
    assert hold_of(live) == "forked"


def test_the_same_batch_with_another_size_is_not_this_history(live):
    with live.open() as log:
        root = log.reading.root(5)
    anchored(live, size=5, root=root)
    with live.open() as log:
        assert log.hold is not None
        assert log.head.size <= 5


def test_the_anchor_of_another_log(live, new_log):
    other = new_log("other")
    (live.folder / "anchor").write_bytes((other.folder / "anchor").read_bytes())
    assert hold_of(live) == "wrong_log"


def linked(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        (lambda path: path.unlink(), "anchor_missing"),
        (lambda path: path.write_bytes(b""), "anchor_damaged"),
        (linked, "anchor_damaged"),
        (lambda path: (path.unlink(), path.mkdir()), "anchor_damaged"),
    ],
    ids=["gone", "empty", "link", "folder"],
)
def test_an_anchor_that_cannot_be_read(live, spoil, state):
    spoil(live.folder / "anchor")
    assert hold_of(live) == state


def test_somebody_else_who_writes_the_anchor_ends_the_process(live):
    with live.open() as log:
        held = log._anchor.held
        path = live.folder / "anchor"
        with path.open("r+b") as file:
            other = replace(held, batch=held.batch + 1, root=bytes(32))
            file.seek(other.batch % 2 * 4096)
            file.write(other.slot())
        with pytest.raises(Halted, match="somebody else"):
            log.append([b"entry"])
    assert hold_of(live) == "forked"


# The store


@pytest.mark.parametrize("bit", [0, 255, 6 * 256 - 1])
def test_a_damaged_edge_of_the_tree(live, bit):
    store = opened_store(live)
    flip_in_tile(store, (0, 0), bit)
    store.close()
    assert hold_of(live) == "damaged"
    store = opened_store(live)
    flip_in_tile(store, (0, 0), bit)
    store.close()


def test_an_edge_that_is_gone(live):
    store = opened_store(live)
    store.mend((0, 0), b"")
    store.close()
    live.given_up = True
    assert hold_of(live) == "damaged"


@pytest.mark.parametrize("bit", [0, 100])
def test_a_damaged_entry_among_the_newest(live, bit):
    with live.open() as log:
        data = b"".join(len(each).to_bytes(2) + each for each in numbered(6))
        log.store.mend((-1, 0), flipped(data, bit))
    live.given_up = True
    assert hold_of(live) == "damaged"


def large_log(live, *, one_ahead):
    """More entries than are looked at when a log is opened."""
    live.append(*numbered(100, 6))
    big = numbered(5_000, 106)
    if one_ahead:
        crash_after_commit(live, *big)
    else:
        live.append(*big)


@pytest.mark.parametrize("how", ["flipped", "cut"])
def test_an_old_tile_that_was_damaged_is_not_taken_for_a_fork(live, how):
    large_log(live, one_ahead=True)
    live.given_up = True
    store = opened_store(live)
    with store.snapshot() as snapshot:
        right = snapshot.tile(0, 0)
    store.mend((0, 0), right[:320] if how == "cut" else flipped(right, 8_191 * 8))
    store.close()
    try:
        assert hold_of(live) == "damaged"
    except WrongBytes:
        pytest.fail("the log cannot even be opened for reading")


@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        (lambda store: (store / "data.mdb").unlink(), "absent"),
        (shutil.rmtree, "absent"),
        (lambda store: os.truncate(store / "data.mdb", 9_000), "damaged"),
        (lambda store: (store / "data.mdb").write_bytes(b"x" * 9_000), "damaged"),
        (lambda store: (store.parent / "log.toml").write_text("x"), "config"),
    ],
    ids=["no file", "no folder", "cut", "nonsense", "settings"],
)
def test_what_cannot_be_read_is_not_opened_and_nothing_is_made(live, spoil, state):
    live.given_up = True
    spoil(live.folder / "store")
    names = sorted(path.name for path in live.folder.rglob("*"))
    assert unreadable(live) == state
    made = {path.name for path in live.folder.rglob("*")} - set(names)
    assert not made - {"lock.mdb"}


def test_opening_looks_at_no_more_in_a_larger_log(live, monkeypatch):
    large_log(live, one_ahead=False)
    asked = []
    with live.open() as log:
        view = type(log.store.snapshot().__enter__())
    entries = view.entries
    monkeypatch.setattr(
        view,
        "entries",
        lambda self, start, stop: (
            asked.append(stop - start) or entries(self, start, stop)
        ),
    )
    with live.open() as log:
        assert log.head.size == 5_106
        assert head_of(log.store).size == 5_106
    assert 4_096 <= sum(asked) < 4_096 + 256


def test_who_took_the_lock_file_away_has_not_taken_the_right_to_write(new_log):
    live = new_log()
    with live.open() as first:
        live.append(b"entry", log=first)
        (live.folder / "lock").unlink()
        script = (
            "import sys; from pathlib import Path; from ledger.log.log import Log\n"
            "with Log.open(Path(sys.argv[1])) as log:\n"
            "    print(log.hold.state, log._held.size, log.head.size)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(live.folder)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "locked 1 1\n"
        live.append(b"another", log=first)


def test_a_log_that_has_ended_is_not_put_back_to_before_its_end(new_log):
    live = new_log()
    live.append(b"entry")
    saved = (live.folder / "store" / "data.mdb").read_bytes()
    with live.open() as log:
        log.submit([], freeze=True).wait(LONG_S)
    (live.folder / "store" / "data.mdb").write_bytes(saved)
    assert hold_of(live) == "rollback"
