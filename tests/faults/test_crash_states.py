"""No state that a crash can leave behind loses an answered entry, or forks.

A short writer is traced; at each of its steps the disk may hold none of what is
not yet synced, all of it, or any part. Every such state is opened with the engine
itself: all that was answered is there, no checkpoint that was shown is contradicted,
the log goes on, and the exported folder is whole and as new as was said. With a
disk that lies about its syncs, the same harness finds what is lost.
"""

from __future__ import annotations

import os

import pytest

from tests import tools
from tests.faults.written import Written

pytestmark = pytest.mark.exhaustive
BATCHES = ("--batches", "40", "--every", "10")


@pytest.fixture
def written(fast_path) -> Written:
    return Written(fast_path)


def test_a_sample_of_the_states_is_good(written):
    assert written.write(*BATCHES) == 0
    found = written.states("--share", "0.12")
    assert set(found["verdicts"]) == {"ok", "ok-ahead"}, found["examples"]
    assert found["states"] > 100
    assert found["promises"] == 44


@pytest.mark.soak
@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_state_is_good(written, seed):
    assert written.write(*BATCHES) == 0
    found = written.states("--seed", seed, "--parts", "16")
    assert set(found["verdicts"]) == {"ok", "ok-ahead"}, found["examples"]
    assert found["states"] > 1_000


def test_an_export_that_goes_on_where_one_was_killed_is_whole_after_a_crash(written):
    assert written.write("--dies", "--every", "1") < 0
    assert written.write("--seed", "x", "--batches", "1", "--every", "1") == 0
    found = written.states("--share", "0.5")
    assert set(found["verdicts"]) <= {"ok", "ok-ahead"}, found["examples"]


def test_an_export_into_folders_that_are_new_as_well_is_there_after_a_crash(fast_path):
    written = Written(fast_path, out="new/out")
    assert written.write("--batches", "1", "--every", "1") == 0
    found = written.states("--share", "0.5")
    assert set(found["verdicts"]) <= {"ok", "ok-ahead"}, found["examples"]


def test_where_the_disk_lies_about_its_syncs_the_harness_finds_damage(written):
    assert written.write(*BATCHES) == 0
    found = written.states("--lying", "--share", "0.3", "--most", "60")
    assert {"LOST", "CORRUPT"} & set(found["verdicts"])


def test_where_the_process_does_not_sync_the_harness_finds_damage(written):
    preload = tools.library("libeatmydata")
    assert written.write(*BATCHES, preload=preload) == 0
    found = written.states("--share", "0.3", "--most", "60")
    assert {"LOST", "CORRUPT"} & set(found["verdicts"])


def test_a_checkpoint_that_is_renamed_without_syncing_its_folder_is_noticed(written):
    assert written.write("--batches", "2", "--every", "1") == 0
    # The same trace, without the last sync of each folder that is exported to.
    trace = written.traces[0]
    lines = trace.read_text().splitlines(keepends=True)
    folder = os.fsencode(written.public / "out")
    name = "".join(f"\\x{byte:02x}" for byte in folder)
    numbers = {line.rsplit("= ", 1)[1].strip() for line in lines if f'"{name}"' in line}
    kept = [each for each in lines if not any(f"fsync({n})" in each for n in numbers)]
    assert len(kept) < len(lines)
    trace.write_text("".join(kept))
    assert "LOST" in written.states()["verdicts"]
