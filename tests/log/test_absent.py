"""Where a log was, nobody is told to make one: a new log of an old name is a fork."""

import shutil
from pathlib import Path

import pytest

from ledger.errors import Held
from ledger.log.log import Log
from ledger.log.look import look
from ledger.log.states import absent
from tests.livelog import ORIGIN


@pytest.fixture
def lost(new_log):
    """The folder of a log of two entries, whose store is gone."""
    live = new_log()
    live.append(b"one", b"two")
    live.given_up = True
    shutil.rmtree(live.folder / "store")
    return live.folder


def told(folder):
    hold = absent(folder)
    assert hold.state == "absent"
    return str(hold), hold.mend


def test_a_store_that_is_gone_is_told_with_its_name_and_its_size(lost):
    says, mend = told(lost)
    assert says == f"the store of {ORIGIN} (size 2 by its anchor) is gone"
    assert mend == f"provlog restore {lost} --from COPY"


@pytest.mark.parametrize("opened", [Log.open, lambda folder: look(folder).__enter__()])
def test_whoever_opens_it_is_told_so(lost, opened):
    with pytest.raises(Held, match="is gone") as caught:
        opened(lost)
    assert "init" not in caught.value.mend


def test_a_data_file_that_is_gone_is_a_store_that_is_gone(new_log):
    live = new_log()
    live.given_up = True
    (live.folder / "store" / "data.mdb").unlink()
    with pytest.raises(Held, match="is gone") as caught:
        Log.open(live.folder)
    assert "restore" in caught.value.mend


@pytest.mark.parametrize("name", ["anchor", "key"])
def test_one_file_that_is_left_of_a_log_is_enough(lost, name):
    (lost / name).unlink()
    says, mend = told(lost)
    assert "is gone" in says
    assert ("size 2" in says) == (name == "key")
    assert (ORIGIN in says) == (name == "anchor")
    assert "restore" in mend


def test_an_anchor_that_is_elsewhere_is_looked_for_there(lost, tmp_path):
    (lost / "anchor").rename(tmp_path / "far")
    (lost / "key").unlink()
    (lost / "log.toml").write_text('anchor = "../far"\n')
    assert "size 2" in told(lost)[0]


@pytest.mark.parametrize("name", ["store.old-01ab", ".store.01ab"])
def test_what_a_restore_has_left_is_named(tmp_path, name):
    (tmp_path / name).mkdir()
    says, mend = told(tmp_path)
    assert name in says
    assert "restore" in mend


def test_only_where_there_was_never_one_it_is_said_how_to_make_one(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert told(folder)[1].startswith(f"provlog init {folder} --origin NAME")


def test_a_folder_of_other_things_is_not_offered_to_init(tmp_path):
    (tmp_path / "photo").touch()
    says, mend = told(tmp_path)
    assert "something else is" in says
    assert "provlog init" not in mend


def test_a_file_is_no_folder(tmp_path):
    path = tmp_path / "file"
    path.touch()
    for caught in (lambda: told(path)[0], lambda: _refused(path)):
        assert "is not a folder" in caught()


def _refused(path: Path):
    with pytest.raises(Held) as caught:
        Log.open(path)
    return str(caught.value)
