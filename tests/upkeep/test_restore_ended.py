"""A restore that cannot be done, or is ended, leaves what it found, or all it takes.

Whoever is asked is asked before anything has changed; and where a machine stops
between two names, the same command finishes what was begun.
"""

import os
import shutil

import pytest

from ledger.errors import Held, Refused
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests.upkeep.mending import SIZE, checkpoint, lost, mend, refusal, state_of
from tests.upkeep.spoil import flip_file, public


def killed(log, monkeypatch, copy):
    """Restore from a copy, up to the moment at which there is no store."""
    rename = os.rename

    def kill(source, dest):
        if str(dest).endswith("/store"):
            raise KeyboardInterrupt
        rename(source, dest)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", kill)
        with pytest.raises(KeyboardInterrupt):
            restore(log.folder, Evidence(copies=[str(copy)]))
    assert not (log.folder / "store").exists()


def left(log):
    return [each.name for each in log.folder.glob(".store.*")]


# Ended between two names


@pytest.mark.parametrize("kept", ["both", "new", "old"])
def test_what_only_the_log_had_outlives_a_restore_that_was_ended(
    log, copy, monkeypatch, kept
):
    log.append(b"in no copy")
    killed(log, monkeypatch, copy)
    for name, gone in (("store.old-*", "new"), (".store.*", "old")):
        if kept == gone:
            [path] = log.folder.glob(name)
            shutil.rmtree(path)
    assert mend(log, copies=[str(copy)]).head.size == SIZE + 1
    assert not left(log)


def test_it_is_finished_without_a_copy_too(log, copy, monkeypatch):
    log.append(b"in no copy")
    killed(log, monkeypatch, copy)
    assert mend(log).head.size == SIZE + 1


def test_a_part_that_nobody_has_checked_is_not_taken_for_the_store(
    log, copy, monkeypatch
):
    killed(log, monkeypatch, copy)
    [part] = log.folder.glob(".store.*")
    flip_file(part / "data.mdb", 30_000)
    mend(log, copies=[str(copy)])


def test_what_an_ended_restore_has_left_is_removed_by_the_next(log, copy):
    (log.folder / ".store.0123456789abcdef").mkdir()
    mend(log, copies=[str(copy)])
    assert not left(log)


# Refused before anything has changed


def test_targets_are_asked_before_the_store_is_replaced(log, copy):
    toml = log.folder / "log.toml"
    toml.write_text('min_free_bytes = 0\ntargets = ["../public"]\n')
    before = (log.folder / "store/data.mdb").stat().st_ino
    assert refusal(log, copies=[str(copy)]) == "target_silent"
    assert (log.folder / "store/data.mdb").stat().st_ino == before
    toml.write_text("min_free_bytes = 0\n")
    assert state_of(log.folder) is None


def test_what_is_lost_for_good_has_a_way_out(log, copy):
    log.append(b"in no copy")
    shutil.rmtree(log.folder / "store")
    log.given_up = True
    with pytest.raises(Held, match="provlog restore NEWDIR --from COPY --origin NAME"):
        restore(log.folder, Evidence(copies=[str(copy)]))


def test_a_lost_log_is_never_answered_with_a_new_one(log, tmp_path):
    with pytest.raises(Held) as held:
        restore(tmp_path / "two words", Evidence())
    assert held.value.state == "absent"
    assert f"'{tmp_path}/two words'" in held.value.mend
    assert "init" not in held.value.mend
    shutil.rmtree(log.folder / "store")
    log.given_up = True
    with pytest.raises(Held, match="is gone") as held:
        restore(log.folder, Evidence())
    assert held.value.state == "absent"
    assert "--from COPY" in held.value.mend
    assert "init" not in held.value.mend


# A folder with nothing but the key


@pytest.fixture
def bare(log, copy, tmp_path):
    """A new folder with the key of the log, which is gone."""
    key = (log.folder / "key").read_bytes()
    newest = checkpoint(log)
    shutil.rmtree(log.folder)
    log.folder.mkdir()
    (log.folder / "key").write_bytes(key)
    (log.folder / "key").chmod(0o600)
    return {"copies": [str(copy)], "checkpoints": [newest]}


def test_settings_come_from_the_backup_and_the_policy_from_the_key(log, copy, bare):
    policy = (copy / "policy.txt").read_bytes()
    (copy / "policy.txt").write_bytes(b"quorum none\n")
    done = mend(log, **bare)
    assert (log.folder / "policy.txt").read_bytes() == policy
    settings = (log.folder / "log.toml").read_bytes()
    assert settings == (copy / "log.toml").read_bytes()
    assert [each.split(",")[0] for each in done.written] == ["log.toml", "policy.txt"]


def test_targets_in_the_settings_of_a_backup_are_asked(log, copy, bare):
    (copy / "log.toml").write_text('targets = ["../public"]\n')
    log.given_up = True
    assert refusal(log, **bare) == "target_silent"


def test_settings_that_are_there_stay(log, copy, bare):
    (log.folder / "log.toml").write_text("min_free_bytes = 1\n")
    mend(log, **bare)
    assert (log.folder / "log.toml").read_text() == "min_free_bytes = 1\n"


@pytest.mark.parametrize("name", ["anchor", "key"])
def test_a_backup_does_not_say_where_anything_is_written(log, copy, bare, name):
    (copy / "log.toml").write_text(f'{name} = "../elsewhere"\n')
    log.given_up = True
    with pytest.raises(Refused, match="no copy is believed"):
        restore(log.folder, Evidence(**bare))


# Nothing newer than the copies


def test_it_is_said_that_only_the_copies_vouch_for_there_being_no_more(
    log, copy, tmp_path
):
    older = (copy / "checkpoint").read_bytes()
    log.append(b"newer")
    evidence = lost(log, tmp_path)
    given = {"kind": "opaque", "dedupe": False}
    assert restore(log.folder, Evidence(**evidence, **given)).hearsay
    log.append(b"newest")
    newest = checkpoint(log)
    public(log, tmp_path / "public")
    copies = [str(copy), str(tmp_path / "public")]
    assert not restore(log.folder, Evidence(copies=copies)).hearsay
    (log.folder / "anchor").unlink()
    done = restore(log.folder, Evidence(copies=[str(copy)], checkpoints=[newest]))
    assert not done.hearsay
    (log.folder / "anchor").unlink()
    done = restore(log.folder, Evidence(copies=copies, checkpoints=[older]))
    assert done.hearsay
