"""What a folder has published is evidence against a store that was put back into it.

Store and anchor are put back together, and agree; nobody outside is asked. The
checkpoints that were public lie beside them, signed by the log's own key.
"""

from __future__ import annotations

import pytest

from ledger.log.published import NAME
from tests.faults.site import put
from tests.faults.test_publication_rollback import SETTINGS, World


@pytest.fixture
def world(new_log):
    """A log that has published four entries, put back to where it had two."""
    world = World(new_log(settings=SETTINGS), "")
    world.saved = {
        path: data
        for path, data in world.saved.items()
        if path.parent.name == "store" or path.name == "anchor"
    }
    world.publish(b"three", b"four")
    return world


def put_back(world):
    """Put back store and anchor alone."""
    for path, data in world.saved.items():
        put(path, data)
    world.live.given_up = True


def state(world):
    """In which state the log opens, and how far it is."""
    with world.live.open() as log:
        return log.hold.state if log.hold else "", log.head.size


def test_a_log_that_goes_on_is_not_held(world):
    assert state(world) == ("", 4)
    world.live.append(b"five")
    assert state(world) == ("", 5)


def test_one_that_was_put_back_is(world):
    put_back(world)
    assert state(world) == ("rollback", 2)


def test_also_behind_what_a_crash_has_torn(world):
    sizes = world.live.folder / NAME / "sizes"
    sizes.write_bytes(sizes.read_bytes() + bytes(24 * 3) + b"torn")
    put_back(world)
    assert state(world) == ("rollback", 2)


@pytest.mark.parametrize("name", ["sizes", "notes"])
@pytest.mark.parametrize("data", [b"", b"\xff" * 24 * 99, bytes(24 * 99)])
def test_what_cannot_be_read_says_nothing(world, name, data):
    (world.live.folder / NAME / name).write_bytes(data)
    assert state(world) == ("", 4)
