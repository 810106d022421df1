"""A log that may not write is still read, and says what mends it.

The disk is full, the clock is wrong, the store was put back: submissions are refused
with a word, and nothing of them is logged; readers, auditors and probes are answered.
"""

import json
import os
import shutil
import subprocess
from contextlib import ExitStack

import pytest

from ledger.clock import Instant, read_clock
from tests import tools
from tests.livelog import FIRST, LiveLog
from tests.records import TEXT

HOUR_MS = 3_600_000
LIMIT = "limit_bytes = 4000000\n"
"""No multiple of a page: then what has room for one byte has room for none or more."""
RECORD = TEXT


def ahead():
    """A clock that is an hour ahead."""
    now = read_clock()
    return Instant(now.wall_ms + HOUR_MS, now.boot_ms)


def reads(service, size):
    """Everything that was logged is there for everybody."""
    checkpoint = service.get("/checkpoint")
    assert checkpoint.status == 200
    assert service.live.saw(checkpoint.body).size == size
    for index in range(size):
        assert service.get(f"/v1/entries/{index}").status == 200
        assert service.get(f"/v1/receipts/{index}").status == 200
    assert service.get(f"/tile/entries/000.p/{size}").status == 200


def held(service, state, body=b"refused"):
    """Submissions are refused with this word, probes get it and the mending command."""
    refused = service.post("/v1/records", body)
    assert (refused.status, refused.json["check"]) == (503, state), refused
    assert int(refused.headers["Retry-After"]) > 0
    healthy = service.ask("GET", "/healthz", operations=True)
    assert (healthy.status, healthy.json["state"]) == (200, state)
    ready = service.ask("GET", "/readyz", operations=True)
    assert (ready.status, ready.json["state"]) == (503, state)
    return ready.json["mend"]


@pytest.fixture(
    params=[
        pytest.param(0, id="alone", marks=pytest.mark.exhaustive),
        pytest.param(1, id="one_front_end"),
    ]
)
def workers(request):
    return request.param


def test_a_log_whose_newest_entry_is_in_the_future_is_read_and_not_written(
    new_service, new_log, workers
):
    live = new_log(kind="record")
    live.clock = ahead
    with live.open() as log:
        log.append([json_record(0)])
    service = new_service(live, workers=workers)
    assert service.started["state"] == "clock"
    assert "provlog resume" in held(service, "clock", RECORD % 1)
    assert service.get(f"/v1/entries/{FIRST}").status == 200


def json_record(number):
    """A record, as a record log takes it from its operator."""
    from ledger.log.forms import record_in  # noqa: PLC0415

    return record_in(RECORD % number, by_line=False)


@pytest.mark.exhaustive
def test_what_was_published_is_shown_while_the_clock_holds(
    new_service, new_log, workers
):
    live = new_log()
    live.append(b"first", b"second")
    before = new_service(live, workers=0)
    reads(before, 2)
    before.stop()
    # The clock of the machine goes back by a day, before the start.
    service = new_service(live, workers=workers, environment=faked("-1d"))
    assert service.started["state"] == "clock"
    assert "provlog resume" in held(service, "clock")
    reads(service, 2)


def faked(offset):
    """An environment in which the wall clock is off."""
    return {
        "LD_PRELOAD": tools.library("libfaketime"),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


@pytest.mark.exhaustive
def test_a_log_that_was_put_back_is_read_and_not_written(new_service, new_log, workers):
    live = new_log()
    live.append(b"first")
    before = new_service(live, workers=0)
    before.stop()  # which has published the first
    old = live.folder.parent / "old"
    shutil.copytree(live.folder / "store", old)
    live.append(b"second")
    for name in os.listdir(old):
        shutil.copyfile(old / name, live.folder / "store" / name)
    live.promised.pop(1)  # it is lost: that is what the log says
    live.checkpoints = [each for each in live.checkpoints if each.size == 1]
    service = new_service(live, workers=workers)
    assert service.started["state"] == "rollback"
    assert "provlog restore" in held(service, "rollback")
    reads(service, 1)


def test_a_store_at_its_limit_answers_507(new_service):
    service = full(new_service(settings=LIMIT))
    assert service.post("/add", b"x" * 60_000).status == 507


def full(service):
    """Fill the store up to its limit, or the disk up to its floor."""
    for size in (60_000, 6_000, 1):
        while service.post("/add", b"x" * size).status == 200:
            pass
    return service


def until_full(service):
    """Fill it until it says so itself; the index gives a little room back at times."""
    service.until(lambda: not_ready(full(service)) == "full")


@pytest.mark.exhaustive
def test_a_store_at_its_limit_is_read_and_takes_more_when_it_is_raised(
    new_service, workers
):
    service = full(new_service(settings=LIMIT, workers=workers))
    refused = service.post("/add", b"x" * 60_000)
    assert refused.json["check"] == "full"
    assert int(refused.headers["Retry-After"]) > 1
    until_full(service)
    ready = service.ask("GET", "/readyz", operations=True)
    assert "log.toml" in ready.json["mend"]
    assert service.ask("GET", "/healthz", operations=True).status == 200
    assert len(service.get("/v1/entries/0").body) == 60_000
    assert service.get("/checkpoint").status == 200
    live = service.live
    assert service.stop() == 0
    with live.open() as log:
        size = log.head.size
    (live.folder / "log.toml").write_text("min_free_bytes = 0\n")
    again = new_service(live, workers=workers)
    assert again.submit(b"y" * 60_000).json["index"] == size
    assert not not_ready(again)


def not_ready(service):
    """The state that /readyz names, if it is not ready."""
    ready = service.ask("GET", "/readyz", operations=True)
    return json.loads(ready.body)["state"] if ready.status == 503 else ""


def test_a_disk_on_which_room_is_made_is_written_to_again_without_a_restart(
    new_service, tmp_path
):
    tools.need_root()
    tools.need("mount", "umount")
    folder = tmp_path / "small"
    folder.mkdir()
    mount(folder, "-t", "tmpfs", "-o", "size=12m", "none")
    with ExitStack() as parts:
        parts.callback(subprocess.run, ["umount", str(folder)], check=True)
        (folder / "ballast").write_bytes(bytes(6 << 20))
        live = LiveLog(folder / "log", settings="")
        (live.folder / "log.toml").write_text("min_free_bytes = 2000001\n")
        service = new_service(live, workers=1)
        parts.callback(service.stop)
        until_full(service)
        assert service.get("/v1/entries/0").status == 200
        (folder / "ballast").unlink()
        assert service.submit(b"after").status == 201
        service.until(lambda: not not_ready(service))
        assert service.stop() == 0
        live.check()


def mount(folder, *options):
    """Mount something there."""
    subprocess.run(["mount", *options, str(folder)], check=True)
