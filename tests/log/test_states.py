"""Every state in which a log does not write has a name, and something that mends it."""

import os
import re
import shutil
from pathlib import Path

import pytest

from ledger.errors import Halted, Held, Unavailable
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.log.states import MENDS, held, mended_by
from ledger.upkeep.birth import init, new_charter, new_keys
from tests.livelog import ORIGIN
from tests.log.fakes import (
    LONG_S,
    SetClock,
    flip_in_tile,
    hold_of,
    numbered,
    spoil_next,
)
from tests.log.test_selfcheck import root_bit

LEDGER = Path(__file__).resolve().parents[2] / "ledger"
RAISED = re.compile(r'\b(?:Held|held)\(\s*"([a-z_]+)"')


def raised():
    """Every state that the code of the ledger names where it is raised."""
    for path in sorted(LEDGER.rglob("*.py")):
        for state in RAISED.findall(path.read_text()):
            yield state, path.name


def test_every_state_that_is_raised_has_its_mending_command():
    assert not [(state, where) for state, where in raised() if state not in MENDS]


def test_every_mending_command_belongs_to_a_state_that_is_raised():
    assert set(MENDS) == {state for state, _ in raised()}


@pytest.mark.parametrize("state", MENDS)
def test_a_state_is_mended_by_something_in_this_folder(state):
    hold = held(state, "what happened", Path("a folder"))
    assert (hold.state, str(hold)) == (state, "what happened")
    assert hold.mend
    assert "{" not in hold.mend
    assert ("{folder}" in MENDS[state]) == ("'a folder'" in hold.mend)


def test_a_folder_cannot_bring_a_command_of_its_own():
    hold = held("clock", "", Path("log; rm -rf ~"))
    assert hold.mend.endswith("provlog resume 'log; rm -rf ~'")


def test_who_knows_better_what_mends_it_is_not_overruled():
    with pytest.raises(Held) as caught, mended_by(Path("log")):
        raise Held("clock", "says", mend="buy a better one")
    assert caught.value.mend == "buy a better one"


def test_other_errors_pass_as_they_are():
    with pytest.raises(Unavailable), mended_by(Path("log")):
        raise Unavailable("full", "no room")


# Whoever is told of a state is told what mends it: the caller who opens the log, who
# asks for its state, who submits, and who waits for an answer already.


def told(log, **options):
    """What a submission is told, at the door or in its answer."""
    with pytest.raises(Held) as caught:
        log.submit([log.admission.admit(b"entry", by="s-1")], **options).wait(LONG_S)
    return caught.value


def test_who_submits_to_a_frozen_log(new_log):
    live = new_log()
    with live.open() as log:
        log.submit([], freeze=True).wait(LONG_S)
        assert told(log).state == "frozen"
        assert told(log).mend
        assert log.hold.state == "frozen"
    with live.open() as log:
        assert told(log).state == "frozen"
        assert told(log).mend


def test_who_submits_while_the_clock_is_doubted(new_log):
    clock = SetClock()
    live = new_log(clock=clock)
    with live.open() as log:
        clock.wall_ms += 60_000
        for _ in range(2):
            hold = told(log)
            assert hold.state == "clock"
            assert str(live.folder) in hold.mend
            assert str(live.folder) in log.hold.mend


def test_who_submits_after_the_log_has_halted(new_log):
    def fails(batch, check):
        raise Halted("input/output error")

    with new_log().open() as log:
        log.store.append = fails
        with pytest.raises(Halted):
            log.append([b"entry"])
        assert told(log).state == log.hold.state == "halted"
        assert told(log).mend


def test_who_submits_to_a_damaged_tree(new_log):
    live = new_log()
    with live.open() as log:
        live.append(*numbered(5), log=log)
        flip_in_tile(log.store, (0, 0), 3)
        spoil_next(log.store, root_bit(0))
        hold = told(log)
        assert hold.state == "damaged"
        assert hold.mend
        flip_in_tile(log.store, (0, 0), 3)


def test_who_asks_a_log_without_keys_for_a_checkpoint(new_log):
    live = new_log()
    (live.folder / "key").unlink()
    with live.open() as log:
        with pytest.raises(Held) as caught:
            log.checkpoint()
        assert caught.value.state == "key_missing"
        assert caught.value.mend
        assert told(log).state == "key_missing"


def test_who_opens_what_is_no_log(tmp_path):
    with pytest.raises(Held) as caught:
        Log.open(tmp_path)
    assert caught.value.state == "absent"
    assert str(tmp_path) in caught.value.mend
    assert not list(tmp_path.iterdir())


