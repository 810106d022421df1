"""A process that is killed at any moment has told nobody what is not in the log.

Nessie2023 gave out promises for half an hour and could not even say which. Here
several threads write, kill −9 comes at a random time, and all that was answered in
all rounds is in the log, at its index, under every checkpoint that was shown. Of two
processes that begin at once, exactly one writes.
"""

from __future__ import annotations

import pytest

from tests.faults.kill_rounds import played
from tests.faults.promises import AHEAD, OK, Promise, judge
from tests.livelog import LiveLog

pytestmark = pytest.mark.exhaustive


def check_killed(found: dict, rounds: int) -> None:
    assert set(found["verdicts"]) <= {OK, AHEAD}
    assert sum(found["verdicts"].values()) == rounds
    assert found["answers"] > rounds


def check_pairs(found: dict, rounds: int) -> None:
    assert found["verdicts"] == {f"LW {OK}": rounds}
    assert found["answers"] == rounds


def test_what_was_answered_before_a_kill_is_there_after_it(tmp_path):
    check_killed(played("kill", tmp_path, 25), 25)


def test_of_two_processes_at_once_one_writes(tmp_path):
    check_pairs(played("pair", tmp_path, 10), 10)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_answered_before_many_kills_is_there_after_them(tmp_path, seed):
    check_killed(played("kill", tmp_path, 500, seed), 500)


@pytest.mark.soak
def test_of_two_processes_at_once_one_writes_each_time(tmp_path):
    check_pairs(played("pair", tmp_path, 200), 200)


def test_an_answer_that_is_not_in_the_log_is_noticed(tmp_path):
    log = LiveLog(tmp_path / "log")
    note = log.append(b"one").checkpoint
    nobodys = Promise(name="nobody", first=0, stop=1, note=note)
    assert "LOST" in judge(log.folder, [nobodys])
    later = Promise(name="nobody", first=1, stop=9, note=note)
    assert "LOST" in judge(log.folder, [later])
