"""The rows that say where an identity stands follow from the entries: held to them.

A row that is wrong is found by its entry, and a wrong or missing one leads at most
to an entry that is logged twice: never to another entry, never to another answer.
"""

import pytest

from ledger.store import layout as at
from ledger.upkeep.copies import backup, open_copy
from ledger.upkeep.fsck import fsck, repair
from tests.livelog import FIRST
from tests.statements import added
from tests.upkeep.spoil import (
    another_process,
    checks,
    drop,
    entries,
    flip,
    is_sound,
    put,
    records,
    rows,
    statements,
)

SIZE = 300
MADE = {
    "record": (records, {"kind": "record"}),
    "statement": (statements, {"kind": "statement"}),
    "dedupe": (entries, {"kind": "opaque", "dedupe": True}),
}
BY_DIGEST = ["statement", "dedupe"]


@pytest.fixture
def log_of(new_log):
    def make(kind):
        make_entries, options = MADE[kind]
        log = new_log(**options)
        log.append(*make_entries(SIZE))
        return log

    return make


def row_of(log, index):
    """The row of the entry at `index`."""
    [row] = [
        key
        for key, value in rows(log.folder, at.IDENTITIES)
        if value == at.index_key(index)
    ]
    return row


def first(kind):
    """Where the first of the entries stands that were handed in."""
    return FIRST if kind == "record" else 0


def mend(log, *copies):
    return dict(repair(log.folder, fsck(log.folder), copies))


@pytest.mark.parametrize("kind", MADE)
def test_every_entry_that_was_handed_in_has_its_row(log_of, kind):
    log = log_of(kind)
    assert is_sound(log.folder)
    # And the schema of a record log, which nobody has handed in, has its own.
    assert len(rows(log.folder, at.IDENTITIES)) == SIZE + (kind == "record")


def test_a_log_that_keeps_repeats_has_no_rows(new_log):
    log = new_log()
    log.append(*entries(SIZE))
    assert rows(log.folder, at.IDENTITIES) == []
    assert is_sound(log.folder)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("index", [5, 290])
def test_a_row_that_leads_elsewhere_is_found(log_of, kind, index):
    log = log_of(kind)
    log.given_up = True
    flip(log.folder, at.IDENTITIES, row_of(log, index), 7)
    checkup = fsck(log.folder)
    assert not checkup.sound
    # Two rows are about the entry to which it leads now; one of them is wrong.
    assert f"row {index ^ 1}" in checks(checkup)


@pytest.mark.exhaustive
@pytest.mark.parametrize("byte", range(8))
def test_a_row_that_leads_behind_the_end_is_found(log_of, byte):
    log = log_of("record")
    log.given_up = True
    row = row_of(log, 5)
    put(log.folder, at.IDENTITIES, row, bytes(byte) + b"\xff" + bytes(7 - byte))
    assert row.hex() in {each.identity for each in fsck(log.folder).rows}


@pytest.mark.parametrize("kind", MADE)
def test_a_row_of_what_was_never_logged_is_found(log_of, kind):
    log = log_of(kind)
    log.given_up = True
    row = row_of(log, 5)
    put(log.folder, at.IDENTITIES, row[:-1] + bytes([row[-1] ^ 1]), at.index_key(5))
    assert "row 5" in checks(fsck(log.folder))


def test_a_row_that_is_gone_is_found_where_the_entry_says_who_made_it(log_of):
    log = log_of("record")
    log.given_up = True
    drop(log.folder, at.IDENTITIES, row_of(log, 5))
    [row] = fsck(log.folder).rows
    assert (row.index, row.says) == (5, "the row of this entry is missing")


def test_the_rows_of_the_logs_own_entries_take_the_place_of_none_that_is_gone(log_of):
    log = log_of("record")
    log.given_up = True
    with log.open() as opened:
        opened.register(added())
    assert len(rows(log.folder, at.IDENTITIES)) == SIZE + 2  # schema and producer
    drop(log.folder, at.IDENTITIES, row_of(log, FIRST))
    assert [row.index for row in fsck(log.folder).rows] == [FIRST]


def test_the_row_of_the_schema_is_found_gone_and_written_again(log_of):
    log = log_of("record")
    before = rows(log.folder, at.IDENTITIES)
    drop(log.folder, at.IDENTITIES, row_of(log, 1))
    assert [row.index for row in fsck(log.folder).rows] == [1]
    assert mend(log) == {"the rows of identities": True}
    assert rows(log.folder, at.IDENTITIES) == before


