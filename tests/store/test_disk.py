"""The disk below a store is recognised; when it is full or fails, nothing is lost.

Disks that fail are made by limits, by a small file system in memory, and by strace,
which lets one system call of one commit fail; each in a process of its own.
"""

import os
import re
import shutil
import subprocess
from functools import partial

import pytest

from ledger.errors import Held, Unavailable
from ledger.store import disk
from ledger.store.disk import check_local, file_identity, filesystem_of, free_bytes
from ledger.store.environment import DATA, create_store
from ledger.store.lmdb import LmdbStore
from tests.contracts import CHARTER, GROW, OPEN, SIZE, Book, check_goes_on, grown, run
from verifier.tile import MAX_ENTRY_BYTES, WIDTH

open_store = partial(LmdbStore, min_free_bytes=0)

MOUNTS = """\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:22 / /data rw - nfs4 server:/x rw,vers=4.2
24 23 0:23 / /data/local rw shared:2 master:3 - xfs /dev/b rw
25 22 0:24 / /mnt/with\\040space rw - fuse.sshfs me@there: rw
26 22 0:25 / /mnt/with\\134slash rw - cifs //server/share rw
27 22 0:26 / /twice rw - nfs server:/y rw
28 22 0:27 / /twice rw - btrfs /dev/c rw
"""


@pytest.fixture
def folder(tmp_path):
    """A store of SIZE entries."""
    create_store(tmp_path / "store", CHARTER)
    store = open_store(tmp_path / "store")
    Book().grow(store, SIZE)
    store.close()
    return tmp_path / "store"


@pytest.fixture
def book():
    return grown(SIZE)


@pytest.fixture
def mounts(tmp_path):
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


# Which file, which disk


def test_a_file_keeps_its_identity_and_its_copy_has_another(folder):
    identity = file_identity(folder / DATA)
    assert len(identity) == 16
    shutil.copy2(folder / DATA, folder / "copy")
    assert file_identity(folder / "copy") != identity
    check_goes_on(folder, grown(SIZE))
    moved = folder.rename(folder.with_name("moved"))
    assert file_identity(moved / DATA) == identity
    (moved / "copy").replace(moved / DATA)
    assert file_identity(moved / DATA) != identity


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/database", "ext4"),
        ("/data", "nfs4"),
        ("/data/log", "nfs4"),
        ("/data/local/log", "xfs"),
        ("/mnt/with space/log", "fuse.sshfs"),
        ("/mnt/with\\slash", "cifs"),
        ("/twice/log", "btrfs"),
    ],
)
def test_a_file_system_is_that_of_the_nearest_and_newest_mount(mounts, path, kind):
    assert filesystem_of(path, mounts) == kind


def test_a_mount_with_a_strange_name_hides_no_other(mounts):
    mounts.write_text("21 1 0:9 / /a\x0cb\x85c rw - fuse.x x rw\n" + MOUNTS)
    assert filesystem_of("/data", mounts) == "nfs4"


def test_a_link_is_followed_to_its_file_system(mounts, tmp_path):
    (tmp_path / "link").symlink_to("/data/log")
    assert filesystem_of(tmp_path / "link", mounts) == "nfs4"


def test_where_the_system_does_not_say_nothing_is_refused(tmp_path):
    assert filesystem_of(tmp_path, tmp_path / "not there") == ""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
