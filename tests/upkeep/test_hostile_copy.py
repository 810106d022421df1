"""A copy is believed for what was promised, and for nothing beyond it.

Whoever keeps a backup can append to it, or change what it says of itself; the log's
key would sign that next. And naming any copy is no word on what was promised last.
"""

import shutil
from dataclasses import replace
from functools import partial

import pytest

from ledger.log.anchor import read_anchor, write_anchor
from ledger.log.home import Home
from ledger.store import layout as at
from ledger.store.environment import DATA
from ledger.tree import Frontier
from ledger.upkeep import rebuild
from ledger.upkeep.birth import new_charter
from ledger.upkeep.copies import backup, verify_store
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests.livelog import ORIGIN
from tests.upkeep.mending import SIZE, checkpoint, mend, refusal, state_of
from tests.upkeep.spoil import (
    entries,
    overwrite,
    public,
    put,
    records,
    rows,
    statements,
)


def grow(copy, *forged):
    """Append to a copy, as somebody does who has it, and no key."""
    put(copy, at.LOG, at.ROLE_KEY, b"writer")
    store = rebuild.open_writer(copy / "store")
    with store.snapshot() as snapshot:
        head = snapshot.head()
        frontier = Frontier.load(head.size, snapshot.tile)
    batch = rebuild._batch(store, head, frontier, list(forged))
    store.append(batch, partial(rebuild._check, batch))
    store.close()


def rename(copy, **changes):
    """Change what a copy says of the log."""
    [value] = [value for key, value in rows(copy, at.LOG) if key == at.CHARTER_KEY]
    charter = replace(at.parse_charter(value), **changes)
    put(copy, at.LOG, at.CHARTER_KEY, at.charter_value(charter))
    return charter


# Entries that nobody promised


@pytest.mark.parametrize("there", [True, False], ids=["in place", "lost"])
def test_entries_behind_what_was_promised_are_not_taken(log, copy, there):
    grow(copy, b"forged")
    if not there:
        shutil.rmtree(log.folder / "store")
    assert mend(log, copies=[str(copy)]).head.size == SIZE


def test_what_was_promised_is_taken_from_a_copy_that_has_more(log, tmp_path):
    log.append(b"newest")
    backup(log.folder, tmp_path / "copy")
    grow(tmp_path / "copy", b"forged")
    shutil.rmtree(log.folder / "store")
    copies = [str(tmp_path / "copy")]
    assert mend(log, copies=copies).head.size == SIZE + 1


@pytest.mark.parametrize("kind", ["statement", "dedupe"])
def test_who_handed_in_what_was_promised_is_taken_from_it_too(new_log, tmp_path, kind):
    made = statements if kind == "statement" else entries
    log = new_log(kind="statement") if made is statements else new_log(dedupe=True)
    log.append(*made(SIZE))
    backup(log.folder, tmp_path / "copy")
    grow(tmp_path / "copy", b"forged")
    shutil.rmtree(log.folder / "store")
    done = restore(log.folder, Evidence(copies=[str(tmp_path / "copy")]))
    assert (done.head.size, done.unidentified) == (SIZE, 0)
    with log.open() as opened:
        assert opened.append(made(SIZE)).repeated == frozenset(range(SIZE))


def test_a_batch_that_a_crash_left_without_its_anchor_is_kept(log, copy):
    with log.open() as opened:
        held = (log.folder / "anchor").read_bytes()
        log.append(b"newest", log=opened)
    overwrite(log.folder / "anchor", held)
    assert mend(log, copies=[str(copy)]).head.size == SIZE + 1


def test_two_batches_beyond_the_anchor_are_an_old_anchor_whatever_copy_is_named(
    log, copy
):
    held = (log.folder / "anchor").read_bytes()
    log.append(b"one")
    log.append(b"two")
    newest = checkpoint(log)
    overwrite(log.folder / "anchor", held)
    assert refusal(log, copies=[str(copy)]) == "anchor_behind"
    mend(log, copies=[str(copy)], checkpoints=[newest])


