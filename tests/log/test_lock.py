"""One process writes; who comes second is told who it is, and harms nobody."""

import fcntl
import os
import signal
import subprocess
import sys

import pytest

from ledger.errors import Held
from ledger.log.lock import NAME, Lock, is_locked
from ledger.log.log import Log

HOLD = """
import pathlib, sys
from ledger.log.lock import Lock
lock = Lock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def held_elsewhere(folder):
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def refusal(folder):
    with pytest.raises(Held) as caught:
        Lock(folder)
    assert caught.value.state == "locked"
    return str(caught.value)


def test_the_second_is_refused_and_told_who_the_first_is(tmp_path):
    lock = Lock(tmp_path)
    assert f"process {os.getpid()}" in refusal(tmp_path)
    lock.release()


def test_it_holds_against_another_process_and_ends_with_it(tmp_path):
    with held_elsewhere(tmp_path) as process:
        assert f"process {process.pid}" in refusal(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait()
    Lock(tmp_path).release()


def test_what_is_released_can_be_taken_again(tmp_path):
    for _ in range(3):
        Lock(tmp_path).release()


def test_what_a_crash_left_behind_is_in_nobodys_way(tmp_path):
    (tmp_path / NAME).write_text("process 1 and a much longer name than any other\n")
    lock = Lock(tmp_path)
    assert (tmp_path / NAME).read_text() == f"process {os.getpid()}\n"
    lock.release()


def test_one_who_has_not_said_who_it_is_holds_it_all_the_same(tmp_path):
    lock = Lock(tmp_path)
    os.truncate(tmp_path / NAME, 0)
    assert "(unknown)" in refusal(tmp_path)
    lock.release()


def test_what_is_no_text_is_shown_harmlessly(tmp_path):
    lock = Lock(tmp_path)
    (tmp_path / NAME).write_bytes(b"\xff" * 200)
    assert len(refusal(tmp_path)) < 200 + len(str(tmp_path))
    lock.release()


def test_a_link_is_not_followed(tmp_path):
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / NAME).symlink_to(target)
    assert "cannot be opened" in refusal(tmp_path)
    assert target.read_text() == "precious"
    assert not is_locked(tmp_path)


def test_a_folder_that_is_not_there_cannot_be_locked(tmp_path):
    assert "cannot be opened" in refusal(tmp_path / "nowhere")


def test_nobody_else_may_read_it(tmp_path):
    Lock(tmp_path).release()
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_a_refused_lock_leaves_nothing_open(tmp_path):
    lock = Lock(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        refusal(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before
    lock.release()


# Looking


def test_who_only_looks_sees_whether_somebody_writes(tmp_path):
    assert not is_locked(tmp_path)
    lock = Lock(tmp_path)
    assert is_locked(tmp_path)
    lock.release()
    assert not is_locked(tmp_path)


def test_two_who_look_at_once_are_not_taken_for_a_writer(tmp_path):
    Lock(tmp_path).release()
    with (tmp_path / NAME).open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not is_locked(tmp_path)


def test_who_looks_does_not_keep_a_writer_from_starting(tmp_path, monkeypatch):
    Lock(tmp_path).release()
    with (tmp_path / NAME).open() as somebody:
        # Somebody looks just now, and lets go while the writer is patient.
        fcntl.flock(somebody, fcntl.LOCK_SH)
        monkeypatch.setattr(
            "ledger.locks.time.sleep", lambda _: fcntl.flock(somebody, fcntl.LOCK_UN)
        )
        Lock(tmp_path).release()


# Under a log


def test_a_log_has_one_writer_and_a_second_disturbs_nothing(new_log):
    live = new_log()
    with live.open() as log:
        live.append(b"first", log=log)
        for _ in range(3):
            with pytest.raises(Held) as caught:
                Log.open(live.folder)
            assert caught.value.state == "locked"
            assert caught.value.mend
        live.append(b"second", log=log)
        assert is_locked(live.folder)
    assert not is_locked(live.folder)


def test_a_log_that_cannot_be_opened_is_locked_by_nobody(new_log):
    live = new_log()
    (live.folder / "store" / "data.mdb").rename(live.folder / "away")
    with pytest.raises(Held):
        Log.open(live.folder)
    assert not is_locked(live.folder)
    (live.folder / "away").rename(live.folder / "store" / "data.mdb")
