"""Whatever the client has returned is in the log, exactly once, through every crash."""

import os
import signal
import socket
import sys
import threading
from collections import Counter

import pytest

from capture import Client
from ledger.log.home import Home
from tests.capture.live import policy_path
from tests.livelog import LiveLog
from tests.liveservice import LiveService
from tests.records import SMALLEST
from verifier.entry import LOG, Entry
from verifier.record import parse_record

PRODUCERS = 4
ENOUGH_FOR_A_CRASH = 40
WITHIN_S = 60
AT_PORT = """
import os, sys
_, where, *command = sys.argv
command[command.index("--listen") + 1] = where
os.execv(command[0], command)
"""
"""Starts a service where another one has listened."""


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def kill_all(service):
    """Every process of it at once, as a machine does that loses its power."""
    workers = service.children()
    for pid in (service.process.pid, *workers):
        os.kill(pid, signal.SIGKILL)
    service.stop(signal.SIGKILL)


class Producing:
    """Threads that submit until they are told to stop, and keep what they were told."""

    def __init__(self, submit):
        self.logged = []
        self.failed = []
        self._submit = submit
        self._told = threading.Condition()
        self._ending = False
        self._threads = [threading.Thread(target=self._run) for _ in range(PRODUCERS)]

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._ending = True
        for each in self._threads:
            each.join()

    def until_more(self, count):
        """Return when `count` more were logged than are now."""
        with self._told:
            wanted = len(self.logged) + count
            done = self._told.wait_for(
                lambda: self.failed or len(self.logged) >= wanted, WITHIN_S
            )
        assert done
        assert not self.failed

    def _run(self):
        try:
            while not self._ending:
                for each in self._submit():
                    with self._told:
                        self.logged.append(each)
                        self._told.notify()
        except Exception as error:  # noqa: BLE001 - the test says what it was
            with self._told:
                self.failed.append(error)
                self._told.notify()


def entries_of(live):
    store = Home.at(live.folder).open_store(readonly=True)
    try:
        with store.snapshot() as snapshot:
            return snapshot.entries(0, snapshot.head().size)
    finally:
        store.close()


def ids_in(live):
    """How often each record id is in the log."""
    whole = [Entry.parse(each) for each in entries_of(live)]
    return Counter(parse_record(x.body)["id"] for x in whole if x.by != LOG)


EVERY_WAY = [
    pytest.param(way, workers, crashes, marks=mark)
    for way in ("singly", "in_batches")
    for workers in (0, 2)
    for crashes, mark in ((1, pytest.mark.exhaustive), (3, pytest.mark.soak))
    if (way, workers, crashes) != ("singly", 0, 1)
]


def ways_of(client):
    """How a producer submits: each gives what it was told."""

    def singly():
        yield client.submit(SMALLEST)

    def in_batches():
        yield from client.submit_batch(SMALLEST for _ in range(30))

    return {"singly": singly, "in_batches": in_batches}


def check_kept(live, logged):
    """Each of `logged` is where it was said to be, and nowhere else."""
    entries, ids = entries_of(live), ids_in(live)
    for each in logged:
        assert entries[each.index] == each.entry
        assert ids[each.record["id"]] == 1
        live.saw(each.receipt.checkpoint)
    assert set(ids.values()) == {1}
    live.check()


@pytest.mark.parametrize(("way", "workers", "crashes"), [("singly", 0, 1), *EVERY_WAY])
def test_what_was_returned_is_logged_once_however_often_it_is_killed(
    tmp_path, way, workers, crashes
):
    live = LiveLog(tmp_path / "log", kind="record")
    listen = (sys.executable, "-c", AT_PORT, f"127.0.0.1:{free_port()}")
    service = LiveService(live, workers=workers, wrapper=listen)
    client = Client(service.url, None, policy_path(service), timeout_s=WITHIN_S)
    try:
        with Producing(ways_of(client)[way]) as producing:
            for _ in range(crashes):
                producing.until_more(ENOUGH_FOR_A_CRASH)
                kill_all(service)
                service = LiveService(live, workers=workers, wrapper=listen)
            producing.until_more(ENOUGH_FOR_A_CRASH)
        assert not producing.failed
        some = producing.logged[:20]
        again = [client.submit(each.record).index for each in some]
        assert again == [each.index for each in some]
    finally:
        client.close()
        service.stop()
    check_kept(live, producing.logged)


@pytest.mark.parametrize(
    "deaths",
    [
        pytest.param(1, marks=pytest.mark.exhaustive),
        pytest.param(3, marks=pytest.mark.soak),
    ],
)
@pytest.mark.parametrize("way", ["singly", "in_batches"])
def test_a_front_end_that_dies_loses_nothing_and_doubles_nothing(tmp_path, way, deaths):
    live = LiveLog(tmp_path / "log", kind="record")
    service = LiveService(live, workers=2)
    client = Client(service.url, None, policy_path(service), timeout_s=WITHIN_S)
    try:
        with Producing(ways_of(client)[way]) as producing:
            for _ in range(deaths):
                producing.until_more(ENOUGH_FOR_A_CRASH)
                _writer, front_end, *_ = service.children()
                os.kill(front_end, signal.SIGKILL)
            producing.until_more(ENOUGH_FOR_A_CRASH)
        assert not producing.failed
    finally:
        client.close()
        service.stop()
    check_kept(live, producing.logged)
