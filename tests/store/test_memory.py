"""A store in memory fails when, and as, it is told to, and only once."""

from dataclasses import replace

import pytest

from ledger.errors import Halted, Unavailable, WrongBytes
from ledger.store.memory import STEPS, MemoryStore
from tests.contracts import CHARTER, Book, accept


@pytest.fixture
def store():
    return MemoryStore(CHARTER)


def ordered(store, step, error):
    """A book and its second batch, which is to fail at `step`."""
    book = Book()
    book.grow(store, 10)
    store.order(step, error)
    return book, book.batch([b"x"])


@pytest.mark.parametrize("step", STEPS)
def test_an_append_raises_what_was_ordered_and_only_once(store, step):
    error = Unavailable("full", "as ordered")
    _, batch = ordered(store, step, error)
    with pytest.raises(Unavailable) as raised:
        store.append(batch, accept)
    assert raised.value is error
    if step != "committed":
        store.append(batch, accept)
    with store.snapshot() as snapshot:
        assert snapshot.head() == batch.head


@pytest.mark.parametrize("step", ["begin", "write", "commit"])
def test_before_the_commit_nothing_has_happened(store, step):
    book, batch = ordered(store, step, Halted("as ordered"))
    with pytest.raises(Halted):
        store.append(batch, accept)
    with store.snapshot() as snapshot:
        book.check(snapshot)


def test_after_the_commit_all_of_it_has_happened(store):
    _, batch = ordered(store, "committed", Halted("as ordered"))
    with pytest.raises(Halted):
        store.append(batch, accept)
    with store.snapshot() as snapshot:
        assert snapshot.head() == batch.head
        assert snapshot.entries(10, 11) == [b"x"]


@pytest.mark.parametrize(
    ("step", "looked"),
    [("begin", 0), ("write", 0), ("commit", 1), ("committed", 1)],
)
def test_the_check_is_made_between_write_and_commit(store, step, looked):
    _, batch = ordered(store, step, Halted("as ordered"))
    seen = []
    with pytest.raises(Halted):
        store.append(batch, seen.append)
    assert len(seen) == looked


def test_orders_for_one_step_are_carried_out_in_turn(store):
    book, batch = ordered(store, "write", Halted("first"))
    store.order("write", Unavailable("full", "second"))
    for expected in (Halted, Unavailable):
        with pytest.raises(expected):
            store.append(batch, accept)
    book.grow(store, 1)


def test_a_step_that_there_is_none_of_cannot_be_ordered(store):
    with pytest.raises(KeyError):
        store.order("sync", Halted("as ordered"))


def test_a_batch_is_spoiled_before_it_is_stored_and_the_check_sees_it(store):
    store.spoil = lambda batch: replace(batch, entries=[b"another"])

    def look(snapshot):
        if snapshot.entries(0, 1) != [b"x"]:
            raise WrongBytes("tile/entries/000", "spoiled")

    with pytest.raises(WrongBytes):
        store.append(Book().batch([b"x"]), look)
    store.append(Book().batch([b"x"]), accept)
    with store.snapshot() as snapshot:
        assert snapshot.entries(0, 1) == [b"another"]
