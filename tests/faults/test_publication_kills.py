"""Killed at any step of publication, a log has one history, and goes on publishing.

    signed → cosigned → kept → tiles → checkpoint of each target

Whoever is killed, and wherever: what a target shows was kept, what was kept was
cosigned, all of it is the beginning of what comes later, and nothing that was
acknowledged is lost.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack, contextmanager

import pytest

from tests import tools
from tests.faults.public import QUICK, Eye, begin, kept, size_of, watched
from tests.livelog import LiveLog
from tests.liveservice import LiveService
from tests.sampled import crossed
from verifier import verify_log
from verifier.source import Directory

SETTINGS = QUICK + (
    'targets = ["../a", "../b"]\nindex = false\nstop_s = 2\n'
    "witness_timeout_ms = 2_000\n"
)
STEPS = {
    "kept, before": "ftruncate:when=1",
    "kept, the note without its row": "fdatasync:when=1",
    "the first tile": "rename:when=1",
    "the second tile": "rename:when=2",
    "tiles without lasting names": "fsync:when=4",
    "the checkpoint, before": "fsync:when=9",
    "the checkpoint": "rename:when=3",
    "the checkpoint, after": "fsync:when=10",
}
"""Where the process that publishes is at when it is killed, or stopped."""
EYES = {"signed": False, "cosigned, not answered": True}
"""Where it waits for a witness: whether that has cosigned by then."""


class World:
    """A log with witnesses and targets, and its service, again and again."""

    def __init__(self, folder, stack) -> None:
        self.live = LiveLog(folder / "log", settings=SETTINGS)
        self.targets = [folder / "a", folder / "b"]
        begin(self.live, *map(str, self.targets))
        self.eyes = [Eye(name, self.live) for name in ("w1", "w2")]
        eyes = [(each.name, each.vkey, each) for each in self.eyes]
        stack.enter_context(watched(self.live, *eyes))
        self.number = 0
        self.start()
        stack.callback(self.stop)
        self.settle()

    def start(self) -> None:
        """Start the service."""
        self.service = LiveService(self.live, workers=1)

    def stop(self) -> None:
        """Stop the service that is there then."""
        self.service.stop()

    @property
    def writer(self) -> int:
        """The one that was begun first."""
        return self.service.children()[0]

    @property
    def publisher(self) -> int:
        """The one that was begun last."""
        return self.service.in_order()[-1]

    def entry(self) -> bytes:
        """One that was not there before."""
        self.number += 1
        return b"entry %d" % self.number

    def settle(self) -> None:
        """Log one more; return when it is everywhere."""
        for each in self.eyes:
            each.open.set()
            each.late = False
        size = self.service.submit(self.entry()).json["size"]
        self.service.until(lambda: all(each >= size for each in self.sizes()))

    def sizes(self) -> list[int]:
        """How far all of them are, in the order in which they come to it."""
        newest = max([size_of(each) for each in kept(self.live)], default=0)
        shown = [self.shown(each) for each in self.targets]
        return [min(each.size for each in self.eyes), newest, *shown]

    def shown(self, target) -> int:
        """The size that a target shows; all of it is there, and right."""
        if not (target / "checkpoint").exists():
            return 0
        checkpoint = self.live.saw((target / "checkpoint").read_bytes())
        verify_log(Directory(target), checkpoint, kind="opaque")
        return checkpoint.size

    def judge(self) -> None:
        """Hold all that is outside against each other; the audit does so at last."""
        for note in (*kept(self.live), *(x for eye in self.eyes for x in eye.seen())):
            self.live.saw(note)
        cosigned, newest, *targets = self.sizes()
        assert cosigned >= newest >= max(targets)
        same: dict[int, bytes] = {}
        for seen in self.live.checkpoints:
            assert same.setdefault(seen.size, seen.root) == seen.root

    def restart(self, victim) -> None:
        """Kill a process, or all, and have the service again."""
        everyone = [self.service.process.pid, *self.service.children()]
        self.judge()
        if victim == "publisher":
            os.kill(self.publisher, signal.SIGKILL)
            self.service.until(lambda: self.publisher not in everyone)
        else:
            for pid in [self.writer] if victim == "writer" else everyone:
                os.kill(pid, signal.SIGKILL)
            assert self.service.stop() != 0
            self.start()


def stopped(pid):
    """Whether it stands still."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] in "Tt"


@contextmanager
def stopping(pid, where):
    """Let the process stand still when it comes to this call, of any thread."""
    command = ["strace", "-f", "-p", str(pid), "-o", os.devnull]
    command += ["-e", f"inject={where}:signal=STOP"]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr
    try:
        assert "attached" in tracer.stderr.readline()
        yield
    finally:
        tracer.kill()
        tracer.wait()
        tracer.stderr.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with ExitStack() as stack:
        made = World(tmp_path_factory.mktemp("world"), stack)
        yield made
    made.live.check()


VICTIMS = ["publisher", "writer", "all"]


@pytest.mark.parametrize(("step", "victim"), crossed([*STEPS], VICTIMS))
def test_whoever_is_killed_there_leaves_what_the_next_goes_on_with(world, step, victim):
    tools.need("strace")
    pid = world.publisher
    with stopping(pid, STEPS[step]):
        world.service.submit(world.entry())
        world.service.until(lambda: stopped(pid))
        world.restart(victim)
    world.settle()
    world.judge()


@pytest.mark.parametrize(("victim", "step", "which"), crossed(VICTIMS, [*EYES], [0, 1]))
def test_killed_while_a_witness_is_asked_it_asks_again(world, step, which, victim):
    eye = world.eyes[which]
    eye.late = EYES[step]
    eye.reached.clear()
    eye.open.clear()
    world.service.submit(world.entry())
    assert eye.reached.wait(10)
    world.restart(victim)
    world.settle()
    world.judge()