def test_a_disk_of_another_machine_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(disk, "filesystem_of", lambda path: kind)
    with pytest.raises(Held, match=re.escape(kind)) as refused:
        check_local(tmp_path)
    assert refused.value.state == "remote_disk"


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", ""])
def test_a_disk_of_this_machine_is_not(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(disk, "filesystem_of", lambda path: kind)
    check_local(tmp_path)


def test_free_is_what_the_disk_has_for_us(tmp_path):
    status = os.statvfs(tmp_path)
    assert 0 < free_bytes(tmp_path) <= status.f_blocks * status.f_frsize


# No room


def grow_too_much(store, book):
    for _ in range(100):
        book.append(store, [b"x" * 1_000] * 100)


def test_a_store_stays_below_its_limit_and_is_read_on(folder, book):
    store = open_store(folder, limit_bytes=4 << 20)
    with pytest.raises(Unavailable, match="limit_bytes") as refused:
        grow_too_much(store, book)
    assert refused.value.reason == "full"
    assert 2 << 20 < store.usage().used_bytes <= store.usage().limit_bytes == 4 << 20
    with store.snapshot() as snapshot:
        book.check(snapshot)
    store.close()
    check_goes_on(folder, book)


def test_the_limit_counts_the_entries_that_wait_for_their_tile(folder, book):
    store = open_store(folder)
    book.append(store, [b"x" * MAX_ENTRY_BYTES] * (2 * WIDTH - SIZE - 1))
    limit = store.usage().used_bytes + (2 << 20)
    store.close()
    store = open_store(folder, limit_bytes=limit)
    with pytest.raises(Unavailable):
        book.append(store, [b"the last of its tile"])
    store.close()


def test_a_full_map_is_no_harm(folder, book):
    store = open_store(folder, map_bytes=2 << 20)
    rows = ((b"%032d" % each, each) for each in range(100_000))
    with pytest.raises(Unavailable, match="map_bytes") as refused:
        store.index(rows, drop=True)
    assert refused.value.reason == "full"
    with store.snapshot() as snapshot:
        book.check(snapshot)
    store.close()
    check_goes_on(folder, book)


def test_what_is_to_stay_free_stays_free(folder, book):
    store = open_store(folder, min_free_bytes=1 << 60)
    with pytest.raises(Unavailable, match="make room") as refused:
        book.append(store, [b"x"])
    assert refused.value.reason == "full"
    with store.snapshot() as snapshot:
        book.check(snapshot)
    store.close()
    check_goes_on(folder, book)


def test_a_full_disk_is_read_on_and_written_to_after_room_was_made(tmp_path):
    small = ["unshare", "-rm", "sh", "-c"]
    mount = 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"'
    if subprocess.run([*small, mount, tmp_path, "true"], check=False).returncode:
        pytest.skip("no file system can be mounted here, not even a private one")
    fill = """
create_store(folder, CHARTER)
store, book = LmdbStore(folder, min_free_bytes=4 << 20), Book()
attempt(book.grow, store, 300)
ballast = folder / "ballast"
ballast.write_bytes(bytes(11 << 20))
attempt(book.grow, store, 300)
with store.snapshot() as snapshot:
    book.check(snapshot)
ballast.unlink()
attempt(book.grow, store, 300)
store.close()
check_goes_on(folder, book)
"""
    before = [*small, mount, str(tmp_path)]
    printed = ["done", "Unavailable", "done"]
    assert run(fill, tmp_path / "store", *before) == (printed, 0)


# No answer


def test_a_write_that_is_cut_short_halts_and_is_not_there(folder):
    cut = """
most = os.stat(folder / DATA).st_size + 5_000
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
"""
    assert run(OPEN + cut + GROW, folder) == (["Halted"], 0)
    check_goes_on(folder, grown(SIZE))


def failing(folder, *fault):
    """Append to the store under strace, with a fault in what is done to its file."""
    if not (strace := shutil.which("strace")):
        pytest.skip("strace is not here: no system call can be made to fail")
    calls = folder.parent / "calls"
    path = str(folder / DATA)
    printed = run(OPEN + GROW, folder, strace, "-fo", str(calls), "-P", path, *fault)
    return printed, re.findall(
        r"^\d+ +(\w*(?:write|sync)\w*)\(", calls.read_text(), re.MULTILINE
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", ["error=EIO", "error=ENOSPC", "signal=KILL"])
def test_whichever_call_of_a_commit_fails_the_batch_is_not_there(folder, fault):
    whole = shutil.copytree(folder, folder.with_name("whole"))
    printed, calls = failing(whole)
    assert printed == (["done"], 0)
    *_, sync, last = calls
    assert (len(calls) >= 3, sync, last) == (True, "fdatasync", "pwrite64")
    for number, call in enumerate(calls):
        spoiled = shutil.copytree(folder, folder.with_name(f"spoiled-{number}"))
        nth = calls[: number + 1].count(call)
        printed, _ = failing(spoiled, f"--inject={call}:{fault}:when={nth}")
        assert printed == (([], -9) if "KILL" in fault else (["Halted"], 0))
        check_goes_on(spoiled, grown(SIZE))
