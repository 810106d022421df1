"""When the power fails, what was answered is on the disk: on ext4 and on XFS.

A log is written to on a file system of its own, which is shut down in the middle:
every page that was not synced is gone. Mounted again, the log opens, holds all
that was answered before, and goes on. A writer that does not really sync comes out
of the same treatment with answers that are not true.
"""

from __future__ import annotations

import pytest

from tests import tools
from tests.faults.power import FILE_SYSTEMS, machine
from tests.faults.power_rounds import check_rounds, cut_short, need_machines
from tests.faults.promises import AHEAD, OK, judge
from tests.livelog import LiveLog

pytestmark = pytest.mark.exhaustive
ROUNDS = 50


@pytest.fixture
def needed() -> None:
    need_machines()


@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_what_was_answered_before_a_power_cut_is_there_after_it(tmp_path, needed, kind):
    check_rounds(tmp_path, kind, 2, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_what_was_answered_before_many_power_cuts_is_there(tmp_path, needed, kind):
    check_rounds(tmp_path, kind, ROUNDS, seed=2)


@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_a_writer_that_does_not_sync_is_found_out(tmp_path, needed, kind):
    preload = tools.library("libeatmydata")
    with machine(tmp_path, kind) as there:
        log = LiveLog(there.disk / "log").folder
        told = cut_short(there, log, 200, preload=preload)
        assert judge(log, told) not in (OK, AHEAD)
