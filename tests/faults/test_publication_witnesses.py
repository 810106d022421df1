"""Whatever some witnesses do, a log whose quorum is honest publishes in time.

Beside two true ones stand those that lie, stall, send too much, or send us elsewhere:
none of them is waited for, none has a line in what is published. Without a quorum a
closed log publishes nothing, and logs all the same.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from ledger.clock import read_clock, stopwatch
from tests.faults.public import QUICK, Eye, gauge, kept, size_of, watched
from tests.livelog import LiveLog
from tests.liveservice import LiveService
from tests.testlog import signer
from tests.witness.hostile import OTHERS, STALLS, raw, says, send
from verifier import Policy, verify_checkpoint
from verifier.note import Note
from verifier.receipt import Receipt
from verifier.witnessing import Addition

TIMEOUT_S, SOON_S = 10, 4
"""How long the log may wait for witnesses, and how long it does at most."""
SETTINGS = QUICK + "index = false\n"
PATIENT = f"witness_timeout_ms = {TIMEOUT_S * 1000}\n"
DEAD = raw(b"")


def lying(name, *, origin="", size=0, ahead_s=0):
    """One that signs what it should not, with its own key."""
    who = signer(f"witness.example/{name}", 0x04)

    def behave(handler, body):
        text = Note.parse(Addition.parse(body).checkpoint).text
        lines = text.splitlines()
        lines[0] = origin or lines[0]
        lines[1] = str(size or lines[1])
        now = read_clock().wall_ms // 1000
        line = who.line("\n".join(lines) + "\n", now + ahead_s)
        send(handler, 200, line.encode())

    return who, behave


def named(name):
    """A witness with a key, of whom we have no cosignature."""
    return signer(f"witness.example/{name.replace(' ', '-')}", 0x04)


HOSTILE = {
    **{name: (named(name), each) for name, each in OTHERS.items()},
    **{f"stalls {at}": (named(at), each) for at, each in STALLS.items()},
    "other origin": lying("origin", origin="other.example/log"),
    "other tree": lying("tree", size=10**6),
    "future": lying("future", ahead_s=86_400),
    "replayed": lying("replayed", ahead_s=-86_400),
}


def later(behave):
    """One that behaves so as soon as the log runs; at its start it knows nothing."""
    first = iter([says(404)])

    def answer(handler, body):
        next(first, behave)(handler, body)

    return answer


class World:
    """A log, two true witnesses, and as many others as the test wants."""

    def __init__(self, folder, stack, hostile=(), *, quorum=2, settings="") -> None:
        self.live = LiveLog(folder / "log", settings=SETTINGS + (settings or PATIENT))
        self.eyes = [Eye(f"true{number}", self.live) for number in (1, 2)]
        asked = [(each.name, each.vkey, each) for each in self.eyes]
        for number, (vkey, behave) in enumerate(hostile, start=1):
            asked.append((f"h{number}", vkey, later(behave)))
        self.servers = stack.enter_context(watched(self.live, *asked, quorum=quorum))
        self.policy = Policy.parse((self.live.folder / "policy.txt").read_bytes())
        self.service = LiveService(self.live)
        stack.callback(self.service.stop)
        self.number = 0

    def submit(self, **headers):
        """Log one more."""
        self.number += 1
        return self.service.submit(b"entry %d" % self.number, **headers)

    def in_time(self) -> bytes:
        """Log one more; the checkpoint with which it is public and witnessed."""
        began = stopwatch()
        got = self.submit(Prefer="wait=20")
        assert stopwatch() - began < SOON_S
        assert "Preference-Applied" in got.headers
        checkpoint = Receipt.parse(got.json["receipt"].encode()).checkpoint
        verify_checkpoint(checkpoint, self.policy)
        return checkpoint

    def count(self, name, witness):
        """What a metric says of a witness."""
        return gauge(self.service, f"provlog_witness_{name}", f'"{witness}"')


@pytest.fixture
def new_world(tmp_path):
    with ExitStack() as stack:
        made = []

        def make(*args, **more):
            made.append(World(tmp_path, stack, *args, **more))
            return made[-1]

        yield make
    for each in made:
        each.live.check()


def test_beside_a_true_quorum_no_other_delays_the_log_or_is_in_what_it_publishes(
    new_world,
):
    hostile = [(who.vkey, behave) for who, behave in HOSTILE.values()]
    world = new_world(hostile)
    true = {f"witness.example/{each.name}" for each in world.eyes}
    for _ in range(4):
        names = {each.name for each in Note.parse(world.in_time()).signatures}
        assert names == {world.live.charter.origin, *true}
    # Once at the start, and at least once to cosign.
    world.service.until(lambda: all(len(each.bodies) > 1 for each in world.servers))
    world.service.until(
        lambda: all(
            world.count("failures", f"h{number}") > 0
            for number, name in enumerate(HOSTILE, start=1)
            if not name.startswith("stalls")
        )
    )
    for number, name in enumerate(HOSTILE, start=1):
        assert world.count("size", f"h{number}") == 0, name
        assert world.count("ahead", f"h{number}") == (name == "is ahead by far"), name


def test_the_next_start_believes_one_who_says_he_has_seen_more_until_told_not_to(
    new_world,
):
    who, ahead = HOSTILE["is ahead by far"]
    world = new_world([(who.vkey, ahead)])
    world.in_time()
    world.service.stop()
    with world.live.open() as log:
        assert log.hold.state == "rollback"
        assert "h1" in str(log.hold)
    with world.live.open(without=["h1"]) as log:
        world.live.append(b"more", log=log)


@pytest.mark.parametrize("failure", ["closed", "open"])
def test_a_quorum_of_liars_is_none(new_world, failure):
    liars = [HOSTILE[name] for name in ("other origin", "other tree", "future")]
    settings = f'witness_failure = "{failure}"\nwitness_timeout_ms = 500\n'
    world = new_world(
        [(who.vkey, behave) for who, behave in liars],
        quorum=3,
        settings=settings,
    )
    got = world.submit(Prefer="wait=1")
    applied = "Preference-Applied" in got.headers
    assert applied == (failure == "open")
    world.service.until(lambda: gauge(world.service, "provlog_quorum") == 0)
    found = world.service.get("/checkpoint")
    assert (size_of(found.body) if found.status == 200 else 0) == applied
    assert "quorum_missed" in world.service.said()


def test_with_all_witnesses_dead_a_closed_log_logs_on_and_publishes_when_they_are_back(
    new_world,
):
    world = new_world(settings="witness_timeout_ms = 500\n")
    last = world.in_time()
    for server in world.servers:
        server.behave = DEAD
    sizes = [world.submit().json["size"] for _ in range(20)]
    assert sizes == sorted(set(sizes))
    world.service.until(lambda: gauge(world.service, "provlog_quorum") == 0)
    shown = world.service.get("/checkpoint").body
    assert size_of(shown) == size_of(last)
    assert size_of(kept(world.live)[-1]) == size_of(last)
    for server, eye in zip(world.servers, world.eyes, strict=True):
        server.behave = eye
    world.service.until(
        lambda: size_of(world.service.get("/checkpoint").body) >= sizes[-1]
    )
    assert [each.size >= sizes[-1] for each in world.eyes] == [True, True]
    said = world.service.said()
    assert said.count("quorum_missed") == said.count("quorum_again") == 1
    assert gauge(world.service, "provlog_head_size") == sizes[-1]
