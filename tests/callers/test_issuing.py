"""An operator gives tokens out and takes them back; no command undoes another's."""

import fcntl
import os
import resource
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ledger.callers import issuing
from ledger.callers.issuing import create, revoke
from ledger.callers.tokenfile import (
    MAX_BYTES,
    MAX_TOKENS,
    SCOPES,
    Row,
    listed,
    write_rows,
)
from ledger.errors import Held, Refused, Unavailable

ROOT = Path(__file__).parents[2]
NOW = 1_790_000_000_000

MAKE = """
import sys
from pathlib import Path
from ledger.callers.issuing import create
for _ in range(10):
    create(Path(sys.argv[1]), scopes=["read"], now_ms=1)
"""
DIE = """
import os, sys
from pathlib import Path
from ledger.callers.issuing import create
setattr(os, sys.argv[2], lambda *_: os._exit(9))
create(Path(sys.argv[1]), scopes=["read"], now_ms=1)
"""


def made(folder, **options):
    """A token, and its row."""
    return create(folder, **{"scopes": ["submit"], "now_ms": NOW} | options)


def start(script, *words):
    return subprocess.Popen([sys.executable, "-c", script, *map(str, words)], cwd=ROOT)


def revoked(folder):
    """When each token was revoked, in order."""
    return [each.revoked_ms for each in listed(folder)]


def test_what_was_asked_for_is_written_down(tmp_path):
    _, row = made(tmp_path, name="ë" * 64, scopes=SCOPES, expires_ms=NOW + 1)
    assert listed(tmp_path) == [row]
    assert (row.name, row.created_ms, row.expires_ms) == ("ë" * 64, NOW, NOW + 1)
    assert row.scopes == set(SCOPES)
    assert row.revoked_ms is None


def test_without_a_file_there_is_no_token(tmp_path):
    assert listed(tmp_path) == []


def test_the_file_is_private_whatever_the_mask(tmp_path):
    before = os.umask(0)
    try:
        made(tmp_path)
        assert os.umask(0) == 0  # it is what it was
    finally:
        os.umask(before)
    modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    assert modes == {"tokens": 0o600, "tokens.lock": 0o600}


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["submit", "write"]}),
        ("by", {"by": "log"}),
        ("by", {"by": ""}),
        ("by", {"by": "o-0123456789abcdef0123"}),
        ("by", {"by": "s-0123456789ABCDEF0123"}),
        ("by", {"by": "s-0123456789abcdef0123\n"}),
        ("name", {"name": "two words"}),
        ("name", {"name": "x" * 65}),
        ("name", {"name": "a\nb"}),
        ("name", {"name": "a\u202eb"}),
        ("name", {"name": "a\udcff"}),
        ("expires", {"expires_ms": NOW}),
        ("expires", {"expires_ms": 1 << 53}),
    ],
    ids=range(14),
)
def test_what_nobody_can_mean_is_refused_and_nothing_is_made(tmp_path, check, wrong):
    with pytest.raises(Refused) as error:
        made(tmp_path, **wrong)
    assert error.value.check == check
    assert os.listdir(tmp_path) == []


def test_one_token_is_revoked_by_its_id(tmp_path):
    _, row = made(tmp_path)
    made(tmp_path, by=row.by)
    (ended,) = revoke(tmp_path, row.id, NOW + 5)
    assert (ended.id, ended.revoked_ms) == (row.id, NOW + 5)
    assert revoked(tmp_path) == [NOW + 5, None]


def test_all_tokens_of_a_submitter_are_revoked_together(tmp_path):
    _, row = made(tmp_path)
    made(tmp_path)
    made(tmp_path, by=row.by)
    assert len(revoke(tmp_path, row.by, NOW + 5)) == 2
    assert revoked(tmp_path) == [NOW + 5, None, NOW + 5]


