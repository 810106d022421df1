"""Each alert is silent while all is well, and fires when what it is about happens.

The numbers are those of a real service, before and after a real fault; Prometheus
itself says which rules of deploy/alerts.yml fire while that lasts. No other one may.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ledger.store import layout as at
from tests.alerts import ALERTS
from tests.faults.firing import OFTEN, OLD_S, number, scrape, trying, when
from tests.livelog import FIRST
from tests.service.standing import RECORD
from tests.upkeep.spoil import flip

pytestmark = pytest.mark.exhaustive
HERE = Path(__file__).parent
IDS = count()


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    with trying(tmp_path_factory.mktemp("services")) as start:
        yield start


# Its processes


@pytest.fixture(scope="module")
def service_of_records(tried):
    return tried("plain", kind="record", workers=1)


@pytest.fixture
def plain(service_of_records):
    service_of_records.well = service_of_records.settled()
    return service_of_records


def test_an_index_that_stands_still(plain):
    index = plain.service.in_order()[2]
    os.kill(index, signal.SIGSTOP)
    try:
        plain.service.submit(RECORD % next(IDS))
        after = when(plain.service, "head_size", FIRST + 1)
        plain.fires(after, "ProvlogIndexBehind")
    finally:
        os.kill(index, signal.SIGCONT)
    plain.settled(FIRST + 1)


def test_a_caller_who_is_refused_again_and_again(plain):
    before = number(plain.well, "refusals_total", check="form")
    for _ in range(70):
        assert plain.service.post("/v1/records", b"no record").status == 400
    after = when(plain.service, "refusals_total", before + 70, check="form")
    refused = ("ProvlogCallersRefused", {"check": "form"})
    plain.fires(after, refused, again="refusals_total")


def test_memory_that_grows_and_grows(plain):
    had = number(scrape(plain.service), "process_bytes", process="front_end")
    parts = urlsplit(plain.service.url)
    with ExitStack() as stack:
        for _ in range(800):
            address = parts.hostname, parts.port
            wire = stack.enter_context(socket.create_connection(address))
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 6_000)
        after = when(plain.service, "process_bytes", had + 4e6, process="front_end")
    plain.fires(after, "ProvlogMemory", again="process_bytes", lasts=600)


def test_a_front_end_that_dies_and_one_that_does_not_live(plain):
    os.kill(plain.service.in_order()[1], signal.SIGKILL)
    when(plain.service, "front_end_restarts_total", 1)
    after = when(plain.service, "front_ends", 1)
    plain.fires(after, "ProvlogFrontEndDied")

    def gone():
        for pid in plain.service.in_order()[1:]:
            if pid != index:
                os.kill(pid, signal.SIGKILL)
        found.append(scrape(plain.service))
        return number(found[-1], "front_ends") == 0

    found, index = [], plain.service.in_order()[1]
    plain.service.until(gone)
    plain.fires(found[-1], "ProvlogFrontEndDied", "ProvlogNoFrontEnd")


# Its room, its starts


def test_a_store_that_is_full_a_service_that_starts_again_and_one_that_is_down(tried):
    full = tried("full", "limit_bytes = 8000000\nscrub_entries_per_s = 1\n")
    service = full.service
    service.submit(b"first")
    whole = full.settled(1)
    while service.post("/add", b"x" * 60_000).status == 200:
        pass
    when(service, "store_used_bytes", 6.5e6)
    when(service, "held", 1)
    after = full.settled()
    refused, held = (
        ("ProvlogFull", {"check": "full"}),
        ("ProvlogHeld", {"state": "full"}),
    )
    full.fires(after, refused, held, "ProvlogStoreLarge", before=whole)
    old = when(service, "scrub_age_seconds", OLD_S)
    alerts = held, "ProvlogStoreLarge", "ProvlogScrubOld"
    full.fires(old, *alerts, before=whole, every="1h", lasts=31 * 24)
    assert service.stop() == 0
    full.fires(scrape(service), "ProvlogDown")

    floor = int(number(whole, "disk_free_bytes")) * 3 // 4
    settings = f"{OFTEN}limit_bytes = 7000000\nmin_free_bytes = {floor}\n"
    (full.live.folder / "log.toml").write_text(settings)
    again = tried("full", live=full.live)
    after = when(again.service, "held", 1)
    alerts = held, "ProvlogStoreLarge", "ProvlogDiskLow", "ProvlogRestarts"
    full.fires(after, *alerts, again="start_time_seconds")


# A bad machine


@pytest.fixture
def bad(tried, tmp_path):
    wish = tmp_path / "wish"
    wish.write_text("")
    wrapper = (sys.executable, str(HERE / "faulty.py"), str(wish))
    settings = "answer_timeout_s = 1\npool_entries = 8\n"
    found = tried("bad", settings, wrapper=wrapper)
    found.wish = wish.write_text
    return found


def test_bits_that_flip_requests_that_fail_and_a_slow_disk(bad):
    service = bad.service
    bad.live.given_up = True
    service.submit(b"first")
    well = bad.settled(1)

    bad.wish("bit")
    assert service.post("/add", b"second").status >= 500
    after = when(service, "batches_refused_total", 1)
    bad.fires(after, "ProvlogBatchRefused", before=well)

    bad.wish("fault")
    well = bad.settled()
    assert service.get("/v1/entries/0").status == 500
    after = when(service, "refusals_total", 1, check="internal")
    bad.fires(after, ("ProvlogFault", {"check": "internal"}), before=well)

    bad.wish("slow")
    with ThreadPoolExecutor(40) as threads:
        well = bad.settled()
        told = []

        def hand_in():
            told.append(threads.submit(service.post, "/add", b"%d" % len(told)))

        def long_queue():
            # There is room for all that come together, or for none: some come alone.
            hand_in()
            found[:] = [scrape(service)]
            unknown = number(found[0], "refusals_total", check="outcome-unknown")
            return unknown and number(found[0], "pool_entries") > 6

        for _ in range(20):
            hand_in()
        found = []
        service.until(long_queue)
        (after,) = found
        statuses = {each.result().status for each in told}
    busy, unknown = (
        ("ProvlogBusy", {"check": "busy"}),
        ("ProvlogUnknownOutcome", {"check": "outcome-unknown"}),
    )
    alerts = ("ProvlogQueueLong", busy, unknown)
    bad.fires(after, *alerts, before=well, again="refusals_total")
    assert statuses == {500, 503}
    bad.wish("")

    service.until(lambda: number(scrape(service), "pool_entries") == 0)
    well = bad.settled()
    flip(bad.live.folder, at.TAIL, at.index_key(0))
    assert service.get("/v1/entries/0").status == 500
    when(service, "scrub_found", 1)
    after = when(service, "refusals_total", 1, check="damaged")
    wrong = ("ProvlogWrongBytes", {"check": "damaged"})
    bad.fires(after, "ProvlogDamaged", wrong, before=well)

    (bad.live.folder / "store").rename(bad.live.folder / "gone")
    after = when(service, "measures_failed_total", 2)
    alerts = "ProvlogBlind", "ProvlogDamaged", wrong
    bad.fires(after, *alerts, before=well, again="measures_failed_total")


# All of them


def test_every_alert_has_fired_here():
    files = HERE.glob("test_alerts_fire*.py")
    text = "".join(each.read_text() for each in files)
    assert {each for each in ALERTS if f'"{each}"' not in text} == set()
