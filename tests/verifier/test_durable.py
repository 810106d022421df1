"""A file is replaced whole or not at all, whenever the machine stops."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from verifier.durable import write_atomically
from verifier.errors import Unavailable

CRASH = """
import os, pathlib, sys
from verifier.durable import write_atomically
setattr(os, sys.argv[2], lambda *_: os._exit(9))
write_atomically(pathlib.Path(sys.argv[1]), b"new")
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


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unavailable, match=r"folder cannot be written: Is a directory"):
        write_atomically(tmp_path / "folder", b"new")
    assert os.listdir(tmp_path) == ["folder"]
    with pytest.raises(Unavailable, match="No such file"):
        write_atomically(tmp_path / "nowhere" / "state", b"new")
