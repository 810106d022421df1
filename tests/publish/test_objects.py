"""A bucket that is published to is whole at every moment, whoever else writes to it."""

from __future__ import annotations

import shutil
import threading
from contextlib import closing
from itertools import count

import obstore
import pytest

from ledger.errors import Held, Refused
from ledger.http import answering
from ledger.log.home import Home
from ledger.log.targets import ask_targets
from ledger.objects import Bucket
from ledger.publish.feeding import feed
from ledger.publish.objects import CHECKPOINT_HEADERS, TILE_HEADERS, Objects
from ledger.publish.target import Overtaken
from tests.cli.operating import provlog
from tests.publish.feeds import Cut, CutOff, publishing, whole
from tests.publish.s3server import BUCKET, served
from tests.upkeep.spoil import entries
from verifier.errors import MalformedError, Unavailable

SIZE = 300
_NUMBERS = count()


@pytest.fixture(scope="module")
def running():
    with pytest.MonkeyPatch.context() as patch, served(patch) as server:
        yield server


@pytest.fixture
def server(running):
    running.asked.clear()
    yield running
    running.fault = lambda method, path: ""


@pytest.fixture
def bucket(server):
    return Bucket(f"s3://{BUCKET}/logs/{next(_NUMBERS)}")


@pytest.fixture
def log(new_log):
    log = new_log()
    log.append(*entries(SIZE))
    return log


# What it is


def test_what_was_fed_is_there_and_whole(log, bucket):
    with publishing(log) as us:
        for size in (5, 260, SIZE):
            feed(Objects(bucket), us.ours, us.signed(size))
            assert whole(bucket, log).size == size
    assert bucket.read("tile/entries/000.p/5", 999) is not None


def test_it_can_be_served_as_it_is(log, bucket):
    with publishing(log) as us:
        feed(Objects(bucket), us.ours, us.signed(SIZE))
    tile = obstore.get(bucket._store, "tile/0/000").attributes
    checkpoint = obstore.get(bucket._store, "checkpoint").attributes
    assert tile["Content-Type"] == TILE_HEADERS["Content-Type"] == answering.BYTES
    assert TILE_HEADERS["Cache-Control"] == answering.IMMUTABLE
    assert tile["Cache-Control"] == answering.IMMUTABLE
    assert checkpoint["Content-Type"] == answering.TEXT
    assert CHECKPOINT_HEADERS["Cache-Control"] == answering.LOOK_AGAIN
    assert checkpoint["Cache-Control"] == answering.LOOK_AGAIN


def test_more_than_may_be_is_not_read(bucket):
    bucket.create("checkpoint", b"x" * 100, {})
    with pytest.raises(MalformedError, match="100 bytes; at most 99"):
        bucket.read("checkpoint", 99)


def test_a_bucket_of_somebody_is_refused(log, bucket):
    bucket.create("holiday.jpg", b"sun", {})
    with publishing(log) as us, pytest.raises(Refused, match="no exported log"):
        feed(Objects(bucket), us.ours, us.signed(SIZE))
    assert bucket.names() == ["holiday.jpg"]


