"""A data file that is not all there, or not sound, is held, and kills no process.

LMDB maps the file: a page behind its end is a signal, not an error. So every file
here is opened by a child of a process of its own, and the signal would be seen.
"""

import json
import struct
from pathlib import Path

import lmdb
import pytest

from ledger.errors import Held, WrongBytes
from ledger.store import layout
from ledger.store.environment import DATA, create_store
from ledger.store.lmdb import LmdbStore
from ledger.store.whole import check_structure, check_whole
from tests.contracts import CHARTER, Book, check_goes_on, grown, run
from verifier.tile import WIDTH

PAGE = 4_096
SIZES = (300, 1, 100, 110)
OPEN_EACH = f"""
import json
book = grown(*{SIZES})
def look(path):
    try:
        store = LmdbStore(path, min_free_bytes=0)
    except Held as error:
        return 20 if error.state == "damaged" else 21
    try:
        for size in 300, 0:
            with store.snapshot() as snapshot:
                book.check(snapshot)
            book.grow(store, size)
    except (WrongBytes, Halted, Held):
        return 10
    except AssertionError:
        return 11
    return 0
outcomes = {{}}
for path in sorted(folder.iterdir()):
    child = os.fork()
    if not child:
        try:
            os._exit(look(path))
        except Exception as error:
            print(path.name, repr(error), file=sys.stderr)
            os._exit(22)
    _, status = os.waitpid(child, 0)
    outcomes[path.name] = os.waitstatus_to_exitcode(status)
print(json.dumps(outcomes))
"""
HOLDS, NOTICED, WRONG, DAMAGED = 0, 10, 11, 20
"""Right; refused while it is read; other bytes, which hashes tell; not opened."""


@pytest.fixture
def data(tmp_path):
    """The data file of a small store that was filled in four batches."""
    filled(tmp_path / "store").close()
    return (tmp_path / "store" / DATA).read_bytes()


def outcomes(tmp_path, files):
    """What came of opening, reading and appending to each: a status by name."""
    folder = tmp_path / "spoiled"
    for name, data in files.items():
        (folder / name).mkdir(parents=True)
        (folder / name / DATA).write_bytes(data)
    printed, status = run(OPEN_EACH, folder)
    assert status == 0
    return json.loads("".join(printed))


def used(data):
    """The pages in use, from the newer of both heads, as LMDB itself finds them."""
    heads = [struct.unpack_from("=QQ", data, start + 136) for start in (0, PAGE)]
    last, _ = max(heads, key=lambda head: head[1])
    return last + 1


def overwritten(data, start, value):
    return data[:start] + value + data[start + len(value) :]


# Too short


@pytest.mark.exhaustive
def test_a_file_that_ends_too_early_is_held_wherever_it_ends(tmp_path, data):
    ends = {*range(0, len(data), PAGE), *range(0, len(data), 1_999), len(data) - 1}
    found = outcomes(tmp_path, {f"{end}": data[:end] for end in ends})
    assert set(found) == {str(end) for end in ends}
    assert set(found.values()) == {DAMAGED}


def test_a_file_without_its_last_pages_is_right_if_nothing_refers_to_them(tmp_path):
    folder = tmp_path / "store"
    create_store(folder, CHARTER)
    store, book = LmdbStore(folder, min_free_bytes=0), Book()
    book.grow(store, 300)
    store.index([(b"%04d" % each, each) for each in range(2_000)], drop=True)
    # The rows go, and the file stays as long; what is new moves to where they were.
    store.index([], drop=True)
    book.grow(store, 1, 1, 1, 1)
    store.close()
    data = (folder / DATA).read_bytes()
    end = used(data) * PAGE
    while not is_broken(data[: end - PAGE], tmp_path):
        end -= PAGE
    assert end < used(data) * PAGE
    (folder / DATA).write_bytes(data[:end])
    check_whole(folder / DATA)
    check_goes_on(folder, book)


def test_a_longer_file_is_no_worse(tmp_path, data):
    assert outcomes(tmp_path, {"longer": data + bytes(PAGE)}) == {"longer": HOLDS}


def test_a_file_is_never_shorter_than_the_pages_it_says_it_has(tmp_path):
    create_store(tmp_path / "store", CHARTER)
    store, book = LmdbStore(tmp_path / "store", min_free_bytes=0), Book()
    for size in [1, 300, 2, 255, 256, 257, 16, 600] * 4:
        book.grow(store, size)
        size_bytes = (tmp_path / "store" / DATA).stat().st_size
        assert size_bytes >= store.usage().used_bytes
    store.close()


# Not what it should be


