"""Each place has a thread of its own: one that fails delays itself alone."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import contextmanager

import pytest

from ledger.errors import Held
from ledger.log.home import Home
from ledger.publish.feeding import feed
from ledger.publish.folder import Folder
from ledger.publish.open import open_runners, telling
from ledger.publish.publishing import Published
from ledger.publish.runner import Runner
from tests.publish.feeds import TIME, publishing, whole
from tests.upkeep.spoil import entries
from verifier.source import Directory

SOON_S = 20.0


def published(size, at_ms=0):
    return Published(size, b"", b"", at_ms)


@contextmanager
def running(bring, **options):
    runner = Runner("place", bring, **{"first_pause_s": 0.001, **options})
    try:
        yield runner
    finally:
        runner.close()


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, "provlog")
    return lambda: [each.message.partition(" ")[0] for each in caplog.records]


def test_it_brings_what_is_offered(told):
    with running(lambda it, _: it.size) as runner:
        runner.offer(published(7))
        assert runner.caught_up(7, SOON_S)
        lag = runner.lag
    assert (lag.size, lag.behind_s, lag.failure, lag.failures) == (7, 0.0, "", 0)
    assert told() == []


def test_only_the_newest_offer_matters():
    go, brought = threading.Event(), []

    def bring(it, _):
        go.wait(SOON_S)
        brought.append(it.size)
        return it.size

    with running(bring) as runner:
        for size in range(1, 9):
            runner.offer(published(size))
        go.set()
        assert runner.caught_up(8, SOON_S)
    assert brought[-1] == 8
    assert len(brought) <= 2


def test_it_tries_until_it_is_done_and_tells_start_and_end_once(told):
    attempts = []

    def bring(it, _):
        attempts.append(it.size)
        if len(attempts) < 5:
            raise OSError("nobody there")
        return it.size

    with running(bring) as runner:
        runner.offer(published(3))
        while not runner.caught_up(3, 0.01):
            assert runner.lag.failure in ("", "nobody there")
        lag = runner.lag
    assert (lag.failures, lag.failure) == (4, "")
    assert told() == ["target_failed", "target_again"]


def test_the_newest_is_brought_after_an_outage():
    back, brought = threading.Event(), []

    def bring(it, _):
        if not back.is_set():
            raise OSError("nobody there")
        brought.append(it.size)
        return it.size

    with running(bring) as runner:
        for size in (1, 2, 3):
            runner.offer(published(size))
        back.set()
        while not runner.caught_up(3, 0.01):
            pass
    assert brought == [3]


@pytest.mark.parametrize("state", ["rollback", "forked"])
def test_a_target_that_is_ahead_is_left_alone_and_told_of_once(told, state):
    attempts = []

    def bring(it, _):
        attempts.append(it.size)
        raise Held(state, "it has another tree")

    with running(bring) as runner:
        runner.offer(published(1))
        assert not runner.caught_up(1, SOON_S)
        runner._thread.join(SOON_S)
        runner.offer(published(2))
        assert not runner.caught_up(2, SOON_S)
        assert runner.lag.held
    assert attempts == [1]
    assert told() == ["target_held"]


def test_one_that_is_behind_is_not_waited_for():
    hang = threading.Event()

    def bring(it, _):
        hang.wait(SOON_S)
        return it.size

    with running(bring) as runner:
        assert runner.offer(published(1))
        assert not runner.offer(published(2))
        assert runner.lag.behind_s > 0
        hang.set()


def test_one_that_hangs_does_not_keep_the_process():
    hang = threading.Event()
    runner = Runner("place", lambda it, _: hang.wait(SOON_S) and it.size)
    runner.offer(published(1))
    runner.close(0.01)
    assert runner._thread.daemon
    hang.set()
    runner.close()
    assert not runner._thread.is_alive()


def test_what_takes_long_ends_when_it_is_asked_to():
    begun = threading.Event()

    def bring(it, go_on):
        begun.set()
        while True:
            go_on()

    runner = Runner("place", bring)
    runner.offer(published(1))
    assert begun.wait(SOON_S)
    runner.close(SOON_S)
    assert not runner._thread.is_alive()


# All places of a log


def test_a_dead_target_delays_no_other(new_log, tmp_path):
    log = new_log()
    log.append(*entries(300))
    targets = 'targets = ["../dead", "../good", "https://copy.example"]\n'
    (log.folder / "log.toml").write_text(f"min_free_bytes = 0\n{targets}")
    (tmp_path / "dead").write_bytes(b"no folder")
    with publishing(log) as us:
        home = Home.at(log.folder)
        feed(Folder(tmp_path / "good"), us.ours, us.published(1).note)
        runners = open_runners(home, us.seen.store, us.ours.reading, us.ours.keys)
        try:
            for size in (5, 260, 300):
                runners.offer(us.published(size), SOON_S)
                assert whole(Directory(tmp_path / "good"), log).size == size
            dead, good = runners.lags()
        finally:
            runners.close()
    assert dead.failure
    assert (good.size, good.failure) == (300, "")


def test_a_target_that_has_nothing_any_more_is_not_begun_again(new_log, tmp_path):
    log = new_log()
    log.append(*entries(5))
    (log.folder / "log.toml").write_text('min_free_bytes = 0\ntargets = ["../disk"]\n')
    with publishing(log) as us:
        home = Home.at(log.folder)
        runners = open_runners(home, us.seen.store, us.ours.reading, us.ours.keys)
        try:
            runners.offer(us.published(5), SOON_S)
            (lag,) = runners.lags()
        finally:
            runners.close()
    assert "has no checkpoint of this log any more" in lag.failure
    assert not (tmp_path / "disk").exists()


class Heard:
    """A webhook's other end, deaf at first."""

    def __init__(self, deaf=0):
        self.deaf, self.news = deaf, []

    def tell(self, event, *, id, time_s):  # noqa: A002 - as the header is called
        if self.deaf:
            self.deaf -= 1
            raise OSError("nobody there")
        self.news.append((id, json.loads(json.dumps(event))))


def test_each_new_size_is_told_with_what_was_published(new_log):
    heard = Heard(deaf=1)
    log = new_log()
    log.append(*entries(9))
    with publishing(log) as us:
        bring = telling(heard, log.clock)
        with running(bring) as runner:
            for size in (5, 9):
                runner.offer(us.published(size))
                while not runner.caught_up(size, 0.01):
                    pass
            runner.offer(us.published(9, TIME + 600))
            runner.close()
        bring(us.published(9, TIME + 1200), lambda: None)
        note = us.signed(9)
    (first, five), (second, nine) = heard.news
    assert first != second
    assert (five["size"], nine["size"]) == (5, 9)
    assert nine["checkpoint"].encode() == note
    assert set(nine) == {"origin", "size", "root", "checkpoint", "published_at"}
    assert nine["published_at"].startswith("2026-")