@pytest.mark.parametrize(
    "address",
    ["s3://", "s3://a", "s3://bucket/../x", "s3://bucket//x", "s3://u:p@bucket/x"],
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(Refused) as refused:
        Bucket(address)
    assert refused.value.check == "address"


def test_an_endpoint_without_tls_has_to_be_allowed(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example")
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    with pytest.raises(Refused, match="AWS_ALLOW_HTTP=true"):
        Bucket(f"s3://{BUCKET}")


# Conditions


def test_a_tile_is_never_overwritten(log, bucket):
    bucket.create("tile/0/000", b"another's", {})
    with publishing(log) as us, pytest.raises(Refused, match="tile/0/000 has other"):
        feed(Objects(bucket), us.ours, us.signed(SIZE))
    assert bucket.read("tile/0/000", 99) == b"another's"
    assert bucket.read("checkpoint", 99) is None


def test_a_service_that_minds_no_condition_is_refused(log, bucket, server):
    with publishing(log) as us:
        feed(Objects(bucket), us.ours, us.signed(5))
        server.fault = lambda method, path: "blind" if method == "PUT" else ""
        with pytest.raises(Refused, match="does not mind"):
            feed(Objects(bucket), us.ours, us.signed(SIZE))
        server.fault = lambda method, path: ""
        assert whole(bucket, log).size == 5
        feed(Objects(bucket), us.ours, us.signed(SIZE))


@pytest.mark.parametrize("before", [None, b"before"])
def test_of_two_that_looked_one_replaces_the_checkpoint(bucket, before):
    if before:
        bucket.create("checkpoint", before, {})
    first, second = Objects(bucket), Objects(bucket)
    assert first.checkpoint() == second.checkpoint() == before
    first.replace_checkpoint(before, b"first")
    with pytest.raises(Overtaken):
        second.replace_checkpoint(before, b"second")
    assert bucket.read("checkpoint", 99) == b"first"


def test_a_checkpoint_that_is_gone_since_is_not_replaced(bucket):
    target = Objects(bucket)
    bucket.create("checkpoint", b"before", {})
    assert target.checkpoint() == b"before"
    obstore.delete(bucket._store, "checkpoint")
    with pytest.raises(Overtaken):
        target.replace_checkpoint(b"before", b"after")


def test_two_publishers_at_once_never_take_it_back(log, bucket):
    seen, wrong = [], []

    def publish(us, notes):
        target = Objects(bucket)
        for note in notes:
            try:
                seen.append(feed(target, us.ours, note).size)
            except Overtaken:
                seen.append(whole(bucket, log).size)
            except Exception as error:  # noqa: BLE001 - of a thread
                wrong.append(error)

    with publishing(log) as us:
        notes = [us.signed(size) for size in range(20, SIZE + 1, 20)]
        both = [
            threading.Thread(target=publish, args=(us, notes[first::2]))
            for first in (0, 1)
        ]
        for each in both:
            each.start()
        for each in both:
            each.join()
        assert wrong == []
        assert whole(bucket, log).size == max(seen)
        feed(Objects(bucket), us.ours, us.signed(SIZE))
    assert whole(bucket, log).size == SIZE


# Faults


def test_stopped_after_any_write_it_is_whole_and_goes_on(log, bucket):
    with publishing(log) as us:
        feed(Objects(bucket), us.ours, us.signed(5))
        for writes in range(50):
            try:
                feed(Cut(Objects(bucket), writes), us.ours, us.signed(SIZE))
                break
            except CutOff:
                assert whole(bucket, log).size == 5
    assert writes > 5
    assert whole(bucket, log).size == SIZE


@pytest.mark.parametrize("fault", ["refuse", "forget"])
def test_a_write_that_fails_leaves_it_whole_and_can_be_repeated(
    log, bucket, server, fault
):
    with publishing(log) as us:
        target = Objects(bucket)
        for size in (4, 5):  # and by now it knows that conditions are minded
            feed(target, us.ours, us.signed(size))
        for path in ("tile/entries/000", "tile/1/000.p/1", "checkpoint"):

            def spoil(method, asked, path=path):
                return fault if method == "PUT" and asked.endswith(path) else ""

            server.fault = spoil
            with pytest.raises(Unavailable):
                feed(target, us.ours, us.signed(SIZE))
            server.fault = lambda method, path: ""
            expected = SIZE if (path, fault) == ("checkpoint", "forget") else 5
            assert whole(bucket, log).size == expected
        assert feed(target, us.ours, us.signed(SIZE)).size == SIZE
    assert whole(bucket, log).size == SIZE


def test_the_checkpoint_is_sent_when_every_tile_is_there(log, bucket, server):
    with publishing(log) as us:
        feed(Objects(bucket), us.ours, us.signed(SIZE))
    puts = [path for method, path in server.asked if method == "PUT"]
    assert puts[-1].endswith("/checkpoint")
    assert len(puts) == len(set(puts))


# At start, and by hand


def test_a_bucket_is_asked_at_start_and_its_silence_holds_the_log(log, bucket):
    with publishing(log) as us:
        feed(Objects(bucket), us.ours, us.signed(SIZE))
    with publishing(log) as us:
        asked = {"folder": log.folder, "store": us.seen.store, "keys": us.ours.keys}
        ask_targets([str(bucket)], **asked)
        with pytest.raises(Held) as held:
            ask_targets([f"s3://{BUCKET}/nothing/here"], **asked)
    assert held.value.state == "target_silent"


def test_a_bucket_that_is_ahead_of_us_is_noticed_at_start(log, new_log, bucket):
    older = new_log("older", charter=log.charter)
    shutil.copy(log.folder / "key", older.folder / "key")
    with publishing(log) as us:
        feed(Objects(bucket), us.ours, us.signed(SIZE))
        keys = us.ours.keys
    store = Home.at(older.folder).open_store(readonly=True)
    with closing(store), pytest.raises(Held) as held:
        ask_targets([str(bucket)], folder=older.folder, store=store, keys=keys)
    older.given_up = True
    assert held.value.state == "rollback"


def test_export_writes_to_a_bucket_as_to_a_folder(log, bucket):
    done = provlog("export", log.folder, bucket)
    assert done.exit_code == 0, done.stderr
    assert whole(bucket, log).size == SIZE
    done = provlog("export", log.folder, bucket, "--check")
    assert "all compared; 0 written" in done.stdout
