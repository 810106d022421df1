"""Only the target that is in trouble lags; what is published can be audited always.

A target may be gone, hang, be slow or full, or have been written to by somebody else:
the log goes on, and the other one with it. How far each is, is a metric. When it is
back it has everything, and whoever reads a target at any moment finds a whole log.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.log.look import look
from ledger.objects import Bucket
from ledger.store import Head
from tests import tools
from tests.faults.public import QUICK, begin, gauge
from tests.livelog import LiveLog
from tests.liveservice import LiveService
from tests.publish.s3server import BUCKET, served
from tests.service.load import Load
from verifier import verify_checkpoint, verify_log
from verifier.__main__ import main as auditor
from verifier.source import Directory, Source, Url, read_checkpoint

LAG = "provlog_target_lag_seconds"
LONG = pytest.mark.exhaustive
SMALL_BYTES = 128 << 10


class World:
    """A log with a good target and one in trouble."""

    def __init__(self, folder: Path, bad: str, source: Source, settings="") -> None:
        self.good, self.bad, self.source = folder / "good", bad, source
        settings = f'{QUICK}index = false\ntargets = ["../good", "{bad}"]\n{settings}'
        self.live = LiveLog(folder / "log", settings=settings)
        begin(self.live, str(self.good))
        begin(self.live, bad if bad.startswith("s3:") else str(folder / bad[3:]))
        self.service = LiveService(self.live, workers=1)

    def grow(self) -> int:
        """Log an entry; return when the good target has it."""
        size: int = self.service.submit(b"x" * 1_000).json["size"]
        self.service.until(lambda: audited(Directory(self.good), self.live) >= size)
        return size

    def in_trouble(self, size: int, *, failures: int = 1) -> None:
        """The bad target has less than `size`, which all who look can see."""
        service = self.service
        service.until(lambda: gauge(service, LAG, self.bad) > 0)
        service.until(
            lambda: (
                gauge(service, "provlog_target_failures", self.bad) >= failures
                and gauge(service, LAG, "/good") == 0
            )
        )
        assert gauge(service, "provlog_target_size", self.bad) < size

    def well_again(self, size: int) -> None:
        """Both targets have `size`, and the lag is over."""
        self.service.until(lambda: audited(self.source, self.live) >= size)
        self.service.until(lambda: gauge(self.service, LAG, self.bad) == 0)


def audited(source: Source, live: LiveLog) -> int:
    """The size of what a target shows; all that belongs to it is there, and right."""
    data = read_checkpoint(source)
    seen = verify_checkpoint(data, live.policy).checkpoint
    live.checkpoints.append(seen)
    verify_log(source, seen, kind="opaque")
    return seen.size


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """A world with a bucket, and the server that has it."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        server = stack.enter_context(served(patch))
        name = f"s3://{BUCKET}/log"
        world = World(tmp_path_factory.mktemp("bucket"), name, Bucket(name))
        stack.callback(world.service.stop)
        yield world, server
    world.live.check()


def slow(_method, _path):
    """Every answer takes a while."""
    threading.Event().wait(0.2)
    return ""


FAULTS = {
    "gone": lambda method, path: "refuse",
    "hangs": lambda method, path: "hang",
    "full": lambda method, path: "refuse" if method == "PUT" else "",
    "takes tiles and no checkpoint": lambda method, path: (
        "refuse" if method == "PUT" and path.endswith("/checkpoint") else ""
    ),
}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(each, marks=[LONG] if each in ("gone", "full") else [])
        for each in FAULTS
    ],
)
def test_a_bucket_in_trouble_keeps_neither_the_log_nor_the_other_target(bucket, fault):
    world, server = bucket
    before = world.grow()
    world.well_again(before)
    failed = gauge(world.service, "provlog_target_failures", world.bad)
    server.released = threading.Event()
    server.fault = FAULTS[fault]
    try:
        sizes = [world.grow() for _ in range(3)]
        assert audited_while(server, world) <= before
        world.in_trouble(sizes[-1], failures=failed + (fault != "hangs"))
    finally:
        server.fault = lambda method, path: ""
        server.released.set()
    world.well_again(sizes[-1])


