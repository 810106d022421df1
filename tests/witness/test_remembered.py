"""What is remembered for others is durable in two places before anybody is told so.

A memory that is not what it was is not used: there is no older state that would be
safe. Only what a crash leaves between the two places is taken on.
"""

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.errors import Halted, Held, Unavailable
from ledger.log.anchor import read_anchor
from ledger.log.states import MENDS
from ledger.store.table import Table
from ledger.witness.remembered import Remembered

KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.fixture
def folder(tmp_path):
    Remembered.create(tmp_path / "memory")
    return tmp_path / "memory"


@pytest.fixture
def memory(folder):
    with Remembered.open(folder) as memory:
        yield memory


def test_what_was_swapped_is_remembered(folder):
    with Remembered.open(folder) as memory:
        assert memory.get(KEY) is None
        assert memory.swap(KEY, None, b"1")
        assert memory.swap(KEY, b"1", b"2")
    with Remembered.open(folder) as memory:
        assert memory.get(KEY) == b"2"


@pytest.mark.parametrize("before", [None, b"2", b""])
def test_who_does_not_know_what_is_remembered_changes_nothing(memory, before):
    assert memory.swap(KEY, None, b"1")
    assert not memory.swap(KEY, before, b"3")
    assert memory.get(KEY) == b"1"


def test_it_is_true_only_when_table_and_anchor_have_it_in_this_order(
    memory, monkeypatch
):
    told = []

    def watched(owner, name):
        real = getattr(owner, name)

        def wrapper(*arguments):
            told.append(name)
            return real(*arguments)

        monkeypatch.setattr(owner, name, wrapper)

    watched(memory._table, "commit")
    watched(memory._anchor, "advance")
    assert memory.swap(KEY, None, b"1")
    assert told == ["commit", "advance"]
    assert memory._anchor.held.root == memory._table.head.root


def test_of_many_at_once_one_wins_and_they_share_a_commit(memory):
    entered, go_on = threading.Event(), threading.Event()
    commit, commits = memory._table.commit, []

    def slow(rows):
        commits.append(dict(rows))
        entered.set()
        assert go_on.wait(20)
        return commit(rows)

    memory._table.commit = slow
    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(memory.swap, OTHER, None, b"0")
        assert entered.wait(20)
        racing = [threads.submit(memory.swap, KEY, None, b"%d" % n) for n in range(9)]
        others = [threads.submit(memory.swap, b"%032d" % n, None, b"x") for n in (1, 2)]
        while memory._waiting.qsize() < 11:
            os.sched_yield()
        go_on.set()
        won = [each.result() for each in racing]
        assert all(each.result() for each in (first, *others))
    assert won.count(True) == 1
    assert len(commits) == 2
    assert memory.get(KEY) == b"%d" % won.index(True)


def test_a_chain_of_swaps_can_be_in_one_commit(memory):
    swaps = [(None, b"1"), (b"1", b"2"), (b"1", b"3"), (b"2", b"4")]
    entered, go_on = threading.Event(), threading.Event()
    commit = memory._table.commit

    def slow(rows):
        entered.set()
        assert go_on.wait(20)
        return commit(rows)

    memory._table.commit = slow
    with ThreadPoolExecutor(8) as threads:
        threads.submit(memory.swap, OTHER, None, b"0")
        assert entered.wait(20)
        asked = []
        for number, (before, after) in enumerate(swaps, 1):
            asked.append(threads.submit(memory.swap, KEY, before, after))
            while memory._waiting.qsize() < number:
                os.sched_yield()
        go_on.set()
        assert [each.result() for each in asked] == [True, True, False, True]
    assert memory.get(KEY) == b"4"


@pytest.mark.parametrize("part", ["_table.commit", "_anchor.advance"])
def test_after_a_fault_nothing_more_is_remembered(folder, part):
    owner, name = part.split(".")

    def fails(*_):
        raise Halted("a fault of the disk")

    with Remembered.open(folder) as memory:
        assert memory.swap(KEY, None, b"1")
        setattr(getattr(memory, owner), name, fails)
        with pytest.raises(Halted):
            memory.swap(KEY, b"1", b"2")
        delattr(getattr(memory, owner), name)
        # Nobody knows what is on the disk, though the next one could be written.
        with pytest.raises(Unavailable):
            memory.swap(OTHER, None, b"1")
        with pytest.raises(Unavailable):
            memory.get(KEY)
    with Remembered.open(folder) as memory:
        assert memory.get(KEY) == (b"1" if owner == "_table" else b"2")
        assert memory.swap(OTHER, None, b"1")


