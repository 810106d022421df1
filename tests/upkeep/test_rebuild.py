"""A log that is lost but for its key and what was exported is made again, as it was."""

import shutil

import pytest

from ledger.log.own import freeze
from ledger.store import layout as at
from ledger.upkeep import rebuild
from ledger.upkeep.continuing import begin_again
from ledger.upkeep.copies import backup
from ledger.upkeep.fsck import fsck, repair
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests.livelog import FIRST
from tests.upkeep.mending import (
    MADE,
    SIZE,
    lost,
    refusal,
    state_of,
)
from tests.upkeep.spoil import (
    drop,
    entries,
    flip,
    is_sound,
    public,
    records,
    rows,
)
from verifier.tile import WIDTH

# Only an export is left


def test_a_record_log_says_itself_what_it_is(new_log, tmp_path):
    log = new_log(kind="record")
    log.append(*records(SIZE))
    with log.open() as opened:
        before = opened.head
    rows_before = rows(log.folder, at.IDENTITIES)
    done = restore(log.folder, Evidence(**lost(log, tmp_path)))
    assert (done.head.size, done.head.root, done.head.at) == (
        before.size,
        before.root,
        before.at,
    )
    assert rows(log.folder, at.IDENTITIES) == rows_before
    assert is_sound(log.folder)
    log.append(*records(3, SIZE))


@pytest.mark.parametrize(("kind", "lost_rows"), [("opaque", 0), ("statement", SIZE)])
def test_another_log_takes_a_word_on_what_it_was(new_log, tmp_path, kind, lost_rows):
    log = new_log(kind=kind)
    log.append(*MADE[kind](SIZE))
    evidence = lost(log, tmp_path)
    assert refusal(log, **evidence) == "entries"
    done = restore(log.folder, Evidence(**evidence, kind=kind, dedupe=False))
    assert done.unidentified == lost_rows
    checkup = fsck(log.folder)
    assert checkup.sound
    assert len(checkup.rows) == (kind == "statement")
    log.append(*MADE[kind](3, SIZE))


def test_a_wrong_word_is_refused_where_the_log_says_otherwise(new_log, tmp_path):
    log = new_log(kind="record")
    log.given_up = True
    evidence = lost(log, tmp_path)
    assert refusal(log, **evidence, kind="opaque") == "entries"
    assert refusal(log, **evidence, kind="record", dedupe=True) == "dedupe"


def test_a_log_that_continues_another_begins_with_that_ones_word(new_log, tmp_path):
    source = new_log("source", kind="record")
    source.append(*records(SIZE))
    log = new_log()
    log.given_up = True  # another log takes its place
    shutil.rmtree(log.folder)
    size = begin_again(log.folder, "log.example/new", source.folder).size
    evidence = lost(log, tmp_path)
    assert refusal(log, **evidence) == "entries"
    assert restore(log.folder, Evidence(**evidence, kind="record")).head.size == size
    assert is_sound(log.folder)


def test_a_log_that_keeps_no_repeats_keeps_none_again(new_log, tmp_path):
    log = new_log(dedupe=True)
    log.append(*entries(SIZE))
    done = restore(
        log.folder, Evidence(**lost(log, tmp_path), kind="opaque", dedupe=True)
    )
    assert done.unidentified == SIZE
    log.append(b"once")
    with log.open() as opened:
        assert opened.append([b"once"]).repeated == {0}


def test_entries_that_are_no_records_make_no_record_log(log, tmp_path):
    log.given_up = True
    assert refusal(log, **lost(log, tmp_path), kind="record") == "copy"


@pytest.mark.parametrize("where", ["backup", "nothing"])
def test_a_record_log_that_has_ended_does_not_go_on(new_log, tmp_path, where):
    log = new_log(kind="record")
    log.append(*records(3))
    backup(log.folder, tmp_path / "backup")
    with log.open() as opened:
        opened.submit([freeze("the end")], freeze=True).wait()
    evidence = lost(log, tmp_path)
    if where == "backup":
        evidence["copies"].append(str(tmp_path / "backup"))
    assert restore(log.folder, Evidence(**evidence)).head.frozen
    assert state_of(log.folder) == "frozen"


def test_a_log_that_may_keep_repeats_takes_a_word_on_whether_it_does(log, tmp_path):
    evidence = lost(log, tmp_path)
    log.given_up = True
    assert refusal(log, **evidence, kind="opaque") == "dedupe"


def test_a_damaged_store_still_says_what_kind_of_log_it_was(new_log, tmp_path):
    log = new_log(dedupe=True)
    log.append(*entries(SIZE))
    public(log, tmp_path / "public")
    flip(log.folder, at.ENTRIES, at.index_key(0), 5)
    restore(log.folder, Evidence(copies=[str(tmp_path / "public")]))
    log.append(b"once")
    with log.open() as opened:
        assert opened.append([b"once"]).repeated == {0}
        assert opened.charter == log.charter


# A record that stands there twice, for its row was lost when it came again


@pytest.fixture
def twice(new_log):
    log = new_log(kind="record")
    log.append(*records(3))
    for key, value in rows(log.folder, at.IDENTITIES):
        if value == at.index_key(FIRST):
            drop(log.folder, at.IDENTITIES, key)
    with log.open() as opened:
        opened.append(records(300, 3))
        indexes = opened.append(records(2)).indexes
    assert len(set(indexes)) == 2
    assert log.check().size == FIRST + 3 + 300 + 1
    return log


def known(log):
    with log.open() as opened:
        return list(opened.append(records(3), by=log.charter.operator).indexes)


@pytest.mark.parametrize("at_once", [16 * WIDTH, WIDTH])
def test_it_is_made_again_and_known_by_its_first_index(
    twice, tmp_path, monkeypatch, at_once
):
    monkeypatch.setattr(rebuild, "BATCH_ENTRIES", at_once)
    restore(twice.folder, Evidence(**lost(twice, tmp_path)))
    assert is_sound(twice.folder)
    assert known(twice) == [FIRST, FIRST + 1, FIRST + 2]


def test_rows_that_are_written_again_know_it_by_its_first_index_too(twice):
    flip(twice.folder, at.IDENTITIES, rows(twice.folder, at.IDENTITIES)[5][0], 7)
    assert all(dict(repair(twice.folder, fsck(twice.folder), [])).values())
    assert known(twice) == [FIRST, FIRST + 1, FIRST + 2]