def audited_while(server, world):
    """What others see of the bucket while we cannot write to it."""
    fault = server.fault
    server.fault = lambda method, path: fault(method, path) if method == "PUT" else ""
    try:
        return audited(world.source, world.live)
    finally:
        server.fault = fault


def test_a_slow_bucket_has_what_is_newest_and_not_each_between(bucket):
    world, server = bucket
    world.well_again(world.grow())
    server.fault = slow
    server.asked.clear()
    size = [world.grow() for _ in range(10)][-1]
    server.fault = lambda method, path: ""
    world.well_again(size)
    put = [path for method, path in server.asked if method == "PUT"]
    assert sum(path.endswith("/checkpoint") for path in put) < 10


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Makes a world with two folders."""
    with ExitStack() as stack:

        def make():
            world = World(tmp_path, "../bad", Directory(tmp_path / "bad"))
            stack.callback(world.service.stop)
            return world

        yield make


@LONG
def test_a_full_disk_keeps_one_target_and_no_other(folders, tmp_path):
    tools.need_root()
    tools.need("mount", "umount")
    small = tmp_path / "bad"
    small.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SMALL_BYTES}", "none", str(small)]
    subprocess.run(["mount", *options], check=True)
    try:
        world = folders()
        before = world.grow()
        world.well_again(before)
        with open(small / ".checkpoint.ballast", "wb", buffering=0) as ballast:
            while True:
                try:
                    ballast.write(bytes(4096))
                except OSError:
                    break
        size = world.grow()
        world.in_trouble(size)
        assert audited(world.source, world.live) < size
        (small / ".checkpoint.ballast").unlink()
        world.well_again(size)
        world.service.stop()
    finally:
        subprocess.run(["umount", str(small)], check=True)
    world.live.check()


def test_what_somebody_else_wrote_there_is_left_alone_until_a_person_has_looked(
    folders, tmp_path
):
    world = folders()
    path = tmp_path / "bad" / "checkpoint"
    world.well_again(world.grow())
    ours = path.read_bytes()

    # Of another log: it is tried again, and mended by who puts the old one back.
    other = LiveLog(tmp_path / "other")
    with other.open() as log:
        log.append([b"other"])
        path.write_bytes(log.checkpoint())
    strange = path.read_bytes()
    size = world.grow()
    world.in_trouble(size)
    assert path.read_bytes() == strange
    path.write_bytes(ours)
    world.well_again(size)

    # Signed by our key, and larger than we are: it is not touched again.
    with look(world.live.folder) as seen:
        ahead = Head(batch=999, size=999, root=b"r" * 32)
        path.write_bytes(seen.signer.sign(ahead))
    forged = path.read_bytes()
    size = world.grow()
    world.service.until(lambda: "target_held" in world.service.said())
    world.in_trouble(size)
    world.grow()
    assert path.read_bytes() == forged
    assert world.service.said().count("target_held") == 1

    # Nor does the next start write anything: the log may have been put back.
    world.service.stop()
    with world.live.open() as log:
        assert log.hold.state == "rollback"
    world.live.check()


@LONG
def test_who_reads_what_a_plain_web_server_serves_never_finds_half_a_log(
    folders, tmp_path
):
    world = folders()
    world.grow()
    command = [sys.executable, "-u", "-m", "http.server", "0", "-b", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "-d", str(world.good)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        url = server.stdout.readline().split("(")[1].split("/)")[0]
        policy = str(world.live.folder / "policy.txt")
        sizes = [audited(Url(url), world.live)]
        with Load(world.service, 3) as load:
            while len(sizes) < 12 or sizes[-1] < 300:
                sizes.append(audited(Url(url), world.live))
                load.until(10)
            assert (
                auditor(["audit", url, "--policy", policy, "--entries", "opaque"]) == 0
            )
        assert sizes == sorted(sizes)
        assert len(set(sizes)) > 6
        size = world.grow()
        assert audited(Url(url), world.live) == size
        world.service.stop()
        load.judge()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    world.live.check()