def test_a_token_that_was_found_is_revoked_by_itself(tmp_path):
    made(tmp_path)
    text, row = made(tmp_path)
    assert [each.id for each in revoke(tmp_path, text, NOW + 5)] == [row.id]
    assert revoked(tmp_path) == [None, NOW + 5]


def test_what_was_revoked_stays_so_since_that_time(tmp_path):
    _, row = made(tmp_path)
    revoke(tmp_path, row.id, NOW + 5)
    (again,) = revoke(tmp_path, row.id, NOW + 9)
    assert again.revoked_ms == NOW + 5


@pytest.mark.parametrize("which", ["", "00000000", f"provlog_{'x' * 43}", "train-eu-1"])
def test_what_is_no_token_cannot_be_revoked_and_is_not_quoted(tmp_path, which):
    made(tmp_path, name="train-eu-1")
    before = (tmp_path / "tokens").read_bytes()
    with pytest.raises(Refused, match="no token has this id") as error:
        revoke(tmp_path, which, NOW)
    assert not which or which not in str(error.value)
    assert (tmp_path / "tokens").read_bytes() == before


def test_commands_at_the_same_time_lose_nothing_of_each_other(tmp_path):
    commands = [start(MAKE, tmp_path) for _ in range(4)]
    assert [each.wait(60) for each in commands] == [0] * 4
    assert len(listed(tmp_path)) == 40
    assert set(os.listdir(tmp_path)) == {"tokens", "tokens.lock"}


def test_a_command_does_not_wait_for_ever_for_another(tmp_path, monkeypatch):
    monkeypatch.setattr(issuing, "_WITHIN_S", 0.1)  # and not five seconds
    with open(tmp_path / "tokens.lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(
            Unavailable, match=r"another command is at work on .*tokens"
        ):
            made(tmp_path)
    assert made(tmp_path)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_command_that_dies_leaves_what_was_there(tmp_path, call):
    _, row = made(tmp_path)
    assert start(DIE, tmp_path, call).wait(20) == 9
    assert listed(tmp_path) == [row]
    made(tmp_path)
    assert len(listed(tmp_path)) == 2


def test_a_disk_that_takes_nothing_leaves_what_was_there(tmp_path):
    _, row = made(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(Unavailable, match="cannot be written: File too large"):
            made(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert listed(tmp_path) == [row]
    assert set(os.listdir(tmp_path)) == {"tokens", "tokens.lock"}


def test_a_damaged_file_is_never_written_over(tmp_path):
    made(tmp_path)
    (tmp_path / "tokens").write_bytes(b"{}")
    for change in (made, lambda at: revoke(at, "00000000", NOW)):
        with pytest.raises(Held, match="is damaged"):
            change(tmp_path)
    assert (tmp_path / "tokens").read_bytes() == b"{}"


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "tokens.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(Unavailable, match=r"tokens\.lock cannot be opened"):
        made(tmp_path)
    assert not (tmp_path / "precious").exists()


def rows(number):
    """So many rows, as long as rows ever are."""
    row = Row(
        id="00000000",
        hash="0" * 64,
        by=f"s-{'0' * 20}",
        name="\U0001d538" * 64,
        scopes=frozenset({"submit", "read", "audit", "admin"}),
        created_ms=(1 << 53) - 1,
        expires_ms=(1 << 53) - 1,
        revoked_ms=(1 << 53) - 1,
    )
    return [
        msgspec.structs.replace(row, id=f"{at:08x}", hash=f"{at:064x}")
        for at in range(number)
    ]


def test_there_is_room_for_so_many_and_no_more(tmp_path):
    write_rows(tmp_path / "tokens", rows(MAX_TOKENS - 1))
    _, row = made(tmp_path)
    assert listed(tmp_path)[-1] == row
    assert (tmp_path / "tokens").stat().st_size < MAX_BYTES
    with pytest.raises(Refused, match="take lines out of it"):
        made(tmp_path)
    write_rows(tmp_path / "tokens", rows(MAX_TOKENS + 1))
    with pytest.raises(Held, match="is damaged"):
        listed(tmp_path)
