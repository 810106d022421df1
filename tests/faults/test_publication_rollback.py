"""A log that is put back whole is found out by whoever outside has seen a newer tree.

Every byte of the log's folder, with its anchor, goes back into the same files: from
inside it looks right. One surviving target, witness or anchor elsewhere is enough
for it to be read only, so that no second history is ever signed. With nobody outside
it would be.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress

import pytest
from click.testing import CliRunner

from cli.main import main
from ledger.clock import read_clock
from ledger.errors import Held
from ledger.log.lock import NAME as OURS
from ledger.metrics.counts import Counts
from ledger.publish.publishing import Publisher
from ledger.server.outside import Inside, kept_of
from tests.faults.public import Eye, begin, kept, size_of, watched
from tests.faults.site import LOCK, put
from tests.livelog import LiveLog
from tests.loopback import Server, folder, running
from tests.publish.s3server import BUCKET, served
from tests.witness.anchors import AnchorService
from verifier.checkpoint import Checkpoint
from verifier.note import Note

SETTINGS = 'reach = ["127.0.0.1"]\npublish_interval_ms = 10_000\n'
LONG = pytest.mark.exhaustive
SURVIVORS = [
    *("folder", "witness", "anchor"),
    *(pytest.param(each, marks=LONG) for each in ("s3", "mirror")),
]


class World:
    """A log that publishes, and one who keeps what was published."""

    def __init__(self, live: LiveLog, name: str, *others: str) -> None:
        self.live, self.name, self.others = live, name, others
        self.first = tree_of(self.publish(b"one", b"two").note)
        self.saved = {path: path.read_bytes() for path in self.files()}

    def files(self):
        """All that a backup of the machine would have."""
        found = (each for each in self.live.folder.rglob("*") if each.is_file())
        return [each for each in found if each.name not in (LOCK, OURS)]

    def publish(self, *entries, without=()):
        """Log these, and make them public."""
        with self.live.open(without=without) as log:
            self.live.append(*entries, log=log)
            inside = Inside(log.home, log.store, log.keys, Counts())
            made = inside.publish_now(self.publisher(log).propose())
            inside.close()
            self.live.saw(made.note)
        return made

    def publisher(self, log):
        """What proposes."""
        asks = log.home.whom_to_believe().asks_witnesses
        kept = kept_of(log.home, log.charter.origin, log.keys)
        return Publisher(log, kept, read_clock, asks=asks)

    def put_back(self):
        """Let the machine be as it was."""
        for path in set(self.files()) - set(self.saved):
            path.unlink()
        for path, data in self.saved.items():
            put(path, data)
        self.live.given_up = True


def tree_of(note):
    return Checkpoint.parse(Note.parse(note).text)


@pytest.fixture
def stack():
    with ExitStack() as it:
        yield it


@pytest.fixture(params=SURVIVORS)
def world(request, new_log, stack, tmp_path, monkeypatch):
    """A log with one outside who survives."""
    live, others = new_log(settings=SETTINGS), ()
    targets = (str(tmp_path / "public"),)
    match request.param:
        case "folder":
            name = "../public"
            settings = f'targets = ["{name}"]\n'
        case "s3":
            stack.enter_context(served(monkeypatch))
            name = f"s3://{BUCKET}/{tmp_path.name}"
            targets = (name,)
            settings = f'targets = ["{name}"]\n'
        case "mirror":
            server = stack.enter_context(running(Server()))
            server.behaviours = [folder(tmp_path / "public")]
            name = server.prefix
            others = ("../public",)
            settings = f'targets = ["{name}", "{others[0]}"]\n'
        case "anchor":
            service = AnchorService(tmp_path / "service", live.charter.origin)
            stack.enter_context(service.up())
            token = live.folder / "anchor.token"
            token.write_text(f"{service.url} {service.token}\n")
            token.chmod(0o600)
            name, targets = service.url, ()
            settings = f'anchors = ["{name}"]\n'
        case _:
            eye = Eye("w1", live)
            stack.enter_context(watched(live, ("w1", eye.vkey, eye)))
            name, settings, targets = "w1", "", ()
    with open(live.folder / "log.toml", "a") as file:
        file.write(settings)
    begin(live, *targets)
    return World(live, name, *others)


def test_what_came_after_is_not_written_a_second_time(world):
    newest = world.publish(b"three", b"four")
    world.put_back()
    with world.live.open() as log:
        assert log.hold.state == "rollback"
        assert log.head.size == 2
        assert log.reading.entry(1) == b"two"  # reading goes on
        with pytest.raises(Held, match="older state"):
            log.append([b"another"])
        # What is signed, if anything, was public before, and nothing proposes it.
        with suppress(Held):
            again = log.checkpoint(time=newest.at_ms // 1000 + 60)
            assert tree_of(again) == world.first
        assert world.publisher(log).propose() is None
    assert all(size_of(each) == 2 for each in kept(world.live))


def test_who_asks_for_the_state_is_told(world):
    world.publish(b"three")
    world.put_back()
    got = CliRunner().invoke(
        main, ["status", str(world.live.folder), "--ask", "--json"]
    )
    assert got.exit_code == 1
    found = json.loads(got.stdout)
    assert found["state"] == "rollback"
    assert "restore" in found["mend"]


def test_a_service_of_it_reads_on_and_refuses_until_it_is_told_otherwise(
    new_log, new_service, tmp_path
):
    live = new_log(settings=f'{SETTINGS}targets = ["../public"]\n')
    begin(live, str(tmp_path / "public"))
    world = World(live, "../public")
    world.publish(b"three")
    newest = (tmp_path / "public" / "checkpoint").read_bytes()
    world.put_back()
    service = new_service(live, workers=1)
    got = service.post("/v1/records", b"another")
    assert (got.status, got.problem, got.json["state"]) == (503, "held", "rollback")
    assert tree_of(service.get("/checkpoint").body) == world.first
    assert service.get("/v1/entries/1").body == b"two"
    service.stop()
    assert (tmp_path / "public" / "checkpoint").read_bytes() == newest
    again = new_service(live, arguments=("--without", "../public"))
    assert again.post("/v1/records", b"another").status == 201
    again.until(lambda: "target_held" in again.said())
    again.stop()
    # Even then what is there is not overwritten: a person has to look.
    assert (tmp_path / "public" / "checkpoint").read_bytes() == newest


def test_a_start_without_a_crash_between_is_no_rollback(world):
    world.publish(b"three")
    with world.live.open() as log:
        assert log.hold is None
        assert world.live.append(b"four", log=log).head.size == 4


def test_only_who_says_without_whom_writes_on(world):
    world.publish(b"three")
    world.put_back()
    without = [world.name, *world.others]
    for each in [[], ["w2"]]:
        with world.live.open(without=each) as log:
            assert log.hold
    with world.live.open(without=without) as log:
        assert log.append([b"another"]).head.size == 3


def test_with_nobody_outside_there_would_be_two_histories(new_log):
    world = World(new_log(settings=SETTINGS), "")
    first = world.publish(b"three")
    world.put_back()
    with world.live.open() as log:
        log.append([b"another"])
        second = log.checkpoint(time=first.at_ms // 1000)
    one, two = tree_of(first.note), tree_of(second)
    assert one.size == two.size
    assert one.root != two.root
    got = CliRunner().invoke(main, ["status", str(world.live.folder), "--json"])
    assert json.loads(got.stdout)["protected_by"] == []
