"""What survives outside is asked at each start, and cannot be used against the start.

A log that is put back whole, to any of its states, does not write as long as one
survivor knows better. A survivor that only stalls costs the writing, after a time
that the service outlasts; never the reading.
"""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cli.main import main
from ledger.log import targets
from ledger.server import supervisor
from tests.faults.public import Eye, watched
from tests.faults.test_publication_rollback import SETTINGS, World
from tests.loopback import Server, running, silent


@pytest.fixture
def begun(new_log):
    """A log whose backup is of its first moment, and whose witness has seen more."""
    live = new_log(settings=SETTINGS)
    eye = Eye("w1", live)
    with watched(live, ("w1", eye.vkey, eye)):
        world = World.__new__(World)
        world.live, world.name, world.others = live, "w1", ()
        world.saved = {path: path.read_bytes() for path in world.files()}
        yield world


def put_back(world):
    """Publish two entries, and forget both."""
    world.publish(b"one", b"two")
    world.put_back()


def test_an_empty_log_begins_where_no_witness_has_seen_more(begun):
    with begun.live.open() as log:
        assert log.hold is None


def test_a_log_that_was_put_back_to_its_beginning_is_found_out(begun):
    put_back(begun)
    with begun.live.open() as log:
        assert log.hold
        assert log.hold.state == "rollback"


@pytest.mark.parametrize(
    "command",
    [
        ("append", "--lines", "-"),
        ("freeze", "--yes"),
        ("key", "rotate"),
        ("export", "out"),
    ],
    ids=lambda each: each[0],
)
def test_no_command_writes_to_it(begun, tmp_path, monkeypatch, command):
    put_back(begun)
    monkeypatch.chdir(tmp_path)
    first, *rest = command
    words = [first, *([rest.pop(0)] if first == "key" else [])]
    got = CliRunner().invoke(
        main, [*words, str(begun.live.folder), *rest], input=b"another"
    )
    assert got.exit_code == 2, got.output
    says = "nothing was published" if first == "export" else "older state"
    assert says in got.output, got.output
    begun.live.given_up = False
    begun.live.checkpoints.clear()
    begun.live.promised.clear()
    assert begun.live.check().size == 0


def test_a_target_that_stalls_is_silent_in_time(new_log, monkeypatch):
    monkeypatch.setattr(targets, "PATIENCE_S", 0.2)
    server = Server()
    server.behaviours = [silent]
    with running(server):
        live = new_log(settings=f'targets = ["{server.prefix}"]\n')
        with live.open() as log:
            assert log.hold
            assert log.hold.state == "target_silent"
            assert "0.2 s" in str(log.hold)
            assert log.head.size == 0  # reading goes on


def test_the_service_outlasts_it():
    assert targets.PATIENCE_S < supervisor._START_S / 2
