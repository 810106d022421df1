"""A store in LMDB is opened as it was made, or not at all, and by whom it may be.

What every store has to do is in tests/contracts; here is what is LMDB's own.
"""

import inspect
import os
import shutil
import sys
from contextlib import ExitStack
from functools import partial

import lmdb
import pytest

from ledger.errors import Held, Unavailable
from ledger.store import COPY, environment, layout
from ledger.store.copying import copy_store
from ledger.store.environment import DATA, READERS, check_own, create_store
from ledger.store.lmdb import LmdbStore
from tests.contracts import (
    CHARTER,
    GROW,
    OPEN,
    ROOT,
    SIZE,
    WAIT,
    Book,
    check_goes_on,
    grown,
    run,
    started,
)

LOCK = "lock.mdb"
open_store = partial(LmdbStore, min_free_bytes=0)


def write(folder, key, value):
    """Put a row into the first database, or take it out, as no store would."""
    with (
        lmdb.open(str(folder), max_dbs=9) as env,
        env.begin(write=True) as txn,
    ):
        database = env.open_db(layout.LOG, txn=txn)
        if value is None:
            txn.delete(key, db=database)
        else:
            txn.put(key, value, db=database)


@pytest.fixture
def folder(tmp_path):
    """A store of SIZE entries."""
    create_store(tmp_path / "store", CHARTER)
    store = open_store(tmp_path / "store")
    Book().grow(store, SIZE)
    store.close()
    return tmp_path / "store"


# Opening


@pytest.mark.parametrize("readonly", [False, True])
def test_lmdb_works_with_the_flags_that_lose_nothing(folder, readonly):
    store = open_store(folder, readonly=readonly)
    flags = store._env.flags()
    on = {name for name in flags if flags[name]} - {"readonly"}
    assert on == {"subdir", "lock", "sync", "metasync", "meminit"}
    assert store._env.info()["max_readers"] == READERS
    store.close()


@pytest.mark.parametrize("flag", ["sync", "metasync", "lock", "writemap"])
def test_flags_that_lose_something_are_noticed(folder, monkeypatch, flag):
    monkeypatch.setitem(environment._FLAGS, flag, not environment._FLAGS[flag])
    with pytest.raises(Held) as refused:
        open_store(folder)
    assert refused.value.state == "unsafe"
    monkeypatch.undo()
    open_store(folder).close()


def test_the_format_is_that_of_lmdb_0_9_whatever_the_environment_says(tmp_path):
    folder = tmp_path / "store"
    script = "create_store(folder, CHARTER)\n" + OPEN + "attempt(store.usage)"
    assert run(script, folder, LMDB_DEFAULT_LIB_VERSION="1") == (["done"], 0)
    magic = (0xBEEFC0DE).to_bytes(4, sys.byteorder)
    version = (1).to_bytes(4, sys.byteorder)
    assert (folder / DATA).read_bytes()[16:24] == magic + version


def test_nobody_else_may_read_the_files(tmp_path):
    folder = tmp_path / "store"
    mask = os.umask(0)
    try:
        create_store(folder, CHARTER)
        (folder / LOCK).unlink()
        open_store(folder).close()
    finally:
        os.umask(mask)
    modes = {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}
    assert modes == {DATA: 0o600, LOCK: 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_store_is_not_made_where_something_is(folder):
    with pytest.raises(FileExistsError):
        create_store(folder, CHARTER)
    check_goes_on(folder, grown(SIZE))


def no_folder(folder):
    shutil.rmtree(folder)


def no_file(folder):
    (folder / DATA).unlink()


def empty_file(folder):
    (folder / DATA).write_bytes(b"")


def no_database(folder):
    with (
        lmdb.open(str(folder), max_dbs=9) as env,
        env.begin(write=True) as txn,
    ):
        txn.drop(env.open_db(layout.TAIL, txn=txn))


@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        (no_folder, "absent"),
        (no_file, "absent"),
        (empty_file, "damaged"),
        (no_database, "damaged"),
    ],
)
def test_nothing_is_ever_made_by_opening(folder, spoil, state, readonly):
    spoil(folder)
    before = {each: each.read_bytes() for each in folder.glob(DATA)}
    with pytest.raises(Held) as refused:
        open_store(folder, readonly=readonly)
    assert refused.value.state == state
    assert {each: each.read_bytes() for each in folder.glob(DATA)} == before
    assert folder.exists() == (spoil is not no_folder)


def test_a_store_of_another_format_is_left_alone_and_says_which(folder):
    write(folder, layout.FORMAT_KEY, b"provlog/store/2")
    says = r"'provlog/store/2'.*'provlog/store/1'; use the version that wrote it"
    with pytest.raises(Held, match=says) as refused:
        open_store(folder)
    assert refused.value.state == "format"


@pytest.mark.parametrize("value", [None, b"", b"spoiled"], ids=repr)
@pytest.mark.parametrize(
    "key",
    [layout.CHARTER_KEY, layout.ROLE_KEY, layout.HEAD_KEY],
    ids=["charter", "role", "head"],
)
def test_a_row_that_cannot_be_read_is_damage(folder, key, value):
    write(folder, key, value)
    with pytest.raises(Held) as refused:
        open_store(folder)
    assert refused.value.state == "damaged"


def test_a_store_is_opened_once_in_a_process_and_that_is_not_called_damage(folder):
    store = open_store(folder)
    with pytest.raises(Exception, match="already open") as refused:
        open_store(folder)
    store.close()
    assert getattr(refused.value, "state", "") != "damaged"


