"""A folder is published to as one who may be killed, and is not alone, has to do it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ledger.errors import Refused
from ledger.log.home import Home
from ledger.publish.feeding import feed
from ledger.publish.folder import Folder
from ledger.store.disk import alone_in
from tests import tools
from tests.publish.feeds import publishing, whole
from tests.sampled import one_in
from tests.upkeep.published import files
from tests.upkeep.spoil import entries
from verifier.source import Directory

ROOT = Path(__file__).resolve().parents[2]
SIZE = 300
FEED = """
import secrets, sys
from pathlib import Path
from ledger.log.look import look
from ledger.publish.feeding import Ours, feed
from ledger.publish.folder import Folder
secrets.token_hex = lambda _: "new"  # so that strace can be told the name
with look(Path(sys.argv[1])) as seen:
    keys = seen.signer.verifier_keys()
    ours = Ours(store=seen.store, reading=seen.reading, keys=keys,
                anchored=lambda: seen.newest.size)
    feed(Folder(Path(sys.argv[2])), ours, Path(sys.argv[3]).read_bytes())
"""
CHANGING = ("openat", "mkdir", "unlink", "write", "fsync", "rename")
"""To be killed before any other call is to be killed after one of these."""


@pytest.fixture
def log(new_log):
    log = new_log()
    log.append(*entries(SIZE))
    return log


def test_while_another_is_at_work_nothing_is_written(log, tmp_path):
    dest = tmp_path / "to"
    dest.mkdir()
    refused = pytest.raises(Refused, match="another export is at work")
    with publishing(log) as us, alone_in(dest, "taken"), refused:
        feed(Folder(dest), us.ours, us.signed(SIZE))
    assert list(dest.iterdir()) == []


@pytest.mark.parametrize("inside", [".", "store", "store/public"])
def test_the_logs_own_folders_are_no_target(log, inside):
    with pytest.raises(Refused) as refused:
        Folder.beside(Home.at(log.folder), log.folder / inside)
    assert refused.value.check == "folder"


def test_a_link_in_the_folder_is_not_written_through(log, tmp_path):
    dest = tmp_path / "to"
    (dest / "tile").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    (dest / "tile/entries").symlink_to(tmp_path / "mine")
    with publishing(log) as us, pytest.raises(Refused, match="is a link"):
        feed(Folder(dest), us.ours, us.signed(SIZE))
    assert list((tmp_path / "mine").iterdir()) == []


def run(log, dest, note, *more):
    """Feed `dest` in a process; what it calls on its files, and how it ended."""
    trace = dest.parent / "trace"
    levels = ("0", "0/000.p", "entries", "entries/000.p")
    folders = [dest / "tile", *(dest / "tile" / each for each in levels)]
    known = [dest, dest / ".checkpoint.new", dest / "checkpoint", *folders]
    known += [each / ".new" for each in folders]
    paths = [word for each in known for word in ("-P", str(each))]
    calls = f"trace={','.join(CHANGING)}"
    words = ["strace", "-f", "-qq", "-o", str(trace), "-e", calls, *paths, *more]
    ended = subprocess.run(
        [*words, sys.executable, "-c", FEED, str(log.folder), str(dest), str(note)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    names = re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE)
    return ended.returncode, names


@pytest.mark.exhaustive
@pytest.mark.parametrize("every", one_in(2, [3, 1]))
def test_killed_before_any_call_it_is_whole_and_goes_on(log, tmp_path, every):
    tools.need("strace")
    note = tmp_path / "note"
    with publishing(log) as us:
        early = us.signed(5)
        note.write_bytes(us.signed(9))

    def fresh(name):
        dest = tmp_path / name / "to"
        dest.parent.mkdir()
        with publishing(log) as us:
            feed(Folder(dest), us.ours, early)
        return dest

    dest = fresh("counted")
    code, names = run(log, dest, note)
    assert code == 0
    assert whole(Directory(dest), log).size == 9
    expected = files(dest)
    wanted = [
        (name, number)
        for name, many in Counter(names).items()
        for number in range(1, many + 1)
    ]
    # Of two tiles and the checkpoint; each is written, synced, and named.
    assert Counter(names)["rename"] == 3
    for name, number in wanted[::every]:
        dest = fresh(f"{name}-{number}")
        kill = f"inject={name}:signal=KILL:when={number}"
        code, _ = run(log, dest, note, "-e", kill)
        assert code != 0, (name, number)
        assert whole(Directory(dest), log).size in (5, 9), (name, number)
        with publishing(log) as us:
            assert feed(Folder(dest), us.ours, note.read_bytes()).size == 9
        assert files(dest).items() >= expected.items()
        assert whole(Directory(dest), log).size == 9