@pytest.mark.parametrize("kind", BY_DIGEST)
def test_rows_that_are_gone_are_counted_where_it_does_not(log_of, kind):
    log = log_of(kind)
    drop(log.folder, at.IDENTITIES, row_of(log, 5))
    checkup = fsck(log.folder)
    [row] = checkup.rows
    assert row.says == f"{SIZE - 1} rows are right, where there have to be {SIZE}"
    # Nothing brings it back, and it costs one more entry at most.
    assert checkup.sound


@pytest.mark.parametrize("kind", MADE)
def test_a_missing_row_costs_one_more_entry_and_changes_no_old_one(log_of, kind):
    log = log_of(kind)
    drop(log.folder, at.IDENTITIES, row_of(log, 5))
    again = MADE[kind][0](SIZE)[5 - first(kind)]
    with log.open() as opened:
        answer = opened.append([again])
    assert answer.head.size == SIZE + 1 + first(kind)
    assert not answer.repeated


@pytest.mark.parametrize("kind", MADE)
def test_a_wrong_row_gives_nobody_another_entry(log_of, kind):
    log = log_of(kind)
    row = row_of(log, 6)
    put(log.folder, at.IDENTITIES, row, at.index_key(7))
    again = MADE[kind][0](SIZE)[6 - first(kind)]
    with log.open() as opened:
        answer = opened.append([again])
    assert list(answer.indexes) != [7]
    mend(log)


@pytest.mark.parametrize("kind", MADE)
def test_entries_that_cannot_be_read_are_not_the_rows_fault(log_of, kind):
    log = log_of(kind)
    log.given_up = True
    drop(log.folder, at.ENTRIES, at.index_key(0))
    drop(log.folder, at.TAIL, at.index_key(299))
    checkup = fsck(log.folder)
    assert not checkup.sound
    assert not [each for each in checkup.rows if each.identity]


# Mending


def test_the_rows_of_a_record_log_are_written_from_its_entries(log_of):
    log = log_of("record")
    before = rows(log.folder, at.IDENTITIES)
    for number, (key, _) in enumerate(before):
        if number % 3 == 0:
            drop(log.folder, at.IDENTITIES, key)
        elif number % 3 == 1:
            flip(log.folder, at.IDENTITIES, key, 7)
    assert mend(log) == {"the rows of identities": True}
    assert rows(log.folder, at.IDENTITIES) == before
    assert is_sound(log.folder)


@pytest.mark.parametrize("kind", BY_DIGEST)
def test_other_rows_come_back_from_a_backup(log_of, tmp_path, kind):
    log = log_of(kind)
    before = rows(log.folder, at.IDENTITIES)
    backup(log.folder, tmp_path / "backup")
    drop(log.folder, at.IDENTITIES, row_of(log, 5))
    flip(log.folder, at.IDENTITIES, row_of(log, 10), 7)
    with open_copy(str(tmp_path / "backup")) as copy:
        assert mend(log, copy) == {"the rows of identities": True}
    assert rows(log.folder, at.IDENTITIES) == before
    with log.open() as opened:
        assert opened.append(MADE[kind][0](SIZE)).repeated == frozenset(range(SIZE))


@pytest.mark.parametrize("kind", BY_DIGEST)
def test_without_one_the_wrong_ones_go(log_of, kind):
    log = log_of(kind)
    flip(log.folder, at.IDENTITIES, row_of(log, 10), 7)
    assert mend(log) == {"the rows of identities": False}
    checkup = fsck(log.folder)
    assert checkup.sound
    assert len(rows(log.folder, at.IDENTITIES)) == SIZE - 1


def test_rows_of_another_logs_backup_are_not_taken(log_of, new_log, tmp_path):
    log = log_of("statement")
    other = new_log("other", kind="statement")
    other.append(*statements(SIZE, 1))
    backup(other.folder, tmp_path / "backup")
    flip(log.folder, at.IDENTITIES, row_of(log, 10), 7)
    with open_copy(str(tmp_path / "backup")) as copy:
        mend(log, copy)
    assert len(rows(log.folder, at.IDENTITIES)) == SIZE - 1


def test_rows_wait_for_the_entries_that_they_follow_from(log_of):
    log = log_of("record")
    log.given_up = True
    before = rows(log.folder, at.IDENTITIES)
    flip(log.folder, at.ENTRIES, at.index_key(0), 400)
    flip(log.folder, at.IDENTITIES, row_of(log, 290), 7)
    assert "identities" not in mend(log)
    assert len(rows(log.folder, at.IDENTITIES)) == len(before)


@pytest.mark.exhaustive
def test_rows_of_a_log_that_grows_are_right(new_log):
    log = new_log(dedupe=True)
    log.given_up = True  # what the other process logged is not remembered here
    with another_process(log.folder):
        for _ in range(3):
            assert fsck(log.folder).rows == []
    log.check()
