"""Rounds of writing to a log until the plug is pulled."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import tools
from tests.faults.power import Machine, machine
from tests.faults.promises import AHEAD, OK, Promise, judge, promises
from tests.faults.site import writer
from tests.livelog import LiveLog

ROOT = Path(__file__).resolve().parents[2]
MOST_ANSWERS = 400


def need_machines() -> None:
    """Return if there can be machines, or skip the caller."""
    tools.need_root()
    tools.need_loop()
    tools.need("mount", "mkfs.ext4", "mkfs.xfs")


@contextmanager
def running(command: list[str], preload: str = "") -> Iterator[subprocess.Popen]:
    """A writer; it is killed at the end, when the disk below it is gone."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": preload},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(process: subprocess.Popen, count: int) -> list[Promise]:
    """The first `count` answers."""
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(count)]
    return promises(b"".join(lines))


def cut_short(there: Machine, folder: Path, count: int, **how: str) -> list[Promise]:
    """Write until there are `count` answers, and pull the plug; the answers."""
    command = writer(folder, "--batches", "1000000", "--threads", "3")
    with running(command, **how) as process:
        told = answers(process, count)
        there.cut()
    there.stop()
    there.start()
    return told


def check_rounds(folder: Path, kind: str, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    told: list[Promise] = []
    with machine(folder, kind) as there:
        log = LiveLog(there.disk / "log").folder
        for number in range(rounds):
            count = rng.randrange(1, MOST_ANSWERS)
            new = cut_short(there, log, count)
            assert len(new) == count
            told += new
            verdict = judge(log, told)
            assert verdict in (OK, AHEAD), f"round {number} of seed {seed}: {verdict}"
