"""A store is put in place only if it has all that was promised, wherever it is from.

It is built from whatever copies there are, each for what it has; after that the log
writes again, and every earlier answer still holds.
"""

import os
import shutil

import pytest

from ledger.store import layout as at
from ledger.upkeep import restore as restoring
from ledger.upkeep.birth import new_charter
from ledger.upkeep.copies import backup
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests.livelog import ORIGIN
from tests.upkeep.mending import (
    MADE,
    NEW,
    SIZE,
    mend,
    refusal,
    state_of,
)
from tests.upkeep.spoil import (
    another_process,
    entries,
    flip,
    flip_file,
    is_sound,
    overwrite,
    public,
)

# A log that is in order


def test_a_log_that_is_in_order_stays_so(log):
    done = mend(log)
    assert (done.built, done.aside, done.unidentified) == (False, None, 0)
    [promise] = done.promises
    assert (promise.who, promise.tree.size) == ("the anchor", SIZE)


def test_a_log_that_is_written_to_is_left_alone(log):
    log.given_up = True  # what the other process logged is not remembered here
    with another_process(log.folder):
        assert refusal(log) == "locked"
    log.check()


# Built from copies


@pytest.mark.parametrize("kind", MADE)
def test_a_lost_store_is_built_from_a_backup_and_what_came_after(
    new_log, tmp_path, kind
):
    log = new_log(kind=kind)
    log.append(*MADE[kind](SIZE))
    backup(log.folder, tmp_path / "backup")
    log.append(*MADE[kind](40, SIZE))
    public(log, tmp_path / "public")
    size = log.check().size
    shutil.rmtree(log.folder / "store")
    copies = [str(tmp_path / "backup"), str(tmp_path / "public")]
    done = restore(log.folder, Evidence(copies=copies))
    assert done.head.size == size
    assert done.aside is None
    assert done.unidentified == (40 if kind == "statement" else 0)
    assert is_sound(log.folder)
    log.append(*MADE[kind](3, SIZE + 40))


@pytest.mark.exhaustive
def test_a_store_is_built_from_shorter_copies_together(new_log, tmp_path):
    log = new_log()
    for number, size in enumerate((100, 280, 5_000, 300)):
        log.append(*entries(size, 10_000 * number))
        public(log, tmp_path / str(number))
    shutil.rmtree(log.folder / "store")
    # The longest has lost what the others have.
    (tmp_path / "3/tile/entries/000").unlink()
    (tmp_path / "3/tile/entries/001").unlink()
    copies = [str(tmp_path / str(number)) for number in (3, 0, 1, 2)]
    done = mend(log, copies=copies, kind="opaque", dedupe=False)
    assert done.head.size == 5_680


def test_a_damaged_copy_is_passed_over_where_another_is_whole(log, tmp_path):
    public(log, tmp_path / "damaged")
    shutil.copytree(tmp_path / "damaged", tmp_path / "whole")
    flip_file(tmp_path / "damaged/tile/entries/001.p/44", 5)
    shutil.rmtree(log.folder / "store")
    copies = [str(tmp_path / "damaged"), str(tmp_path / "whole")]
    assert refusal(log, copies=copies[:1], kind="opaque", dedupe=False) == "rollback"
    mend(log, copies=copies, kind="opaque", dedupe=False)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000"])
def test_a_copy_with_half_a_tile_is_passed_over_too(log, tmp_path, path):
    public(log, tmp_path / "damaged")
    shutil.copytree(tmp_path / "damaged", tmp_path / "whole")
    overwrite(tmp_path / "damaged" / path, b"half")
    shutil.rmtree(log.folder / "store")
    copies = [str(tmp_path / "damaged"), str(tmp_path / "whole")]
    assert refusal(log, copies=copies[:1], kind="opaque", dedupe=False) == "rollback"
    mend(log, copies=copies, kind="opaque", dedupe=False)


def test_a_copy_that_was_rewritten_as_a_whole_is_refused(log, new_log, tmp_path):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    other.append(*entries(SIZE, 1))
    public(other, tmp_path / "public")
    shutil.rmtree(log.folder / "store")
    log.given_up = True
    copies = [str(tmp_path / "public")]
    assert refusal(log, copies=copies, kind="opaque", dedupe=False) == "copy"


def test_the_store_that_is_there_is_a_copy_as_good_as_any(log, tmp_path):
    public(log, tmp_path / "public")
    log.append(*NEW)
    done = mend(log, copies=[str(tmp_path / "public"), str(tmp_path / "public")])
    assert done.built
    assert done.head.size == SIZE + len(NEW)


def test_a_damaged_store_is_no_beginning(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    log.append(*NEW)
    public(log, tmp_path / "public")
    flip(log.folder, at.ENTRIES, at.index_key(0), 5)
    flip(log.folder, at.TILES, at.tile_key((0, 1)), 5)
    assert state_of(log.folder) == "damaged"
    mend(log, copies=[str(tmp_path / "backup"), str(tmp_path / "public")])


def test_a_head_that_was_changed_is_mended_by_a_backup(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    flip(log.folder, at.LOG, at.HEAD_KEY, 20)
    mend(log, copies=[str(tmp_path / "backup")])


# A crash


@pytest.mark.parametrize("name", ["verify_store", "sync_path", "write_anchor"])
def test_a_crash_at_any_step_is_mended_by_the_same_command(
    log, tmp_path, monkeypatch, name
):
    backup(log.folder, tmp_path / "backup")
    copies = [str(tmp_path / "backup")]

    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restoring, name, crash)
        with pytest.raises(KeyboardInterrupt):
            restore(log.folder, Evidence(copies=copies))
    mend(log, copies=copies)


def test_a_crash_between_the_old_store_and_the_new_one_is_mended_too(
    log, tmp_path, monkeypatch
):
    backup(log.folder, tmp_path / "backup")
    copies = [str(tmp_path / "backup")]
    rename = os.rename

    def crash(source, dest):
        if str(dest).endswith("/store"):
            raise KeyboardInterrupt
        rename(source, dest)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            restore(log.folder, Evidence(copies=copies))
    assert not (log.folder / "store").exists()
    mend(log, copies=copies)


def test_what_was_exported_before_is_gone_on_with(log, tmp_path):
    """After a restore, an export that exists is a beginning of what is exported."""
    public(log, tmp_path / "public")
    mend(log, copies=[str(tmp_path / "public")])
    assert public(log, tmp_path / "public").before == SIZE
