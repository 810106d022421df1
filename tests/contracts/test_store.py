"""What every store promises, executed: the docstrings of ledger/store/__init__.py.

A store that is added to STORES keeps all of this, or it is none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Halted, Held, Unavailable, WrongBytes
from ledger.store import COPY, WRITER, Head, LogStore
from ledger.store.copying import copy_store
from ledger.store.environment import create_store
from ledger.store.lmdb import LmdbStore
from ledger.store.memory import MemoryStore
from tests.contracts import CHARTER, Book, accept, grown, numbered
from verifier.hashing import EMPTY_ROOT
from verifier.tile import ENTRIES, MAX_ENTRY_BYTES, WIDTH, encode_entries


@contextmanager
def memory_store(role: str = WRITER) -> Iterator[LogStore]:
    yield MemoryStore(CHARTER, role=role)


@contextmanager
def lmdb_store(role: str = WRITER) -> Iterator[LogStore]:
    with TemporaryDirectory() as above:
        folder = Path(above) / "store"
        create_store(folder, CHARTER)
        store = LmdbStore(folder, min_free_bytes=0)
        if role != WRITER:
            copy_store(store, folder.with_name("copy"), role=role)
            store.close()
            store = LmdbStore(folder.with_name("copy"), min_free_bytes=0)
        yield store
        store.close()


STORES = {"memory": memory_store, "lmdb": lmdb_store}
every_store = pytest.mark.parametrize("make", STORES.values(), ids=STORES)


@pytest.fixture(params=STORES)
def store(request):
    with STORES[request.param]() as made:
        yield made


@pytest.fixture
def book():
    return Book()


def check(store, book):
    """The store has what is in the book, and can go on."""
    for _ in range(2):
        with store.snapshot() as snapshot:
            book.check(snapshot)
        book.grow(store, 1)


# Birth


def test_a_new_store_is_an_empty_log(store):
    assert (store.charter, store.role) == (CHARTER, WRITER)
    with store.snapshot() as snapshot:
        assert snapshot.head() == Head(batch=0, size=0, root=EMPTY_ROOT, at=0)
        assert snapshot.entries(0, 1) == []
        assert snapshot.tile(0, 0) == b""
        assert snapshot.find([b"id"]) == {}
        assert list(snapshot.identities()) == []


# Appending


def test_what_was_appended_is_there(store, book):
    book.append(store, numbered(0, 300), [(b"id %d" % each, each) for each in range(9)])
    check(store, book)


def test_the_whole_head_is_kept(store, book):
    head = Head(batch=1, size=0, root=b"\xff" * 32, at=2**63, frozen=True)
    store.append(book.batch([], head=head), accept)
    with store.snapshot() as snapshot:
        assert snapshot.head() == head


def test_the_check_sees_what_will_be_before_anybody_else(store, book):
    book.grow(store, 250)
    batch = book.batch(numbered(250, 600), identities=[(b"id", 250)])
    seen = []

    def look(will_be):
        seen.append(will_be.head())
        assert will_be.entries(0, 999) == numbered(0, 600)
        assert {each: will_be.tile(*each) for each in batch.tiles} == batch.tiles
        assert will_be.find([b"id"]) == {b"id": 250}
        with store.snapshot() as snapshot:
            book.check(snapshot)

    store.append(batch, look)
    assert seen == [batch.head]


@pytest.mark.parametrize(
    "error",
    [
        WrongBytes("root", "spoiled"),
        Held("damaged", "spoiled"),
        Unavailable("full", "spoiled"),
        Halted("spoiled"),
        OSError(5, "spoiled"),
        ValueError("spoiled"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("size", [1, 300])
def test_a_check_that_raises_stops_everything(store, book, error, size):
    book.grow(store, 250)

    def refuse(_):
        raise error

    batch = book.batch(numbered(0, size), identities=[(b"id", 250)])
    with pytest.raises(type(error)) as raised:
        store.append(batch, refuse)
    assert raised.value is error
    check(store, book)


@pytest.mark.parametrize(
    "other",
    [{"batch": 2}, {"size": 9}, {"root": EMPTY_ROOT}, {"at": 0}, {"frozen": True}],
    ids=lambda other: next(iter(other)),
)
def test_a_batch_that_stands_on_another_head_is_refused(store, book, other):
    book.grow(store, 10)
    batch = book.batch([b"x"], previous=replace(book.head, **other))
    with pytest.raises(Halted):
        store.append(batch, accept)
    check(store, book)


@every_store
def test_a_copy_is_never_appended_to(make, book):
    with make(role=COPY) as store:
        assert store.role == COPY
        with pytest.raises(Held) as refused:
            store.append(book.batch([b"x"]), accept)
        assert refused.value.state == "copy"
        with store.snapshot() as snapshot:
            book.check(snapshot)


@pytest.mark.parametrize(
    "spoil",
    [lambda tile: tile[:-1], lambda tile: tile[32:], lambda tile: b"\0" + tile[1:]],
    ids=["shorter", "moved", "changed"],
)
def test_a_tile_only_grows(store, book, spoil):
    book.grow(store, 10)
    batch = book.batch([b"x"])
    stored = book.tiles[0, 0]
    tiles = {(0, 0): spoil(stored)}
    with pytest.raises(WrongBytes) as refused:
        store.append(replace(batch, tiles=tiles), accept)
    assert refused.value.where == "tile/0/000"
    check(store, book)


@pytest.mark.parametrize(
    "rows",
    [[(b"known", 1)], [(b"known", 10)], [(b"new", 10), (b"new", 11)]],
    ids=["known", "known at another index", "twice in the batch"],
)
def test_an_identity_is_written_once(store, book, rows):
    book.append(store, numbered(0, 10), [(b"known", 1)])
    with pytest.raises(Halted):
        store.append(book.batch([b"x", b"y"], identities=rows), accept)
    check(store, book)


# Entries, however they came


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
@pytest.mark.parametrize("start", [0, 1, 127, 254, 255, 256])
def test_a_batch_fits_behind_every_size(store, book, start, size):
    book.grow(store, start, size)
    check(store, book)


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", [1, 255, 257, 601])
def test_a_batch_may_begin_at_every_place_of_a_tile(store, book, size):
    for _ in range(WIDTH):
        book.grow(store, size)
        with store.snapshot() as snapshot:
            start = max(0, book.head.size - 2 * WIDTH)
            assert snapshot.entries(start, book.head.size) == book.entries[start:]
    check(store, book)


@every_store
@settings(max_examples=40)
@given(cuts=st.sets(st.integers(0, 1_100), min_size=1, max_size=12), data=st.data())
def test_it_does_not_matter_how_entries_were_cut_into_batches(make, cuts, data):
    sizes = [stop - start for start, stop in pairwise([0, *sorted(cuts)])]
    split, whole = Book(), grown(max(cuts))
    with make() as store:
        split.grow(store, *sizes)
        with store.snapshot() as snapshot:
            split.check(snapshot)
            assert snapshot.head().root == whole.head.root
            assert {each: snapshot.tile(*each) for each in whole.tiles} == whole.tiles
            start = data.draw(st.integers(0, 1_100), label="start")
            stop = data.draw(st.integers(0, 1_200), label="stop")
            assert snapshot.entries(start, stop) == whole.entries[start:stop]


def test_every_range_of_entries_can_be_read(store, book):
    book.grow(store, 300, 300)
    borders = [0, 1, 255, 256, 257, 511, 512, 513, 599, 600, 601, 5_000]
    with store.snapshot() as snapshot:
        for start in borders:
            for stop in borders:
                assert snapshot.entries(start, stop) == book.entries[start:stop]


def test_entries_may_be_empty_and_as_long_as_a_tile_can_hold(store, book):
    book.append(store, [b"", b"\xff" * MAX_ENTRY_BYTES] * 127)
    book.append(store, [b"\xfe" * MAX_ENTRY_BYTES, b"", b"", b"\xfe" * MAX_ENTRY_BYTES])
    check(store, book)


def test_identities_are_found_among_others(store, book):
    book.append(store, numbered(0, 3), [(b"b", 2), (b"a", 1), (b"\xff" * 32, 0)])
    with store.snapshot() as snapshot:
        asked = (each for each in [b"b", b"no", b"b", b"\xff" * 32, b"aa"])
        assert snapshot.find(asked) == {b"b": 2, b"\xff" * 32: 0}
        assert snapshot.find([]) == {}


# Snapshots


def appended(store, book):
    store.append(book.batch(numbered(0, 300), identities=[(b"new", 300)]), accept)


def mended(store, _):
    store.mend((0, 0), b"\0" * 8192)
    store.mend((ENTRIES, 0), encode_entries([b"wrong"] * WIDTH))
    store.mend((ENTRIES, 1), encode_entries([b"wrong"] * 44))


def indexed(store, _):
    store.index([(b"other", 5)], drop=True)


@pytest.mark.parametrize("change", [appended, mended, indexed])
def test_a_snapshot_does_not_see_what_happens_after_it(store, book, change):
    book.append(store, numbered(0, 300), [(b"id", 7)])
    with store.snapshot() as snapshot:
        change(store, book)
        book.check(snapshot)
        assert snapshot.find([b"id", b"new", b"other"]) == {b"id": 7}


def test_what_a_snapshot_gave_stays_valid_when_the_store_is_closed(store, book):
    book.append(store, numbered(0, 600), [(b"id", 7)])
    with store.snapshot() as snapshot:
        head, entries = snapshot.head(), snapshot.entries(0, 600)
        tile, found = snapshot.tile(0, 1), snapshot.find([b"id"])
    book.grow(store, 600)
    store.close()
    assert (head.size, entries, found) == (600, numbered(0, 600), {b"id": 7})
    assert tile == book.tiles[0, 1]
    assert {type(each) for each in [tile, *entries, *found]} == {bytes}


# Mending, indexing, room


@pytest.mark.parametrize("tile", [(0, 0), (0, 1), (1, 0)])
def test_a_tile_of_hashes_is_mended(store, book, tile):
    book.grow(store, 300)
    right = book.tiles[tile]
    store.mend(tile, b"\0" * len(right))
    with store.snapshot() as snapshot:
        assert snapshot.tile(*tile) == b"\0" * len(right)
        assert snapshot.head() == book.head
    store.mend(tile, right)
    check(store, book)


@pytest.mark.parametrize(
    ("size", "index", "width"), [(300, 0, 256), (300, 1, 44), (512, 1, 256)]
)
def test_an_entry_tile_is_mended_also_while_it_is_being_filled(
    store, book, size, index, width
):
    book.grow(store, size)
    store.mend((ENTRIES, index), encode_entries([b"wrong"] * width))
    with store.snapshot() as snapshot:
        start = index * WIDTH
        assert snapshot.entries(start, start + WIDTH) == [b"wrong"] * width
        assert snapshot.head() == book.head
    right = book.entries[index * WIDTH :][:width]
    store.mend((ENTRIES, index), encode_entries(right))
    book.grow(store, 300)
    check(store, book)


@every_store
def test_a_copy_is_mended_too(make):
    with make(role=COPY) as store:
        store.mend((0, 0), b"\1" * 32)
        with store.snapshot() as snapshot:
            assert snapshot.tile(0, 0) == b"\1" * 32


def test_identities_are_written_again(store, book):
    book.append(store, numbered(0, 3), [(b"a", 0), (b"b", 1)])
    store.index(iter([(b"b", 2), (b"c", 2)]), drop=False)
    book.identities |= {b"b": 2, b"c": 2}
    check(store, book)
    store.index(iter([(b"c", 1)]), drop=True)
    book.identities = {b"c": 1}
    check(store, book)


def test_a_store_says_how_much_room_it_takes_and_has(store, book):
    before = store.usage()
    book.grow(store, 600)
    after = store.usage()
    assert 0 <= before.used_bytes <= after.used_bytes <= after.limit_bytes
    assert after.free_bytes > 0


def test_of_two_entries_with_one_identity_the_first_is_found(store):
    rows = [(b"one", 3), (b"one", 5), (b"two", 4)]
    store.index(rows, drop=True)
    with store.snapshot() as snapshot:
        assert snapshot.find([b"one", b"two"]) == {b"one": 3, b"two": 4}
    store.index([(b"one", 5)], drop=False)
    with store.snapshot() as snapshot:
        assert snapshot.find([b"one", b"two"]) == {b"one": 5, b"two": 4}
