"""What was made public is so after a power cut: each name is durable before the next.

Tessera synced no folder after a rename until 2025, and an old checkpoint came back.
Here every call that matters is watched, where a log publishes and where others mirror
it: a file is synced before it gets its name, the folder with the name before the
checkpoint gets its own, and that folder as well before anybody is told.
"""

import os

import pytest

from ledger.publish.feeding import feed
from ledger.publish.folder import Folder
from tests.mirror.mirroring import entries, log_of, mirrored
from tests.publish.feeds import publishing

SIZES = (300, 700)
CHECKPOINT = "checkpoint"


class Watched:
    """What was synced and named, in order; all of it is really done."""

    def __init__(self, monkeypatch):
        self.acts = []
        fsync, replace = os.fsync, os.replace

        def synced(number):
            path = os.readlink(f"/proc/self/fd/{number}")
            fsync(number)
            self.acts.append(("sync", path, path))

        def named(source, dest, **given):
            replace(source, dest, **given)
            self.acts.append(("name", str(source), str(dest)))

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "replace", named)

    def check(self, root):
        """Fail where a power cut could leave a checkpoint without what it covers."""
        names = [
            (at, source, dest)
            for at, (kind, source, dest) in enumerate(self.acts)
            if kind == "name" and dest.startswith(f"{root}/")
        ]
        assert len(names) >= 3  # entries, hashes, and the checkpoint
        [(last, _, shown)] = [each for each in names if each[2].endswith(CHECKPOINT)]
        for at, source, dest in names:
            assert ("sync", source, source) in self.acts[:at], f"{dest} was not synced"
            before = last if dest != shown else len(self.acts)
            folder = os.path.dirname(dest)
            # And those above, if they are new: a name is worth what leads to it.
            while folder != str(root):
                assert ("sync", folder, folder) in self.acts[at:before], folder
                folder = os.path.dirname(folder)
        top = str(root)
        assert ("sync", top, top) in self.acts[last:]


@pytest.fixture
def live(new_log):
    log = new_log()
    for before, size in zip((0, *SIZES), SIZES, strict=False):
        log.append(*entries(before, size))
    return log


@pytest.mark.parametrize("first", [0, *SIZES])
def test_a_folder_that_is_published_to(live, tmp_path, monkeypatch, first):
    dest = tmp_path / "public"
    with publishing(live) as us:
        if first == SIZES[1]:
            feed(Folder(dest), us.ours, us.signed(SIZES[0]))
        note = us.signed(first or 1)
        watched = Watched(monkeypatch)
        feed(Folder(dest), us.ours, note)
    watched.check(dest)


@pytest.mark.parametrize("size", [1, *SIZES])
def test_a_mirror(tmp_path, monkeypatch, size):
    log = log_of(tmp_path / "log", min(size, SIZES[0]))
    dest = tmp_path / "mirror"
    if size == SIZES[1]:
        mirrored(log.folder, dest, log)
        log.append(*entries(*SIZES))
    watched = Watched(monkeypatch)
    mirrored(log.folder, dest, log)
    watched.acts = [each for each in watched.acts if ".mirror" not in each[2]]
    watched.check(dest)


class Cut(BaseException):
    """The process is gone."""


def test_a_mirror_that_goes_on_syncs_the_names_that_another_run_has_made(
    tmp_path, monkeypatch
):
    log = log_of(tmp_path / "log", SIZES[1])
    dest = tmp_path / "mirror"

    def die(*_):
        raise Cut

    with monkeypatch.context() as dying:
        dying.setattr("ledger.mirror.folder.Mirror.show", die)
        with pytest.raises(Cut):
            mirrored(log.folder, dest, log)
    there = {path.parent for path in dest.rglob("0*") if path.is_file()}
    assert dest / "tile" / "entries" in there
    watched = Watched(monkeypatch)
    mirrored(log.folder, dest, log)
    last = watched.acts.index(
        next(each for each in watched.acts if each[2] == str(dest / CHECKPOINT))
    )
    synced = {path for kind, path, _ in watched.acts[:last] if kind == "sync"}
    assert {str(each) for each in there} <= synced
