"""An export goes back on nothing, writes over nobody, and is whole after any crash."""

import os
from pathlib import Path

import pytest

from ledger.errors import Held, Refused, WrongBytes
from ledger.log.look import look
from ledger.publish import folder as publish
from ledger.publish.export import export
from ledger.store import layout as at
from ledger.upkeep.birth import new_charter
from ledger.upkeep.copies import backup
from ledger.upkeep.rotation import finish, rotate
from tests.livelog import ORIGIN
from tests.testlog import TestLog
from tests.upkeep.published import audited, files
from tests.upkeep.spoil import (
    TIME,
    entries,
    flip,
    overwrite,
    public,
)
from verifier import Policy

SIZE = 300


# What is refused


def test_it_never_goes_back(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    old = (log.folder / "store/data.mdb").read_bytes()
    anchor = (log.folder / "anchor").read_bytes()
    log.append(b"one more")
    public(log, tmp_path / "public")
    before = files(tmp_path / "public"), (tmp_path / "public/checkpoint").read_bytes()
    # The folder is put back as a whole: from inside it looks right.
    (log.folder / "store/data.mdb").write_bytes(old)
    (log.folder / "anchor").write_bytes(anchor)
    log.given_up = True
    with pytest.raises(Held) as held:
        public(log, tmp_path / "public")
    assert held.value.state == "rollback"
    assert before == (
        files(tmp_path / "public"),
        (tmp_path / "public/checkpoint").read_bytes(),
    )


@pytest.mark.parametrize("what", ["file", "log", "hidden"])
def test_a_folder_of_somebody_is_refused(log, tmp_path, what):
    dest = tmp_path / "dest"
    dest.mkdir()
    name = {"file": "photo", "log": "store", "hidden": ".git"}[what]
    (dest / name).write_bytes(b"mine")
    with pytest.raises(Refused) as refused:
        public(log, dest)
    assert refused.value.check == "folder"
    assert [each.name for each in dest.iterdir()] == [name]


@pytest.mark.parametrize("origin", [ORIGIN, "log.example/other"])
def test_another_logs_folder_is_refused(log, new_log, tmp_path, origin):
    other = new_log("other", charter=new_charter(origin, kind="opaque"))
    other.append(*entries(3, 7))
    public(other, tmp_path / "public")
    before = files(tmp_path / "public")
    with pytest.raises(Refused) as refused:
        public(log, tmp_path / "public")
    assert refused.value.check == "folder"
    assert files(tmp_path / "public") == before


def test_another_logs_empty_folder_is_refused_too(log, new_log, tmp_path):
    other = new_log("other", charter=new_charter("log.example/other", kind="opaque"))
    public(other, tmp_path / "public")
    with pytest.raises(Refused):
        public(log, tmp_path / "public")


def test_what_nobody_anchored_is_not_gone_back_from(log, tmp_path):
    """The anchor is one batch behind, as after a crash; the folder is not."""
    anchor = (log.folder / "anchor").read_bytes()
    log.append(b"one more")
    public(log, tmp_path / "public")
    overwrite(log.folder / "anchor", anchor)
    with pytest.raises(Held) as held:
        public(log, tmp_path / "public")
    assert held.value.state == "rollback"
    log.append(b"and more")  # recovery takes the batch on
    assert public(log, tmp_path / "public").before == SIZE + 1


def test_a_forked_folder_is_named_as_one(log, tmp_path):
    """Our own key has signed another tree: nothing is written over the proof."""
    with look(log.folder) as seen:
        forged = seen.held.__class__(
            genesis=seen.held.genesis, data=seen.held.data, size=7, root=bytes(32)
        )
        signed = seen.signer.sign(forged)
    (tmp_path / "public").mkdir()
    (tmp_path / "public/checkpoint").write_bytes(signed)
    with pytest.raises(Held) as held:
        public(log, tmp_path / "public")
    assert held.value.state == "forked"


def test_a_folder_that_an_old_key_has_signed_is_gone_on_with(log, tmp_path):
    public(log, tmp_path / "public")
    rotate(log.folder)
    finish(log.folder)
    log.policy = Policy.parse((log.folder / "policy.txt").read_bytes())
    log.append(b"one more")
    assert public(log, tmp_path / "public").before == SIZE
    assert audited(tmp_path / "public", log).size == SIZE + 1


def test_what_cannot_be_signed_is_not_exported(log, tmp_path):
    log.given_up = True
    (log.folder / "anchor").unlink()
    with pytest.raises(Held) as held:
        public(log, tmp_path / "public")
    assert held.value.state == "anchor_missing"
    assert not (tmp_path / "public").exists()


def test_wrong_bytes_are_never_exported(new_log, tmp_path):
    log = new_log()
    log.append(*entries(5_000))  # so that opening does not look at the first
    log.given_up = True
    flip(log.folder, at.ENTRIES, at.index_key(0), 5)
    with pytest.raises(WrongBytes):
        public(log, tmp_path / "public")
    assert not (tmp_path / "public/checkpoint").exists()


# A crash


def steps_of(monkeypatch, log, dest, fail_at):
    """Export, failing at the n-th write or sync; return how many there were."""
    count = 0

    def counted(real):
        def step(*arguments, **options):
            nonlocal count
            count += 1
            if count == fail_at:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        return step

    with monkeypatch.context() as patch:
        for name in ("write_whole", "write_atomically", "sync_path"):
            patch.setattr(publish, name, counted(getattr(publish, name)))
        try:
            public(log, dest)
        except KeyboardInterrupt:
            assert count == fail_at
    return count


def test_a_crash_at_any_step_leaves_a_whole_folder(log, tmp_path, monkeypatch):
    total = steps_of(monkeypatch, log, tmp_path / "counted", 0)
    log.append(*entries(SIZE, SIZE))
    total = steps_of(monkeypatch, log, tmp_path / "counted", 0)
    assert total > 8
    for fail_at in range(1, total + 1):
        dest = tmp_path / str(fail_at)
        TestLog(dest).write()
        (dest / "checkpoint").unlink()
        with look(log.folder) as seen:
            grow(seen, dest)
        steps_of(monkeypatch, log, dest, fail_at)
        assert audited(dest, log).size in (SIZE, 2 * SIZE)
        public(log, dest)
        assert audited(dest, log).size == 2 * SIZE


def grow(seen, dest):
    """An export as it was when the log had SIZE entries."""
    early = seen.held.__class__(
        genesis=seen.held.genesis,
        data=seen.held.data,
        size=SIZE,
        root=seen.reading.root(SIZE),
    )
    seen.held = early
    export(seen, dest, time=TIME)


def test_a_crash_in_the_first_export_leaves_what_the_next_one_completes(
    log, tmp_path, monkeypatch
):
    total = steps_of(monkeypatch, log, tmp_path / "counted", 0)
    for fail_at in range(1, total + 1):
        dest = tmp_path / str(fail_at)
        steps_of(monkeypatch, log, dest, fail_at)
        # As a process leaves it that was killed while it wrote the checkpoint.
        dest.mkdir(exist_ok=True)
        (dest / ".checkpoint.0123456789abcdef").write_bytes(b"half")
        public(log, dest)
        assert audited(dest, log).size == SIZE


def test_a_tile_is_not_written_through_a_link(log, tmp_path):
    dest = tmp_path / "public"
    (dest / "tile/entries").mkdir(parents=True)
    (tmp_path / "mine").write_bytes(b"mine")
    os.symlink(tmp_path / "mine", dest / "tile/entries/000")
    with pytest.raises(Refused, match="is a link"):
        public(log, dest)
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert Path(dest / "checkpoint").exists() is False
