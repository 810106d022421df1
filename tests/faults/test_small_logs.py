"""An empty log, and one with a single entry, go through everything that is public.

A monitor of others failed on an empty log. Here both sizes are witnessed, published,
exported, mirrored, watched and audited, in the order in which a log becomes public;
then they grow, and nobody has to be told.
"""

import pytest

from ledger.clock import read_clock
from ledger.publish.feeding import feed
from ledger.publish.folder import Folder
from tests.cli.operating import provlog, said
from tests.faults.public import QUICK, Eye, watched
from tests.mirror.mirroring import mirrored
from tests.monitor.watching import Watching
from tests.publish.feeds import publishing
from verifier import Policy, verify_checkpoint, verify_log
from verifier.hashing import EMPTY_ROOT
from verifier.source import Directory
from verifier.trust import Limits

SETTINGS = QUICK + 'targets = ["../public"]\nwitness_timeout_ms = 3000\n'


class Everybody:
    """A log of this size, its witness, and where it is public and mirrored."""

    def __init__(self, live, size, eye):
        self.live, self.eye, self.size = live, eye, size
        folder = live.folder.parent
        self.public, self.copy = folder / "public", folder / "copy"

    @property
    def policy(self):
        return Policy.parse((self.live.folder / "policy.txt").read_bytes())

    @property
    def folder(self):
        """What a monitor is told to watch: the log as it is public."""
        return self.public

    def export(self):
        made = said("export", self.live.folder, self.public)
        assert made["witnessed"]
        return made["size"]


@pytest.fixture(params=[0, 1])
def everybody(new_log, request):
    live = new_log(settings=QUICK)
    if request.param:
        live.append(b"the only one")
    (live.folder / "log.toml").write_text(f"min_free_bytes = 0\n{SETTINGS}")
    eye = Eye("w1", live)
    with watched(live, ("w1", eye.vkey, eye)):
        yield Everybody(live, request.param, eye)


def test_the_witness_cosigns_it_and_the_export_has_that(everybody):
    assert everybody.export() == everybody.size
    data = (everybody.public / "checkpoint").read_bytes()
    tree = verify_checkpoint(data, everybody.policy).checkpoint
    assert tree.size == everybody.size
    assert (tree.root == EMPTY_ROOT) == (tree.size == 0)
    verify_log(Directory(everybody.public), tree, kind="opaque")
    assert everybody.eye.size == everybody.size
    # Again: nothing is new, and nothing is wrong.
    assert everybody.export() == everybody.size


def test_it_is_opened_while_witness_and_target_are_asked(everybody):
    everybody.export()
    with everybody.live.open() as log:
        assert not log.hold
        assert log.head.size == everybody.size


def test_a_target_and_a_mirror_have_it_and_a_monitor_is_content(everybody, tmp_path):
    limits = Limits(now=None)
    with publishing(everybody.live) as us:
        feed(Folder(everybody.public), us.ours, us.signed(everybody.size))
    everybody.export()
    done = mirrored(everybody.public, everybody.copy, everybody, limits=limits)
    assert done.checkpoint.size == everybody.size
    verify_log(Directory(everybody.copy), done.checkpoint, kind="opaque")
    watching = Watching(everybody, tmp_path)
    watching.now = read_clock().wall_ms // 1000
    for more in (0, 1):
        if more:
            everybody.live.append(b"the next one")
            assert everybody.export() == everybody.size + 1
        outcome = watching.round()
        assert not outcome.report.broken
        assert outcome.size == everybody.size + more
    assert watching.told() == []
    done = mirrored(everybody.public, everybody.copy, everybody, limits=limits)
    assert (done.before, done.checkpoint.size) == (everybody.size, everybody.size + 1)


def test_it_can_be_ended_and_its_end_is_public(everybody):
    everybody.export()
    assert provlog("freeze", everybody.live.folder, "--yes").exit_code == 0
    assert everybody.export() == everybody.size
    data = (everybody.public / "checkpoint").read_bytes()
    tree = verify_checkpoint(data, everybody.policy).checkpoint
    pinned = Limits(final=(tree.size, tree.root))
    assert verify_checkpoint(data, everybody.policy, pinned)


def test_a_service_publishes_it_as_well(everybody, new_service):
    everybody.export()
    service = new_service(everybody.live, workers=0)
    service.until(lambda: service.get("/checkpoint").status == 200)
    shown = service.get("/checkpoint").body
    # Its first moments are those of the last process; then it has a quorum of its own.
    seen = verify_checkpoint(shown, everybody.policy)
    assert (seen.checkpoint.size, set(seen.cosigned)) == (everybody.size, {b"w1"})
    service.submit(b"the next one")
    service.until(lambda: everybody.eye.size == everybody.size + 1)
