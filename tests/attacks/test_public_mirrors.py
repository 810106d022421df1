"""Whoever fills a mirror's disk does not end what it serves.

A log can grow without end, and the disk of its mirror cannot. What was mirrored is
shown all the same, and the mirror goes on as soon as there is room.
"""

from __future__ import annotations

import resource

import pytest

from ledger.mirror.following import Mirrored, follow
from tests.mirror.mirroring import audited, entries, log_of, mirrored

FIRST, SECOND = 300, 700


@pytest.fixture
def grown(tmp_path):
    """A mirror of a log that has grown since."""
    log, dest = log_of(tmp_path / "log", FIRST), tmp_path / "mirror"
    mirrored(log.folder, dest, log)
    log.append(*entries(FIRST, SECOND))
    return log, dest


@pytest.fixture
def disk():
    """Has room for no tile; what it gives makes room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))

    def make_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield make_room
    make_room()


def test_it_is_told_and_tried_again_until_there_is_room(grown, disk):
    log, dest = grown
    told = []

    def wait(_):
        """The mirror waits until it looks again; meanwhile somebody makes room."""
        if len(told) == 1:
            disk()
        return len(told) > 1

    follow(
        lambda: mirrored(log.folder, dest, log), every_s=0, wait=wait, tell=told.append
    )
    wrong, done = told
    assert isinstance(wrong, OSError)
    assert isinstance(done, Mirrored)
    assert audited(dest, log) == SECOND
