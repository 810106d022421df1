"""A table keeps rows durably, and a chain over all commits that made them.

Two tables with one chain have the same history: so an older file can be told from a
newer one, and one history from another.
"""

import subprocess
import sys

import lmdb
import pytest

from ledger.errors import Halted, Held
from ledger.store import Head
from ledger.store.lmdb import LmdbStore
from ledger.store.table import Table, _chained, create_table

GENESIS = bytes(range(16))


@pytest.fixture
def folder(tmp_path):
    create_table(tmp_path / "table", GENESIS)
    return tmp_path / "table"


def test_a_new_one_is_empty_and_knows_its_genesis(folder):
    with Table(folder) as table:
        assert (table.head, table.genesis) == (Head(), GENESIS)
        assert table.get(b"key") is None


def test_what_was_committed_is_there_when_it_is_opened_again(folder):
    with Table(folder) as table:
        table.commit({b"a": b"1", b"b": b"2"})
        last = table.commit({b"a": b"3"})
        assert (last.batch, last.size) == (2, 3)
    with Table(folder) as table:
        assert table.head == last
        assert [table.get(key) for key in (b"a", b"b")] == [b"3", b"2"]


CHANGED = {
    "another value": [{b"a": b"1"}, {b"b": b"3"}],
    "another key": [{b"a": b"1"}, {b"c": b"2"}],
    "another order": [{b"b": b"2"}, {b"a": b"1"}],
    "one commit": [{b"a": b"1", b"b": b"2"}],
    "the border moved": [{b"a": b"1"}, {b"b2": b""}],
    "nothing after it": [{b"a": b"1"}],
}


@pytest.mark.parametrize("name", CHANGED)
def test_another_history_has_another_chain(name):
    def chain(commits):
        root = Head().root
        for rows in commits:
            root = _chained(root, rows)
        return root

    assert chain([{b"a": b"1"}, {b"b": b"2"}]) != chain(CHANGED[name])


def test_the_chain_is_the_same_in_whatever_order_the_rows_of_a_commit_are_given():
    rows = {b"a": b"1", b"b": b"2"}
    turned = dict(reversed(rows.items()))
    assert _chained(bytes(32), rows) == _chained(bytes(32), turned)


def test_a_row_that_is_not_taken_changes_nothing(folder):
    with Table(folder) as table:
        table.commit({b"a": b"1"})
        with pytest.raises(Halted):
            table.commit({b"a": b"2", b"k" * 600: b"too long for a key"})
        assert (table.get(b"a"), table.head.batch) == (b"1", 1)
    with Table(folder) as table:
        assert (table.get(b"a"), table.head.batch) == (b"1", 1)


KILLED = """
import os, signal, sys
from pathlib import Path
from ledger.store.table import Table
with Table(Path(sys.argv[1])) as table:
    table.commit({b"a": b"1"})
    os.write(1, b"committed")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_committed_outlives_the_process(folder):
    words = [sys.executable, "-c", KILLED, str(folder)]
    ended = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    assert ended.stdout == b"committed"
    with Table(folder) as table:
        assert table.get(b"a") == b"1"


def test_what_is_no_table_is_not_opened(folder, tmp_path):
    spoil(folder, b"format", b"provlog/other/1")
    with pytest.raises(Held) as held:
        Table(folder)
    assert held.value.state == "format"


def test_one_that_does_not_say_how_far_it_has_come_is_damaged(folder):
    spoil(folder, b"head", b"short")
    with pytest.raises(Held) as held:
        Table(folder)
    assert held.value.state == "damaged"


def test_a_log_does_not_open_it(folder):
    with pytest.raises(Held):
        LmdbStore(folder, readonly=True)


def test_none_is_made_where_there_is_none(tmp_path):
    with pytest.raises(Held) as held:
        Table(tmp_path / "missing")
    assert held.value.state == "absent"
    assert not (tmp_path / "missing").exists()


def test_none_is_made_where_there_is_one(folder):
    with pytest.raises((Held, OSError)):
        create_table(folder, GENESIS)
    with Table(folder) as table:
        assert table.genesis == GENESIS


def spoil(folder, key, value):
    """Write one row of the table's own, past everything."""
    with lmdb.open(str(folder), max_dbs=4, map_size=1 << 24) as env:
        state = env.open_db(b"state", create=False)
        with env.begin(write=True) as txn:
            txn.put(key, value, db=state)
