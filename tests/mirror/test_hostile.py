"""A log that lies gets nothing into a mirror, and what it has signed against it."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.errors import Held, Refused
from ledger.mirror.folder import opened
from tests.mirror.mirroring import audited, entries, log_of, mirrored, tiles
from tests.testlog import TestLog
from verifier.errors import DamagedError, GrowthError, Unavailable, VerificationError
from verifier.memory import Memory
from verifier.monitor import Forked
from verifier.source import Directory

SIZE = 600


@pytest.fixture
def where(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "log", tmp_path / "mirror"


def lie(folder: Path, path: str, at: int = -1) -> None:
    """Change one bit of what a log shows at `path`."""
    data = bytearray((folder / path).read_bytes())
    data[at] ^= 1
    (folder / path).write_bytes(data)


# Entries and hashes


@pytest.mark.parametrize(
    "path", ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]
)
def test_the_first_entry_tile_that_is_another_is_named(where, path):
    log = log_of(where[0], SIZE)
    lie(where[0], path)
    with pytest.raises(DamagedError, match=path):
        mirrored(*where, log)
    assert not (where[1] / "checkpoint").exists()
    assert path not in tiles(where[1])


@pytest.mark.parametrize("path", ["tile/0/002.p/88", "tile/1/000.p/2"])
def test_hashes_that_do_not_lead_to_the_checkpoint_are_not_used(where, path):
    log = log_of(where[0], SIZE)
    lie(where[0], path)
    with pytest.raises(DamagedError, match="root"):
        mirrored(*where, log)
    assert not tiles(where[1]) if (where[1] / "tile").exists() else True


@pytest.mark.exhaustive
def test_a_full_tile_of_hashes_that_is_another_is_named(where):
    log = log_of(where[0], 66_000)
    lie(where[0], "tile/1/000")
    with pytest.raises(DamagedError, match="tile/1/000: its hashes do not lead"):
        mirrored(*where, log)


def test_entries_that_are_gone_are_an_outage(where):
    log = log_of(where[0], SIZE)
    (where[0] / "tile/entries/001").unlink()
    with pytest.raises(Unavailable, match="tile/entries/001"):
        mirrored(*where, log)


def test_a_lie_that_is_taken_back_costs_nothing_but_time(where):
    log = log_of(where[0], SIZE)
    lie(where[0], "tile/entries/001")
    with pytest.raises(DamagedError):
        mirrored(*where, log)
    lie(where[0], "tile/entries/001")
    mirrored(*where, log)
    assert audited(where[1], log) == SIZE


def test_what_lies_beyond_the_checkpoint_is_hashed_again(where):
    log = log_of(where[0], SIZE)
    mirrored(*where, log)
    (where[1] / "checkpoint").unlink()
    lie(where[1], "tile/entries/001")
    mirrored(*where, log)
    assert tiles(where[1]) == tiles(where[0])


# Two histories


def forked(folder: Path, size: int) -> TestLog:
    """Another history under the same key, which begins with another entry."""
    log = TestLog(folder)
    log.append(b"never happened", *entries(1, size))
    return log


@pytest.mark.parametrize("size", [SIZE - 1, SIZE, SIZE + 1])
def test_two_histories_leave_a_proof_that_convinces_by_the_policy_alone(where, size):
    log = log_of(where[0], SIZE)
    mirrored(*where, log)
    other = where[0].with_name("other")
    forked(other, size)
    if size < SIZE:  # who looks the other way round sees it as well
        log.write_file("checkpoint", log.checkpoint())
    with pytest.raises(VerificationError) as found:
        mirrored(other, where[1], log)
    assert audited(where[1], log) == SIZE
    assert isinstance(found.value, Forked) == (size >= SIZE)
    if size < SIZE:
        # The tiles of the larger tree are not there to be had; when they are, it is.
        with pytest.raises(Forked):
            mirrored(*where, log)
    policy = where[0].with_name("policy.txt")
    policy.write_bytes(log.policy_text)
    proof = where[1].with_name("mirror.misbehaviour")
    words = ["verify", "--misbehaviour", "--policy", str(policy), str(proof)]
    ended = subprocess.run(
        [sys.executable, "-m", "verifier", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "signed two histories" in ended.stdout


def test_a_log_that_has_forked_is_not_followed_back(where):
    log = log_of(where[0], SIZE)
    mirrored(*where, log)
    other = where[0].with_name("other")
    forked(other, SIZE + 1)
    for source in (other, where[0], other):
        with pytest.raises(Forked):
            mirrored(source, where[1], log)
    assert audited(where[1], log) == SIZE


@pytest.mark.parametrize("size", [SIZE, SIZE + 1])
def test_an_older_memory_lets_nobody_fork_what_the_mirror_shows(where, size):
    log = log_of(where[0], SIZE)
    mirrored(*where, log)
    (where[1] / ".mirror").write_bytes(Memory().encode())
    other = where[0].with_name("other")
    forked(other, size)
    with pytest.raises(Forked):
        mirrored(other, where[1], log)
    assert audited(where[1], log) == SIZE


def test_nor_does_it_make_what_is_shown_smaller(where):
    log = log_of(where[0], SIZE)
    mirrored(*where, log)
    (where[1] / ".mirror").write_bytes(Memory().encode())
    log.write_file("checkpoint", log.checkpoint(SIZE - 1))
    with pytest.raises(GrowthError):
        mirrored(*where, log)
    assert audited(where[1], log) == SIZE


# Folders


def test_nothing_is_mirrored_into_what_is_somebody_elses(where):
    log = log_of(where[0], 1)
    for made in ("letter", "checkpoint"):
        where[1].mkdir(exist_ok=True)
        (where[1] / made).write_text("mine")
        with pytest.raises(Refused, match="no mirror"):
            mirrored(*where, log)
        (where[1] / made).unlink()


@pytest.mark.parametrize("inside", [".", "below", "tile/below"])
def test_a_mirror_is_not_in_the_log_that_it_mirrors(where, inside):
    log = log_of(where[0], 1)
    with pytest.raises(Refused, match="in each other"):
        mirrored(where[0], where[0] / inside, log)
    (where[1] / "store").mkdir(parents=True)
    (where[1] / "store/data.mdb").touch()
    with pytest.raises(Refused, match="log's own folder"):
        mirrored(where[0], where[1] / inside, log)


def test_two_mirrors_at_once_are_refused(where):
    log = log_of(where[0], 1)
    source = Directory(where[0])
    with opened(where[1], source), pytest.raises(Refused, match="another mirror"):
        mirrored(*where, log)


def test_a_link_on_the_way_leads_nowhere(where, tmp_path):
    log = log_of(where[0], 1)
    with opened(where[1], Directory(where[0])):
        (tmp_path / "away").mkdir()
        (where[1] / "tile").symlink_to(tmp_path / "away")
    with pytest.raises(Refused, match="link"):
        mirrored(*where, log)
    assert not list((tmp_path / "away").iterdir())


def test_a_memory_that_is_damaged_is_no_proof_against_the_log(where):
    log = log_of(where[0], 1)
    mirrored(*where, log)
    (where[1] / ".mirror").write_bytes(sha256().digest())
    with pytest.raises(Held, match=r"\.mirror"):
        mirrored(*where, log)