KILLED = """
import os, signal, sys
from pathlib import Path
from ledger.witness.remembered import Remembered
with Remembered.open(Path(sys.argv[1])) as memory:
    owner, name = sys.argv[2].split(".")
    real = getattr(getattr(memory, owner), name)
    def deadly(*arguments):
        if sys.argv[3] == "after":
            real(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(getattr(memory, owner), name, deadly)
    memory.swap(b"k" * 32, None, b"1")
"""
STEPS = {
    "before the table": ("_table.commit", "before", None),
    "after the table": ("_table.commit", "after", b"1"),
    "before the anchor": ("_anchor.advance", "before", b"1"),
    "after the anchor": ("_anchor.advance", "after", b"1"),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_there_the_next_one_goes_on(folder, step):
    part, when, remembered = STEPS[step]
    words = [sys.executable, "-c", KILLED, str(folder), part, when]
    assert subprocess.run(words, check=False).returncode == -9
    with Remembered.open(folder) as memory:
        assert memory.get(KEY) == remembered
        assert memory._anchor.held.batch == memory._table.head.batch
        assert memory.swap(KEY, remembered, b"2")


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put_back(before, *names):
    """Write old bytes into the files that are there, which keep their identity."""
    for path, data in before.items():
        if path.name in names:
            with open(path, "r+b") as file:
                file.truncate(0)
                file.write(data)


def used(folder, *values):
    with Remembered.open(folder) as memory:
        for value in values:
            assert memory.swap(KEY, memory.get(KEY), value)


def table_put_back(folder):
    before = files(folder)
    used(folder, b"1")
    put_back(before, "data.mdb")


def anchor_put_back(folder):
    before = files(folder)
    used(folder, b"1", b"2")
    put_back(before, "anchor")


def another_history(folder):
    before = files(folder)
    used(folder, b"1")
    new = files(folder)
    put_back(before, "data.mdb", "anchor")
    used(folder, b"2")
    put_back(new, "data.mdb")


def moved(folder):
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    shutil.rmtree(folder)
    copy.rename(folder)


def table_replaced(folder):
    data = folder / "table" / "data.mdb"
    shutil.copy(data, data.with_name("new"))
    data.with_name("new").replace(data)


def anchor_of_another(folder):
    Remembered.create(folder.with_name("second"))
    folder.with_name("second").joinpath("anchor").replace(folder / "anchor")


SPOILED = {
    "rollback": table_put_back,
    "anchor_behind": anchor_put_back,
    "forked": another_history,
    "cloned": moved,
    "replaced": table_replaced,
    "wrong_log": anchor_of_another,
    "anchor_missing": lambda folder: (folder / "anchor").unlink(),
    "anchor_damaged": lambda folder: (folder / "anchor").write_bytes(b"x" * 8192),
    "absent": lambda folder: shutil.rmtree(folder / "table"),
}


@pytest.mark.parametrize("state", SPOILED)
def test_one_that_is_not_what_it_was_is_not_used(folder, state):
    used(folder, b"0")
    SPOILED[state](folder)
    with pytest.raises(Held) as held:
        Remembered.open(folder)
    assert held.value.state == state
    assert state in MENDS
    assert "begin anew" in held.value.mend


def test_nothing_is_left_locked_by_one_that_was_not_opened(folder):
    anchor = (folder / "anchor").rename(folder / "elsewhere")
    for _ in range(2):
        with pytest.raises(Held, match="anchor"):
            Remembered.open(folder)
    anchor.rename(folder / "anchor")
    used(folder, b"1")


SECOND = """
import sys
from pathlib import Path
from ledger.errors import Held
from ledger.witness.remembered import Remembered
try:
    Remembered.open(Path(sys.argv[1]))
except Held as held:
    print(held.state, "|", held.mend)
"""


def test_a_second_process_does_not_get_it(folder, memory):
    words = [sys.executable, "-c", SECOND, str(folder)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said == "locked | end the process that uses it\n"
    assert memory.swap(KEY, None, b"1")


def test_what_waits_when_it_is_closed_is_remembered(folder):
    memory = Remembered.open(folder)
    with ThreadPoolExecutor(8) as threads:
        asked = [
            threads.submit(memory.swap, b"%032d" % n, None, b"x") for n in range(8)
        ]
        assert all(each.result() for each in asked)
        memory.close()
    with Table(folder / "table") as table:
        assert table.head.size == 8
        assert read_anchor(Path(folder / "anchor")).root == table.head.root