@pytest.mark.exhaustive
def test_what_does_not_begin_as_lmdb_does_is_held(tmp_path, data):
    version = struct.pack("=I", 3)
    files = {
        "whole": data,
        "empty": b"",
        "text": b"not a database at all\n" * 1_000,
        "zeros": bytes(len(data)),
        "first": overwritten(data, 0, bytes(PAGE)),
        "second": overwritten(data, PAGE, bytes(PAGE)),
        "both": overwritten(data, 0, bytes(2 * PAGE)),
        "magic": overwritten(data, 16, b"\0\0\0\0"),
        "version": overwritten(overwritten(data, 20, version), PAGE + 20, version),
        "page-size": overwritten(data, 16 + 24, bytes(4)),
    }
    found = outcomes(tmp_path, files)
    assert found == dict.fromkeys(files, DAMAGED) | {"whole": HOLDS}


def test_a_file_of_lmdb_1_0_is_not_taken_for_one_of_0_9(tmp_path):
    lmdb.open(str(tmp_path / "other"), lib_version=1).close()
    with pytest.raises(Held, match=r"0\.9") as refused:
        check_whole(tmp_path / "other" / DATA)
    assert refused.value.state == "damaged"


def test_a_log_that_is_not_there_is_absent_and_not_damaged(tmp_path):
    with pytest.raises(Held, match=str(tmp_path)) as refused:
        check_whole(tmp_path / DATA)
    assert refused.value.state == "absent"


@pytest.mark.exhaustive
def test_a_page_that_was_lost_kills_nobody(tmp_path, data):
    files = {
        f"{page}": overwritten(data, page * PAGE, bytes(PAGE))
        for page in range(2, used(data))
    }
    found = set(outcomes(tmp_path, files).values())
    assert {WRONG, DAMAGED} <= found <= {HOLDS, NOTICED, WRONG, DAMAGED}


# Rows that are not there, or not whole

TAIL_END = layout.index_key(510)
TILE = layout.index_key(0)
SPOILED = [
    pytest.param(layout.TAIL, TAIL_END, lambda _: None, "001.p/255", id="tail ends"),
    pytest.param(layout.TAIL, layout.index_key(300), lambda _: None, "001", id="gap"),
    pytest.param(layout.ENTRIES, TILE, lambda _: None, "000: .*missing", id="no tile"),
    pytest.param(layout.ENTRIES, TILE, lambda tile: tile[:-1], "000", id="cut short"),
    pytest.param(layout.ENTRIES, TILE, lambda tile: tile + b"\0", "000", id="longer"),
    pytest.param(layout.ENTRIES, TILE, lambda _: b"", "000", id="empty"),
]


def filled(folder):
    create_store(folder, CHARTER)
    store = LmdbStore(folder, min_free_bytes=0)
    Book().grow(store, *SIZES)
    return store


@pytest.mark.parametrize(("database", "key", "spoil", "where"), SPOILED)
def test_entries_that_are_not_all_there_are_not_served(
    tmp_path, database, key, spoil, where
):
    store = filled(tmp_path / "store")
    with store._begin(write=True) as txn:
        opened = store._databases[database]
        value = spoil(bytes(txn.get(key, db=opened)))
        txn.delete(key, db=opened)
        if value is not None:
            txn.put(key, value, db=opened)
    says = f"tile/entries/{where}"
    with store.snapshot() as snapshot, pytest.raises(WrongBytes, match=says):
        snapshot.entries(0, 511)
    store.close()


def test_the_tail_has_what_waits_and_every_full_tile_is_one_row(tmp_path):
    store, book = filled(tmp_path / "store"), grown(*SIZES)
    for size in (1, 600, 255, 1, 3):
        book.grow(store, size)
        with store._begin() as txn:
            rows = [
                txn.stat(store._databases[each])["entries"]
                for each in (layout.ENTRIES, layout.TAIL)
            ]
        assert rows == [*divmod(book.head.size, WIDTH)]
    store.close()


# Every page looked at


def is_broken(data: bytes, tmp_path: Path) -> bool:
    """Whether looking at the structure of the whole file finds something."""
    path = tmp_path / "looked at"
    path.write_bytes(data)
    try:
        check_structure(path)
    except Held as error:
        return error.state == "damaged"
    return False


def test_a_sound_file_is_sound(tmp_path, data):
    assert not is_broken(data, tmp_path)


def test_the_page_of_a_tree_that_is_gone_is_found(tmp_path, data):
    leaf = 2
    broken = [
        page
        for page in range(2, used(data))
        if struct.unpack_from("=H", data, page * PAGE + 10) == (leaf,)
        and is_broken(overwritten(data, page * PAGE, bytes(PAGE)), tmp_path)
    ]
    assert len(broken) > 3


@pytest.mark.parametrize("end", [0, 100, PAGE, 2 * PAGE, 3 * PAGE - 1])
def test_a_file_that_is_too_short_to_be_looked_at_is_damage_too(tmp_path, data, end):
    assert is_broken(data[:end], tmp_path)
