"""A folder that was put back, copied, or mixed up forks nothing: it is held, and named.

Each way in which a folder can lie about what was promised has its state, and what
mends it. After that the log writes again, and every earlier answer still holds.
"""

import os
import shutil

import pytest

from ledger.errors import Held
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.store.environment import DATA
from ledger.upkeep import restore as restoring
from ledger.upkeep.birth import new_charter
from ledger.upkeep.copies import backup
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import restore
from tests.livelog import ORIGIN
from tests.loopback import Server, folder, running
from tests.spoiling import flipped
from tests.upkeep.mending import (
    NEW,
    SIZE,
    checkpoint,
    mend,
    refusal,
    state_of,
)
from tests.upkeep.spoil import (
    entries,
    overwrite,
    public,
)

# An older state was put back


def test_an_older_store_is_a_rollback_and_mended_from_an_export(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    old = (log.folder / "store" / DATA).read_bytes()
    log.append(*NEW)
    public(log, tmp_path / "public")
    overwrite(log.folder / "store" / DATA, old)
    assert state_of(log.folder) == "rollback"
    assert refusal(log) == "rollback"
    assert refusal(log, copies=[str(tmp_path / "backup")]) == "rollback"
    done = mend(log, copies=[str(tmp_path / "public")])
    assert done.built
    assert done.aside.name.startswith("store.old-")
    assert (done.aside / DATA).read_bytes() == old
    earlier = log.folder / "promised"
    assert [each.who.partition(f" ({earlier}/")[0] for each in done.promises] == [
        "the anchor",
        str(tmp_path / "public"),
        "an earlier restore was shown",  # what lies with the backup, which was refused
    ]
    assert not earlier.exists()


def test_an_older_store_comes_up_to_date_at_an_address(log, tmp_path):
    old = (log.folder / "store" / DATA).read_bytes()
    log.append(*NEW)
    public(log, tmp_path / "public")
    overwrite(log.folder / "store" / DATA, old)
    with running(Server()) as server:
        server.behaviours = [folder(tmp_path / "public")]
        mend(log, copies=[server.prefix])


def test_an_older_anchor_is_no_word_on_what_was_promised_last(log):
    old = (log.folder / "anchor").read_bytes()
    log.append(b"one")
    log.append(b"two")
    newest = checkpoint(log)
    overwrite(log.folder / "anchor", old)
    assert state_of(log.folder) == "anchor_behind"
    assert refusal(log) == "anchor_behind"
    mend(log, checkpoints=[newest])


@pytest.mark.parametrize("kept", [True, False], ids=["with", "without"])
def test_a_folder_put_back_with_its_anchor_is_found_out_by_a_target(
    new_log, tmp_path, kept
):
    log = new_log(settings='targets = ["../public"]\n' if kept else "")
    if kept:
        assert state_of(log.folder) == "target_silent"
        log.folder.joinpath("log.toml").write_text("min_free_bytes = 0\n")
    log.append(*entries(SIZE))
    old = {
        name: (log.folder / name).read_bytes() for name in ("anchor", f"store/{DATA}")
    }
    log.append(*NEW)
    public(log, tmp_path / "public")
    if kept:
        toml = log.folder / "log.toml"
        toml.write_text('min_free_bytes = 0\ntargets = ["../public"]\n')
    for name, data in old.items():
        overwrite(log.folder / name, data)
    if not kept:
        # Nothing outside the folder is asked: this is what `unprotected` means.
        assert state_of(log.folder) is None
        log.given_up = True
        return
    assert state_of(log.folder) == "rollback"
    assert refusal(log) == "rollback"
    done = mend(log, copies=[str(tmp_path / "public")])
    assert done.head.size == SIZE + len(NEW)


def test_a_target_that_is_silent_is_waited_for_or_left_out_by_name(log, tmp_path):
    toml = log.folder / "log.toml"
    toml.write_text('min_free_bytes = 0\ntargets = ["../public"]\n')
    assert state_of(log.folder) == "target_silent"
    assert state_of(log.folder, without=["../public"]) is None
    assert refusal(log) == "target_silent"
    assert refusal(log, without=["nobody"]) == "config"
    restore(log.folder, Evidence(without=["../public"]))
    toml.write_text("min_free_bytes = 0\n")
    public(log, tmp_path / "public")
    toml.write_text('min_free_bytes = 0\ntargets = ["../public"]\n')
    mend(log)


# Copied and moved


def copied(log, dest):
    """The log's folder, copied with all its files."""
    shutil.copytree(log.folder, dest)
    return dest


def test_a_copied_folder_is_held_and_the_original_goes_on(log, tmp_path):
    copy = copied(log, tmp_path / "copy")
    assert state_of(copy) == "cloned"
    with pytest.raises(Held) as held:
        restore(copy, Evidence())
    assert held.value.state == "cloned"
    assert "--moved" in held.value.mend
    assert state_of(log.folder) is None
    log.append(b"goes on")


def test_a_folder_that_was_moved_under_another_name_just_goes_on(log, tmp_path):
    shutil.move(log.folder, tmp_path / "elsewhere")
    log.folder = tmp_path / "elsewhere"
    assert state_of(log.folder) is None
    log.append(b"goes on")


def test_a_folder_that_was_moved_by_copying_takes_somebodys_word(log, tmp_path):
    copy = copied(log, tmp_path / "copy")
    shutil.rmtree(log.folder)
    log.folder = copy
    assert state_of(copy) == "cloned"
    mend(log, moved=True)


def test_a_data_file_that_was_replaced_by_a_copy_of_it_is_held(log, tmp_path):
    data = log.folder / "store" / DATA
    shutil.copy(data, tmp_path / DATA)
    os.replace(tmp_path / DATA, data)
    assert state_of(log.folder) == "replaced"
    mend(log)


def test_a_backup_put_into_a_log_stays_a_copy(log, tmp_path):
    backup(log.folder, tmp_path / "backup")
    shutil.copy(tmp_path / "backup/store" / DATA, log.folder / "store" / DATA)
    assert state_of(log.folder) == "copy"
    assert refusal(log) == "copy"
    mend(log, copies=[str(tmp_path / "backup")])


# No anchor


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_without_an_anchor_it_takes_the_newest_checkpoint(log, how):
    newest = checkpoint(log)
    anchor = log.folder / "anchor"
    if how == "missing":
        anchor.unlink()
    else:
        overwrite(anchor, bytes(8192))
    assert state_of(log.folder) == f"anchor_{how}"
    assert refusal(log) == f"anchor_{how}"
    done = mend(log, checkpoints=[newest])
    assert [each.who for each in done.promises] == ["a checkpoint"]


def test_a_checkpoint_that_is_larger_than_the_store_is_a_rollback(log):
    old = (log.folder / "store" / DATA).read_bytes()
    log.append(*NEW)
    newest = checkpoint(log)
    overwrite(log.folder / "store" / DATA, old)
    (log.folder / "anchor").unlink()
    log.given_up = True
    assert refusal(log, checkpoints=[newest]) == "rollback"


# Counted from the end: the newline, the log's signature before the line for COSE
# receipts, which says nothing here, and the text.
@pytest.mark.parametrize("bit", [0, 1_500, 2_200])
def test_a_forged_checkpoint_is_refused(log, bit):
    newest = checkpoint(log)
    (log.folder / "anchor").unlink()
    log.given_up = True
    assert refusal(log, checkpoints=[flipped(newest, bit)]) == "checkpoint"


def test_another_logs_checkpoint_is_refused(log, new_log):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    other.append(*entries(7))
    strange = checkpoint(other)
    (log.folder / "anchor").unlink()
    log.given_up = True
    assert refusal(log, checkpoints=[strange]) == "checkpoint"
    assert refusal(log, checkpoints=[b"no note"]) == "checkpoint"


def test_a_checkpoint_of_another_history_is_a_fork(log):
    """Our own key has signed it: nothing here mends that."""
    with log.open() as opened:
        forged = opened._anchor.held.__class__(
            genesis=log.charter.genesis, data=bytes(16), size=7, root=bytes(32)
        )
    keys = Home.at(log.folder)
    signer = restoring.open_signer(keys, store := keys.open_store(readonly=True))
    store.close()
    assert refusal(log, checkpoints=[signer.sign(forged)]) == "forked"


# Another log's files, or none


def test_another_logs_store_is_not_written_to(log, new_log):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    other.append(*entries(7))
    log.given_up = True
    shutil.rmtree(log.folder / "store")
    shutil.copytree(other.folder / "store", log.folder / "store")
    assert state_of(log.folder) == "wrong_log"


def test_another_logs_anchor_is_not_believed(log, new_log):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    log.given_up = True
    (log.folder / "anchor").unlink()
    os.link(other.folder / "anchor", log.folder / "anchor")
    assert state_of(log.folder) == "wrong_log"
    assert refusal(log) == "wrong_log"


def test_another_logs_key_signs_nothing(log, new_log):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    log.given_up = True
    overwrite(log.folder / "key", (other.folder / "key").read_bytes())
    assert state_of(log.folder) == "wrong_key"
    assert refusal(log) == "wrong_log"


def test_another_logs_backup_is_refused(log, new_log, tmp_path):
    other = new_log("other", charter=new_charter(ORIGIN, kind="opaque"))
    other.append(*entries(SIZE + 9))
    backup(other.folder, tmp_path / "backup")
    assert refusal(log, copies=[str(tmp_path / "backup")]) == "wrong_log"


def test_an_empty_or_damaged_folder_has_its_name(log, tmp_path):
    (tmp_path / "empty").mkdir()
    for where in ("nowhere", "empty"):
        with pytest.raises(Held) as held:
            Log.open(tmp_path / where)
        assert held.value.state == "absent"
    for where, state in {"nowhere": "absent", "empty": "key_missing"}.items():
        with pytest.raises(Held) as held:
            restore(tmp_path / where, Evidence())
        assert held.value.state == state
    log.given_up = True
    overwrite(log.folder / "store" / DATA, b"")
    with pytest.raises(Held) as held:
        Log.open(log.folder)
    assert held.value.state == "damaged"
    assert refusal(log) == "damaged"