def test_an_anchor_of_before_a_rebuild_is_old_though_its_batch_is_not(log, tmp_path):
    """A store that was built again counts its batches anew; its entries it does not."""
    for number in range(5):
        log.append(b"%d" % number)
    held = (log.folder / "anchor").read_bytes()
    log.append(b"newest")
    public(log, tmp_path / "public")
    shutil.rmtree(log.folder / "store")
    copies = [str(tmp_path / "public")]
    restore(log.folder, Evidence(copies=copies, kind="opaque", dedupe=False))
    newest = checkpoint(log)
    overwrite(log.folder / "anchor", held)
    assert refusal(log, moved=True) == "anchor_behind"
    mend(log, checkpoints=[newest], moved=True)


# What it says of the log


def test_a_copy_of_another_log_is_refused_by_its_name(log, new_log, tmp_path):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    other.append(*entries(7))
    backup(other.folder, tmp_path / "copy")
    assert refusal(log, copies=[str(tmp_path / "copy")]) == "wrong_log"


def test_a_copy_under_another_name_is_refused(log, copy):
    rename(copy, origin="log.example/other")
    assert refusal(log, copies=[str(copy)]) == "wrong_log"


def test_another_logs_store_in_place_does_not_stand_in_the_way(log, new_log, copy):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    other.append(*entries(SIZE + 7))
    old = (other.folder / "store" / DATA).read_bytes()
    overwrite(log.folder / "store" / DATA, old)
    assert mend(log, copies=[str(copy)]).head.size == SIZE


@pytest.mark.parametrize("there", [True, False], ids=["in place", "lost"])
def test_a_record_log_stays_one_whatever_a_copy_says(new_log, tmp_path, there):
    log = new_log(kind="record")
    log.append(*records(3))
    backup(log.folder, tmp_path / "copy")
    rename(tmp_path / "copy", kind="opaque")
    if not there:
        shutil.rmtree(log.folder / "store")
        log.given_up = True
    assert refusal(log, copies=[str(tmp_path / "copy")]) == "copy"


def test_a_copy_does_not_change_who_the_operator_is(new_log, tmp_path):
    log = new_log(kind="record")
    log.append(*records(3))
    old = (log.folder / "store" / DATA).read_bytes()
    log.append(*records(3, 3))
    backup(log.folder, tmp_path / "copy")
    rename(tmp_path / "copy", operator=f"o-{'f' * 20}")
    overwrite(log.folder / "store" / DATA, old)
    restore(log.folder, Evidence(copies=[str(tmp_path / "copy")]))
    store = Home.at(log.folder).open_store(readonly=True)
    store.close()
    assert store.charter == log.charter


# A log that has ended


def ended(log):
    """End a log whose entries do not say so."""
    with log.open() as opened:
        opened.submit([], freeze=True).wait()


@pytest.mark.parametrize("there", [True, False], ids=["older store", "lost"])
def test_a_log_that_has_ended_does_not_go_on_from_a_copy(log, copy, there):
    old = (log.folder / "store" / DATA).read_bytes()
    ended(log)
    if there:
        overwrite(log.folder / "store" / DATA, old)
        assert refusal(log) == "rollback"
    else:
        shutil.rmtree(log.folder / "store")
    assert restore(log.folder, Evidence(copies=[str(copy)])).head.frozen
    assert state_of(log.folder) == "frozen"
    assert verify_store(log.folder / "store").frozen


def test_a_store_from_before_the_last_batch_is_old_though_it_has_every_entry(log):
    """As an anchor has it that was written before anchors said that a log has ended."""
    old = (log.folder / "store" / DATA).read_bytes()
    ended(log)
    overwrite(log.folder / "store" / DATA, old)
    anchor = log.folder / "anchor"
    held = replace(read_anchor(anchor), frozen=False)
    anchor.unlink()
    write_anchor(anchor, held)
    log.given_up = True
    assert refusal(log) == "rollback"
