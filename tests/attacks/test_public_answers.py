"""Who stands between us and strangers may be taken over by one; it is not believed.

The process that publishes parses what witnesses, targets and webhooks answer. It has
no key, and what it says to the writer is shown to nobody if it is about another tree
than the one that it was given.
"""

from __future__ import annotations

import asyncio
import socket

import pytest

from ledger.errors import Unavailable
from ledger.metrics.counts import Counts
from ledger.publish.publishing import Proposal, Published
from ledger.server.messages import framed, made_of, parse_proposed, read_frame
from ledger.server.outlet import Outlet
from tests.testlog import LOG, checkpoint_text, note
from tests.witness.asked import OTHER
from tests.witness.hostile import signed


def forged(size):
    """Another tree, signed by the log or not: that makes no difference here."""
    text = checkpoint_text(size, OTHER.mth(0, size))
    return note(text, LOG.line(text))


def published_as(answer):
    """What the writer makes of this answer to a proposal of seven entries."""
    ours, theirs = socket.socketpair()
    proposal = Proposal(note=signed(7)[0], time=1, at_ms=1_000)

    def publisher():
        with theirs:
            assert parse_proposed(read_frame(theirs)).note == proposal.note
            theirs.sendall(framed(made_of(answer)))
            theirs.recv(1)

    async def writer():
        outlet = Outlet(Counts())
        outlet.attach(ours)
        other = asyncio.create_task(asyncio.to_thread(publisher))
        try:
            return await outlet.publish(proposal)
        finally:
            outlet.close()
            await other

    return asyncio.run(asyncio.wait_for(writer(), 10))


def test_what_was_given_is_published():
    plain = signed(7)[0]
    made = Published(7, plain, plain, 1_000)
    assert published_as(made) == made


@pytest.mark.parametrize("size", [6, 7, 8])
def test_another_tree_is_not_public_whoever_says_so(size):
    with pytest.raises(Unavailable, match="another tree"):
        published_as(Published(size, forged(size), forged(size), 1_000))


def test_nor_is_the_right_one_as_one_of_another_size():
    plain = signed(7)[0]
    with pytest.raises(Unavailable, match="another tree"):
        published_as(Published(9, plain, plain, 1_000))


def test_nor_is_what_cannot_be_read():
    with pytest.raises(Unavailable):
        published_as(Published(7, b"garbage", b"", 1_000))