@pytest.mark.parametrize(
    "lack",
    [
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
        "(folder / DATA).chmod(0), os.getuid() or os.seteuid(65_534)",
    ],
    ids=["address space", "a file number", "any file number", "permission"],
)
def test_what_the_machine_does_not_give_is_not_called_damage(folder, lack):
    printed, _ = run(f"{lack}\nattempt(LmdbStore, folder)", folder)
    assert printed not in ([], ["done"], ["Held", "damaged"])


# Copies


def test_a_copy_has_what_the_store_had_and_is_never_appended_to(folder, tmp_path):
    store, book = open_store(folder), grown(SIZE)
    copy_store(store, tmp_path / "copy", role=COPY)
    grown(SIZE).grow(store, 1)
    store.close()
    copy = open_store(tmp_path / "copy")
    assert (copy.role, copy.charter) == (COPY, CHARTER)
    with copy.snapshot() as snapshot:
        book.check(snapshot)
    with pytest.raises(Held, match="never appended to"):
        book.grow(copy, 1)
    copy.close()
    assert (tmp_path / "copy" / DATA).stat().st_mode & 0o777 == 0o600


# Other processes


def test_a_fork_does_not_use_the_store_and_does_no_harm_to_it(folder):
    fork = """
if not os.fork():
    attempt(book.grow, store, 1)
    attempt(store.snapshot().__enter__)
    attempt(store.mend, (0, 0), b"")
    attempt(lambda: store.index([], drop=True))
    store.close()
    os._exit(0)
os.wait()
"""
    printed, status = run(OPEN + fork + GROW, folder)
    assert (printed, status) == (["Halted"] * 4 + ["done"], 0)
    check_goes_on(folder, grown(SIZE, 300))


def test_a_process_reads_whole_batches_while_another_one_writes(folder):
    read = """
store, sizes = LmdbStore(folder, readonly=True), []
print("ready", flush=True)
while not sizes or sizes[-1] < 2_000:
    with store.snapshot() as snapshot:
        sizes.append(snapshot.head().size)
        assert snapshot.entries(0, 9_999) == numbered(0, sizes[-1])
assert sizes == sorted(sizes)
print(len(set(sizes)) > 1)
"""
    store = open_store(folder)
    with started(read, folder) as reader:
        assert reader.stdout.readline() == "ready\n"
        grown(SIZE).grow(store, *[85] * 20)
        printed, _ = reader.communicate(timeout=60)
    assert (printed, reader.returncode) == ("True\n", 0)
    store.close()


def test_readers_that_were_killed_are_forgotten_when_the_store_is_opened(folder):
    reading = OPEN + "with store.snapshot():\n  " + WAIT.replace("\n", "\n  ")
    with started(OPEN + WAIT, folder) as keeper, started(reading, folder) as killed:
        assert {each.stdout.readline() for each in (keeper, killed)} == {"ready\n"}
        killed.kill()
        killed.wait()
        with lmdb.open(str(folder), create=False, readonly=True) as env:
            assert f"{killed.pid} " in env.readers()
        store = open_store(folder, readonly=True)
        assert f"{killed.pid} " not in store._env.readers()
        store.close()
        keeper.communicate()


def test_more_readers_than_there_is_room_for_are_sent_away(folder):
    store, book = open_store(folder), grown(SIZE)
    with ExitStack() as snapshots:
        for _ in range(READERS):
            snapshots.enter_context(store.snapshot())
        with pytest.raises(Unavailable) as refused, store.snapshot():
            pass
        assert refused.value.reason == "readers"
        book.grow(store, 1)
    with store.snapshot() as snapshot:
        book.check(snapshot)
    store.close()


def test_the_lock_file_of_lmdb_is_opened_by_lmdb_alone(folder):
    # One looks what it is, without opening it, before LMDB does.
    (named,) = [
        module
        for module in (ROOT / "ledger").rglob("*.py")
        if LOCK in module.read_text()
    ]
    assert named.name == "environment.py"
    assert "open(" not in inspect.getsource(check_own)
    if not (strace := shutil.which("strace")):
        pytest.skip("strace is not here: no system call can be watched")
    use = (
        OPEN
        + GROW
        + """
from ledger.store.disk import *
file_identity(folder / DATA), check_local(folder), sync_path(folder), store.usage()
check_structure(folder / DATA)
store.mend((0, 0), book.tiles[0, 0])
store.index([], drop=True)
with store.snapshot() as snapshot:
    book.check(snapshot)
"""
    )
    calls = folder.parent / "calls"
    watch = [strace, "-f", "-o", str(calls), "-e", "trace=open,openat"]
    assert run(use, folder, *watch) == (["done"], 0)
    assert calls.read_text().count(LOCK) == 1


@pytest.mark.parametrize("name", ["lock.mdb", "data.mdb"])
def test_nothing_is_written_through_a_link_in_a_copy_from_somebody(folder, name):
    secret = folder.parent / "secret"
    secret.write_bytes(b"a key")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(secret)
    for readonly in (True, False):
        with pytest.raises(Held, match="link"):
            open_store(folder, readonly=readonly)
    assert secret.read_bytes() == b"a key"


def test_nothing_is_written_through_a_second_name_of_a_lock_file(folder):
    secret = folder.parent / "secret"
    secret.write_bytes(b"a key")
    (folder / "lock.mdb").unlink(missing_ok=True)
    (folder / "lock.mdb").hardlink_to(secret)
    with pytest.raises(Held, match="link"):
        open_store(folder, readonly=True)
    assert secret.read_bytes() == b"a key"
