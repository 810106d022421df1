"""A clone of a log's machine that has gone on is found out by a witness, at any size.

A machine that was cloned whole has the same files with the same identities: no anchor
tells it from the original. Both go on, and both sign. A witness has one history; who
has the other one does not write after its next start, also where it is the longer one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.errors import Held
from ledger.http.small import Reply, small_server
from ledger.http.witnessing import witness_server
from ledger.log.witnesses import ask_witnesses
from tests.faults.public import Eye
from tests.faults.test_publication_rollback import SETTINGS, World
from tests.testlog import ORIGIN, TIME, checkpoint_text, note, signer
from tests.witness.asked import OTHER, TREE
from tests.witness.hostile import REACH, policy_of, signed
from tests.witness.serving import serving
from verifier.witnessing import SIZE_TYPE, size_text


@pytest.fixture
def cloned(new_log):
    """A log that has published two entries, and two more after it was cloned."""
    live = new_log(settings=SETTINGS)
    eye = Eye("w1", live)
    policy = live.folder / "policy.txt"
    logs = [x for x in policy.read_text().splitlines() if x.startswith("log ")]
    with (
        ThreadPoolExecutor(4) as threads,
        serving(lambda: witness_server(eye.cosigner, threads)) as port,
    ):
        witness = f"witness w1 {eye.vkey} http://127.0.0.1:{port}"
        lines = [*logs, witness, "group g all w1", "quorum g", ""]
        policy.write_text("\n".join(lines))
        world = World(live, "w1")
        world.publish(b"three", b"four")
        yield world


def test_the_original_goes_on(cloned):
    with cloned.live.open() as log:
        assert log.hold is None
        # With more than the witness has: it was not asked before somebody was answered.
        cloned.live.append(b"five", log=log)
    with cloned.live.open() as log:
        assert log.hold is None


@pytest.mark.parametrize("more", [2, 3, 600])
def test_a_clone_that_has_gone_further_does_not(cloned, more):
    cloned.put_back()
    with cloned.live.open(without=["w1"]) as log:  # the clone, before its next start
        log.append([b"another %d" % number for number in range(more)])
    with cloned.live.open() as log:
        assert log.hold
        assert log.hold.state == "forked"
        assert "size 4" in str(log.hold)


def test_one_that_is_behind_has_been_put_back(cloned):
    cloned.put_back()
    with cloned.live.open() as log:
        assert log.hold
        assert log.hold.state == "rollback"


def cosigned_by(who, size=3, origin=ORIGIN, tree=OTHER):
    """Another tree of that size than the log's, cosigned."""
    text = checkpoint_text(size, tree.mth(0, size), origin)
    return note(text, who.line(text, TIME))


WITNESS, STRANGER = (signer(f"witness.example/{name}", 0x04) for name in "ws")
LIES = {
    "garbage": b"\xff\n\n",
    "no checkpoint": note("three\n", WITNESS.line("three\n", TIME)),
    "by nobody": cosigned_by(WITNESS).replace(b" three", b" four")[:-9] + b"AAAAAAA=\n",
    "by a stranger": cosigned_by(STRANGER),
    "of another log": cosigned_by(WITNESS, origin="log.example/other"),
    "of ours": cosigned_by(WITNESS, tree=TREE),
    "large": b"a" * 200_000,
}


def started(shown):
    """Start a log of seven, whose witness has cosigned three, and shows that."""

    async def answer(asking):
        if asking.method == "POST":
            return Reply(status=409, body=size_text(3), content_type=SIZE_TYPE)
        return Reply(status=200, body=shown)

    with serving(lambda: small_server(answer, most_body=100_000)) as port:
        policy = policy_of((WITNESS.vkey, f"http://127.0.0.1:{port}"), quorum="all")
        ask_witnesses(
            policy,
            held_note=signed(7)[0],
            root_at=lambda size: TREE.mth(0, size),
            reach=REACH,
            without=(),
            timeout_s=5,
        )


def test_another_tree_is_believed_by_the_witness_that_cosigned_it():
    with pytest.raises(Held, match="another tree of size 3"):
        started(cosigned_by(WITNESS))


@pytest.mark.parametrize("lie", LIES)
def test_what_no_witness_has_cosigned_holds_no_log(lie):
    started(LIES[lie])
