"""A full disk refuses what comes, and damages nothing that is there.

Mammoth2024h1 ran out of disk, and two of its promises could never be kept. Here the
log stops before the disk is full, says `full`, goes on reading, and goes on writing
when there is room, without anybody's help. Where the disk fills all the same, or a
limit of the process is reached, nobody is told of an entry that is not there.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import Halted, Unavailable
from ledger.log.log import Log
from tests import tools
from tests.faults.promises import AHEAD, OK, judge, promises
from tests.faults.site import writer
from tests.livelog import LiveLog

pytestmark = pytest.mark.exhaustive
ROOT = Path(__file__).resolve().parents[2]
DISK_BYTES = 8 << 20
FLOOR_BYTES = 2 << 20
BALLAST = "ballast"


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 8 MB."""
    tools.need_root()
    tools.need("mount", "umount")
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    subprocess.run(["mount", *options], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(live: LiveLog, log: Log) -> Exception:
    """Append until that is refused; what was said then."""
    for number in range(100_000):
        try:
            live.append(b"%9d" % number * 2_000, b"%d" % number, log=log)
        except (Unavailable, Halted) as error:
            return error
    raise AssertionError("the disk never fills")


def test_a_log_stops_before_the_disk_is_full_and_goes_on_by_itself(small_disk):
    (small_disk / BALLAST).write_bytes(bytes(2 << 20))
    live = LiveLog(small_disk / "log")
    (live.folder / "log.toml").write_text(f"min_free_bytes = {FLOOR_BYTES}\n")
    with live.open() as log:
        for _ in range(20):
            refused = fill(live, log)  # and whoever goes on hears the same again
            assert isinstance(refused, Unavailable)
            assert refused.reason == "full"
            assert "make room" in str(refused)
        size = log.head.size
        assert log.reading.entries(0, size)
        assert log.reading.inclusion(0)
        live.saw(log.checkpoint())
        (small_disk / BALLAST).unlink()
        assert live.append(b"after", log=log).indexes == range(size, size + 1)
    live.check()


def test_a_disk_that_fills_all_the_same_leads_to_no_false_answer(small_disk):
    live = LiveLog(small_disk / "log")  # it has no floor
    with live.open() as log:
        halted = fill(live, log)
        assert log.reading.entries(0, log.head.size)
    with live.open() as log:
        # There is no room still; it may refuse, and it may not lie.
        assert log.head.size >= len(live.promised)
        fill(live, log)
    live.check()
    assert isinstance(halted, Unavailable | Halted)
    (small_disk / "log" / "log.toml").write_text("min_free_bytes = 0\n")
    subprocess.run(
        ["mount", "-o", f"remount,size={2 * DISK_BYTES}", str(small_disk)], check=True
    )
    live.append(b"after")
    live.check()


def test_a_store_that_reaches_its_limit_is_full_and_takes_more_when_it_is_raised(
    tmp_path,
):
    live = LiveLog(tmp_path / "log", settings=f"limit_bytes = {4 << 20}\n")
    with live.open() as log:
        refused = fill(live, log)
        assert isinstance(refused, Unavailable)
        assert refused.reason == "full"
        assert log.reading.entries(0, log.head.size)
    (live.folder / "log.toml").write_text("min_free_bytes = 0\n")
    live.append(b"after")
    live.check()


@pytest.mark.parametrize("kilobytes", [100, 200, 333])
def test_a_limit_on_the_size_of_files_leads_to_no_false_answer(tmp_path, kilobytes):
    tools.need("prlimit")
    live = LiveLog(tmp_path / "log")
    command = writer(live.folder, "--batches", "1000", "--entries", "20")
    ended = subprocess.run(
        ["prlimit", f"--fsize={kilobytes << 10}", *command],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    told = promises(ended.stdout)
    assert ended.returncode in (1, 3)
    assert 0 < len(told) < 1000
    assert judge(live.folder, told) in (OK, AHEAD)