def test_who_submits_to_a_copy(new_log):
    live = new_log()
    live.append(b"first")
    store = Home.at(live.folder).open_store(readonly=False)
    with store._env.begin(write=True) as txn:
        txn.put(b"role", b"copy", db=store._databases[b"log"])
    store.close()
    with live.open() as log:
        assert told(log).state == "copy"
        assert str(live.folder) in told(log).mend
        assert log.reading.entry(0) == b"first"
        with pytest.raises(Held) as caught:
            log.checkpoint()
        assert caught.value.mend


def test_who_opens_a_log_of_another_format(new_log):
    live = new_log()
    live.given_up = True
    store = Home.at(live.folder).open_store(readonly=False)
    with store._env.begin(write=True) as txn:
        txn.put(b"format", b"provlog/store/9", db=store._databases[b"log"])
    store.close()
    with pytest.raises(Held, match="provlog/store/9") as caught:
        Log.open(live.folder)
    assert caught.value.state == "format"
    assert caught.value.mend


def test_who_keeps_a_log_on_the_disk_of_another_machine(new_log, monkeypatch):
    live = new_log()
    with monkeypatch.context() as patch:
        patch.setattr("ledger.store.disk.filesystem_of", lambda _: "nfs4")
        with pytest.raises(Held, match="nfs4") as caught:
            Log.open(live.folder)
    assert caught.value.state == "remote_disk"
    assert caught.value.mend


# Folders that were copied, and keys


@pytest.fixture
def live(new_log):
    live = new_log()
    live.append(*numbered(6))
    return live


def test_a_copied_folder_is_not_written_to(live, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(live.folder, copy)
    with Log.open(copy) as log:
        assert log.hold.state == "cloned"
        assert str(copy) in log.hold.mend
        with pytest.raises(Held):
            log.append([b"entry"])
    live.append(b"entry 6")


def test_a_copied_data_file_is_not_written_to(live):
    data = live.folder / "store" / "data.mdb"
    shutil.copy(data, data.with_name("copy"))
    os.replace(data.with_name("copy"), data)
    assert hold_of(live) == "replaced"


def test_a_folder_that_was_only_renamed_is_the_same_log(live):
    moved = live.folder.rename(live.folder.with_name("moved"))
    with Log.open(moved) as log:
        assert log.hold is None
    moved.rename(live.folder)


def test_the_keys_of_another_log(live, new_log):
    other = new_log("other")
    (live.folder / "key").write_bytes((other.folder / "key").read_bytes())
    assert hold_of(live) == "wrong_key"


@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        (lambda path: path.unlink(), "key_missing"),
        (lambda path: path.write_bytes(b"nonsense"), "key_damaged"),
        (lambda path: path.chmod(0o644), "key_exposed"),
    ],
    ids=["gone", "damaged", "exposed"],
)
def test_keys_that_cannot_be_used(live, spoil, state):
    spoil(live.folder / "key")
    assert hold_of(live) == state
    with live.open() as log:
        assert log.reading.entries(0, 6) == numbered(6)
        with pytest.raises(Held) as caught:
            log.checkpoint()
        assert caught.value.state == state


@pytest.mark.parametrize("reads", [True, False], ids=["who reads", "who writes"])
def test_root_leaves_no_file_that_the_user_of_the_log_cannot_open(
    live, monkeypatch, reads
):
    lock, real = live.folder / "store" / "lock.mdb", os.stat
    lock.unlink()

    def stat(*given, **options):
        found = real(*given, **options)
        return os.stat_result((*found[:4], 4711, *found[5:]))

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(Held) as caught, mended_by(live.folder):
        Home.at(live.folder).open_store(readonly=reads)
    assert caught.value.state == "wrong_user"
    assert "as the user whose log it is" in caught.value.mend
    assert not lock.exists()


def test_a_state_that_is_told_at_the_start_is_an_event(new_log, caplog):
    live = new_log()
    (live.folder / "anchor").unlink()
    live.given_up = True
    with live.open():
        pass
    (record,) = [each for each in caplog.records if each.message.startswith("held ")]
    assert record.levelname == "ERROR"
    assert "state=anchor_missing" in record.message


def test_a_mistake_that_is_no_state_closes_what_was_opened(new_log, monkeypatch):
    live = new_log()

    def fails(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("ledger.log.log.check_store", fails)
        with pytest.raises(ZeroDivisionError):
            Log.open(live.folder)
    live.append(b"the lock was let go of")


def test_a_birth_that_cannot_go_on_says_what_mends_it(tmp_path):
    charter = new_charter(ORIGIN, kind="opaque")
    (tmp_path / "log").mkdir()
    init(tmp_path / "log", charter, new_keys(charter))
    (tmp_path / "log" / "log.toml").write_text("x")
    with pytest.raises(Held) as caught:
        Log.open(tmp_path / "log")
    assert caught.value.state == "config"
    assert caught.value.mend
