"""The key file is nobody else's, from its first moment, and no crash halves it.

What is checked is the file that was opened, not the one that had its name before.
"""

import errno
import os
import secrets
import stat
import subprocess
import sys

import pytest

from ledger.errors import Held
from ledger.keys.keyfile import (
    KeyFile,
    SigningKey,
    read_key_file,
    read_note_key,
    write_key_file,
)
from ledger.keys.private import MAX_BYTES
from verifier.keys import KeyType

OLD, NEW = (
    KeyFile((SigningKey("log.example/keys", KeyType.ED25519, seed * 32),), bytes(16))
    for seed in (b"\x01", b"\x02")
)

CRASH = """
import os, pathlib, sys
from ledger.keys.keyfile import KeyFile, write_key_file
path, call, turn, text = pathlib.Path(sys.argv[1]), *sys.argv[2:]
calls, real = [], getattr(os, call)
def crash(*arguments):
    calls.append(call)
    os._exit(9) if len(calls) == int(turn) else real(*arguments)
setattr(os, call, crash)
write_key_file(path, KeyFile.parse(text))
"""

READ = """
import pathlib, sys
from ledger.keys.keyfile import read_key_file
read_key_file(pathlib.Path(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path):
    write_key_file(tmp_path / "log.keys", OLD)
    return tmp_path / "log.keys"


def refused(path, state, words):
    """What both readers say about a file that neither may read."""
    for read in (read_key_file, read_note_key):
        with pytest.raises(Held, match=words) as caught:
            read(path)
        assert caught.value.state == state
    return caught.value


# Who can reach it


@pytest.mark.parametrize("mode", range(0o601, 0o700), ids="{:o}".format)
def test_a_file_that_others_can_reach_is_refused(path, mode):
    path.chmod(mode)
    error = refused(path, "key_exposed", f"mode 0{mode:o}.* freeze the log")
    assert error.mend == f"chmod 600 {path}"


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700], ids="{:o}".format)
def test_a_file_that_only_its_owner_can_reach_is_read(path, mode):
    path.chmod(mode)
    assert read_key_file(path) == OLD


def test_the_command_that_mends_the_mode_can_be_pasted(tmp_path):
    path = tmp_path / "my keys; all"
    write_key_file(path, OLD)
    path.chmod(0o644)
    error = refused(path, "key_exposed", "mode 0644")
    subprocess.run(error.mend, shell=True, check=True)  # noqa: S602 - as pasted
    assert read_key_file(path) == OLD


def owned_by(monkeypatch, owner, *, read_by):
    """Have every file be of `owner`, as only root could, and us be `read_by`."""
    real = os.fstat
    monkeypatch.setattr(
        os, "fstat", lambda n: os.stat_result((*real(n)[:4], owner, *real(n)[5:]))
    )
    monkeypatch.setattr(os, "geteuid", lambda: read_by)


def test_a_file_of_somebody_else_is_refused_also_by_root(path, monkeypatch):
    for reader in (4711, 0):
        owned_by(monkeypatch, 4712, read_by=reader)
        error = refused(path, "key_exposed", "belongs to user 4712, who can")
        assert error.mend == f"chown {reader} {path}"
        monkeypatch.undo()


@pytest.mark.parametrize("owner", [4711, 0], ids=["our own", "root's"])
def test_a_file_of_ours_or_of_root_is_read(path, monkeypatch, owner):
    owned_by(monkeypatch, owner, read_by=4711)
    assert read_key_file(path) == OLD


def owners(monkeypatch, *, file, folder, user):
    """Have the file and its folder be of these users, and us be `user`."""
    owned_by(monkeypatch, file, read_by=user)
    real = os.stat

    def told(path, **options):
        found = real(path, **options)
        owner = folder if stat.S_ISDIR(found.st_mode) else file
        return os.stat_result((*found[:4], owner, *found[5:]))

    monkeypatch.setattr(os, "stat", told)


def test_who_gives_a_command_as_root_is_told_whose_log_it_is(path, monkeypatch):
    # The log of a service: chown would shut it out, and nobody has got at the key.
    owners(monkeypatch, file=4712, folder=4712, user=0)
    error = refused(path, "wrong_user", "to user 4712, and this .* as user root")
    assert "as that user: runuser -u 4712 -- provlog" in error.mend
    assert "chown" not in error.mend


def test_a_key_of_root_in_the_folder_of_a_user_is_given_back(path, monkeypatch):
    owners(monkeypatch, file=0, folder=4711, user=4711)

    def shut(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", shut)
    error = refused(path, "wrong_user", "belongs to user root, and")
    assert error.mend == f"as root: chown 4711 {path}"


# What it is


def test_a_link_is_not_followed(tmp_path, path):
    (tmp_path / "link").symlink_to(path)
    error = refused(tmp_path / "link", "key_exposed", "link is a link, or no regular")
    assert error.mend == f"put the key file itself at {tmp_path / 'link'}"


def test_a_folder_is_refused_and_left_closed(tmp_path):
    before = os.listdir("/dev/fd")
    refused(tmp_path, "key_exposed", "no regular file")
    assert os.listdir("/dev/fd") == before


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    command = [sys.executable, "-c", READ, str(tmp_path / "pipe")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    assert b"Held: " in done.stderr
    assert b"no regular file" in done.stderr


def test_a_file_that_is_swapped_after_it_was_opened_is_refused(path, monkeypatch):
    real = os.open

    def open_and_swap(name, *arguments):
        path.chmod(0o644)
        number = real(name, *arguments)
        os.unlink(path)
        monkeypatch.undo()
        write_key_file(path, NEW)
        return number

    monkeypatch.setattr(os, "open", open_and_swap)
    with pytest.raises(Held, match="mode 0644"):
        read_key_file(path)
    assert read_key_file(path) == NEW


def test_a_file_that_is_not_there_is_named(tmp_path):
    error = refused(tmp_path / "none", "key_missing", "none cannot be read: No such")
    assert error.mend.endswith(f"or its backup, at {tmp_path / 'none'}")


def test_a_path_that_leads_through_a_file_is_named(path):
    refused(path / "keys", "key_missing", "keys cannot be read: Not a directory")


def test_a_file_that_is_too_large_is_not_read_to_its_end(path):
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    refused(path, "key_damaged", f"it has more than {MAX_BYTES} bytes")
    path.write_bytes(b"x" * MAX_BYTES)
    with pytest.raises(Held, match="the last line is not"):
        read_key_file(path)


def test_a_file_that_is_no_text_is_refused(path):
    path.write_bytes(OLD.text().encode() + b"\xff")
    refused(path, "key_damaged", "it is not valid UTF-8")


# How it is written


def test_a_new_file_is_private_from_its_first_moment(tmp_path, monkeypatch):
    modes, real = [], os.open

    def watched(*arguments):
        number = real(*arguments)
        modes.append(stat.filemode(os.fstat(number).st_mode))
        return number

    monkeypatch.setattr(os, "open", watched)
    umask = os.umask(0)
    try:
        write_key_file(tmp_path / "log.keys", OLD)
    finally:
        os.umask(umask)
    assert modes[0] == "-rw-------"
    assert stat.S_IMODE((tmp_path / "log.keys").stat().st_mode) == 0o600


def test_a_replaced_file_leaves_nothing_and_its_mode_is_mended(tmp_path, path):
    path.chmod(0o644)
    write_key_file(path, NEW)
    assert read_key_file(path) == NEW
    assert os.listdir(tmp_path) == ["log.keys"]


@pytest.mark.parametrize(
    ("call", "turn", "left"),
    [("fsync", 1, OLD), ("replace", 1, OLD), ("fsync", 2, NEW)],
    ids=["before the file is durable", "before it has its name", "after"],
)
def test_a_crash_leaves_the_old_keys_or_the_new(path, call, turn, left):
    arguments = [str(path), call, str(turn), NEW.text()]
    command = [sys.executable, "-c", CRASH, *arguments]
    assert subprocess.run(command, check=False, timeout=20).returncode == 9
    assert read_key_file(path) == left
    for each in path.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600


def test_a_link_laid_in_its_way_is_not_followed(tmp_path, path, monkeypatch):
    (tmp_path / "public").write_bytes(b"old")
    (tmp_path / ".log.keys.0011").symlink_to(tmp_path / "public")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0011")  # as if it was guessed
    with pytest.raises(Held, match=r"cannot be written to .*log\.keys: File exists"):
        write_key_file(path, NEW)
    assert (tmp_path / "public").read_bytes() == b"old"
    assert read_key_file(path) == OLD


def test_keys_that_cannot_be_written_are_named_and_not_left_about(tmp_path):
    (tmp_path / "folder").mkdir()
    for name, words in [("folder", "Is a dir"), ("nowhere/keys", "No such")]:
        with pytest.raises(Held, match=f"{name}: {words}") as caught:
            write_key_file(tmp_path / name, OLD)
        assert caught.value.state == "key_unwritten"
    assert os.listdir(tmp_path) == ["folder"]
