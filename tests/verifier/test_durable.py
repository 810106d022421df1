"""A file is replaced whole or not at all, whenever the machine stops.

And one process at a time has the right to replace it.
"""

import os
import secrets
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from verifier.durable import locked, write_atomically
from verifier.errors import Unavailable

CRASH = """
import os, pathlib, sys
from verifier.durable import write_atomically
setattr(os, sys.argv[2], lambda *_: os._exit(9))
write_atomically(pathlib.Path(sys.argv[1]), b"new")
"""

HOLD = """
import pathlib, sys
from verifier.durable import locked
with locked(pathlib.Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_file_is_made_and_replaced(tmp_path):
    for data in (b"old", b"", b"new"):
        write_atomically(tmp_path / "state", data)
        assert (tmp_path / "state").read_bytes() == data
    assert os.listdir(tmp_path) == ["state"]


def test_a_name_without_a_folder_is_in_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atomically(Path("state"), b"new")
    assert (tmp_path / "state").read_bytes() == b"new"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_crash_before_the_last_step_leaves_the_old_file(tmp_path, call):
    state = tmp_path / "state"
    state.write_bytes(b"old")
    command = [sys.executable, "-c", CRASH, str(state), call]
    assert subprocess.run(command, check=False, timeout=20).returncode == 9
    assert state.read_bytes() == b"old"
    write_atomically(state, b"new")
    assert state.read_bytes() == b"new"


def test_what_a_crash_left_behind_is_in_nobodys_way(tmp_path):
    # In a container every process may have the same number.
    (tmp_path / f".state.{os.getpid()}").write_bytes(b"half")
    write_atomically(tmp_path / "state", b"new")
    assert (tmp_path / "state").read_bytes() == b"new"


def test_a_link_laid_in_its_way_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "precious").write_bytes(b"old")
    (tmp_path / ".state.0011").symlink_to(tmp_path / "precious")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0011")  # as if it was guessed
    with pytest.raises(Unavailable, match="state cannot be written: File exists"):
        write_atomically(tmp_path / "state", b"new")
    assert (tmp_path / "precious").read_bytes() == b"old"


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unavailable, match=r"folder cannot be written: Is a directory"):
        write_atomically(tmp_path / "folder", b"new")
    assert os.listdir(tmp_path) == ["folder"]
    with pytest.raises(Unavailable, match="No such file"):
        write_atomically(tmp_path / "nowhere" / "state", b"new")


# One at a time


@contextmanager
def holding(path):
    """Another process has the lock of `path`."""
    command = [sys.executable, "-c", HOLD, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"locked\n"
        yield process
        process.kill()


def test_what_another_process_is_at_work_on_is_refused_at_once(tmp_path):
    state = tmp_path / "state"
    with (
        holding(state),
        pytest.raises(Unavailable, match=r"another process is at work on .*state$"),
        locked(state),
    ):
        pytest.fail("two processes have one lock")


def test_another_file_is_nobodys_business(tmp_path):
    with holding(tmp_path / "state"), locked(tmp_path / "other"):
        pass


def test_a_process_that_was_killed_leaves_no_lock_behind(tmp_path):
    state = tmp_path / "state"
    with holding(state) as process:
        process.kill()
        process.wait(20)
        with locked(state):
            assert not state.exists()


def test_the_lock_is_let_go_when_the_work_fails(tmp_path):
    state = tmp_path / "state"
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locked(state):
            _ = 1 / 0


def test_a_lock_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "precious").touch()
    (tmp_path / "state.lock").symlink_to(tmp_path / "precious")
    with (
        pytest.raises(Unavailable, match=r"state\.lock cannot be opened: "),
        locked(tmp_path / "state"),
    ):
        pytest.fail("a link was followed")
    with (
        pytest.raises(Unavailable, match="cannot be opened: No such file"),
        locked(tmp_path / "nowhere" / "state"),
    ):
        pytest.fail("a lock nowhere")
