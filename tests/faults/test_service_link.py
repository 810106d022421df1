"""Between a front end and the writer: no bytes harm the writer, no answer runs ahead.

Front ends take bytes from strangers, and the writer has the keys: whatever one of
them says, the others are served. And of each head everyone is told before any answer
that is about it, also when the log goes on in the middle of the telling.
"""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import read_clock
from ledger.config import Config
from ledger.errors import Halted, Unavailable
from ledger.log.pool import Admitted
from ledger.metrics.counts import Counts
from ledger.publish.kept import Kept
from ledger.publish.publishing import Publisher
from ledger.server.counterpart import Counterpart
from ledger.server.desk import Desk, Signed
from ledger.server.link import Link
from ledger.server.messages import (
    MAX_FRAME_BYTES,
    Facts,
    Handed,
    NoMessage,
    framed,
    parse_from_front,
)
from ledger.server.outside import Inside

GOOD = Handed(1, [(None, b"entry", None)])


def desk_of(log):
    """The desk of a log, in the loop that runs."""
    kept = Kept(log.home.folder, log.keys, log.charter.origin)
    inside = Inside(log.home, log.store, log.keys, Counts())
    publisher = Publisher(log, kept, read_clock, asks=False)
    return Desk(log, publisher, Signed(kept), inside.publish)


@asynccontextmanager
async def linked(desk, config):
    """A link to the desk; both of its ends are in this loop."""
    ours, theirs = socket.socketpair()
    served = asyncio.create_task(Counterpart(desk, Counts(), "it").serve(theirs))
    link = await Link.over(ours, config)
    heard = asyncio.create_task(link.run())
    yield link
    await link.close()
    await asyncio.gather(served, heard)


@given(st.binary(max_size=200))
def test_bytes_are_a_message_or_no_message_and_nothing_else(data):
    try:
        message = parse_from_front(data)
    except NoMessage:
        return
    assert isinstance(message, Handed | Facts)


HOSTILE = {
    "nothing": b"",
    "a_length_and_no_more": b"\0\0",
    "too_long": (MAX_FRAME_BYTES + 1).to_bytes(4, "big"),
    "empty": bytes(4),
    "no_message": framed(GOOD)[:4] + b"x" * (len(framed(GOOD)) - 4),
    "cut": framed(GOOD)[:-1],
    "deep": b"\0\1\x86\xa0\x92\xa5Facts" + b"\x91" * 100_000,
    "rows_of_nothing": framed(Facts([1, None, "x", {"a": 1}])),
    "a_metric_that_is_none": framed(Facts([["provlog_none", [], [1]]])),
    "numbers_without_end": framed(Facts([["provlog_requests", ["a", "200"], [1e308]]])),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_front_end_that_has_lost_its_mind_harms_nobody_else(new_log, data):
    live = new_log()

    async def main(log):
        desk = desk_of(log)
        ours, theirs = socket.socketpair()
        served = asyncio.create_task(Counterpart(desk, Counts(), "it").serve(theirs))
        ours.sendall(data)
        ours.close()
        await asyncio.wait_for(served, 20)
        assert not desk.changed
        async with linked(desk, live_config(log)) as link:
            answer = await link.hand_in([Admitted(None, b"entry")])
            assert answer.indexes == [0]

    with live.open() as log:
        asyncio.run(main(log))


def live_config(log):
    """What is set for a log."""
    return log.home.config


@pytest.mark.parametrize(
    "admitted",
    [
        [(None, b"x" * 70_000, None)],
        [(b"", b"entry")],
        [(b"i" * 600, b"entry")],
        [(None, b"entry", None)] * 100_000,
    ],
    ids=["entry", "no_identity", "identity", "too_many"],
)
def test_an_order_that_cannot_be_is_refused_and_the_next_is_taken(new_log, admitted):
    async def main(log):
        async with linked(desk_of(log), Config()) as link:
            with pytest.raises(Exception, match=r"\d"):
                await link.hand_in([Admitted(*each) for each in admitted])
            answer = await link.hand_in([Admitted(None, b"entry")])
            assert answer.indexes == [0]

    with new_log().open() as log:
        asyncio.run(main(log))


def test_small_submissions_of_one_moment_are_never_too_many_together(new_log):
    async def main(log):
        async with linked(desk_of(log), log.home.config) as link:
            asked = [link.hand_in([Admitted(None, b"%d" % n)]) for n in range(50)]
            for each in await asyncio.gather(*asked, return_exceptions=True):
                # Ten have room at once; who has none comes again, and is not at fault.
                assert not isinstance(each, Exception) or isinstance(each, Unavailable)

    with new_log(settings="pool_entries = 10\n").open() as log:
        asyncio.run(main(log))


def test_a_submission_that_was_sent_is_unknown_when_the_writer_goes(new_log):
    async def main(log):
        ours, theirs = socket.socketpair()
        theirs.sendall(b"")
        with theirs:
            desk = desk_of(log)
            counterpart = asyncio.create_task(
                Counterpart(desk, Counts(), "it").serve(theirs.dup())
            )
            link = await Link.over(ours, log.home.config)
            heard = asyncio.create_task(link.run())
            sent = asyncio.create_task(link.hand_in([Admitted(None, b"sent")]))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            theirs.shutdown(socket.SHUT_RDWR)
            await asyncio.gather(heard, counterpart)
        with pytest.raises(Halted):
            await sent
        with pytest.raises(Unavailable, match="nothing was logged"):
            await link.hand_in([Admitted(None, b"late")])
        await link.close()
        await asyncio.to_thread(log.close)

    live = new_log()
    with live.open() as log:
        asyncio.run(main(log))
    with live.open() as log:
        # It was handed over, so it may stand there; the late one may not.
        assert log.head.size <= 1
        assert not log.head.size or log.reading.entry(0) == b"sent"


def test_of_each_head_all_are_told_before_the_answer_that_is_about_it(new_log):
    async def main(log):
        desk = desk_of(log)
        told = []
        desk.changed.append(lambda: told.append(desk.head.size))
        tasks = []
        for size in (1, 2, 3):  # all of it in one turn of the loop
            tasks.append(asyncio.create_task(hand_in(desk, told, size)))
            tasks.append(asyncio.create_task(stand_still(log, size)))
        for size, known in (await asyncio.gather(*tasks))[::2]:
            assert size in known
            assert desk.checkpoint_of(size).split(b"\n")[1] == b"%d" % size
        assert told == [1, 2, 3]

    async def hand_in(desk, told, number):
        answer = await desk.hand_in([Admitted(None, b"%d" % number)])
        return answer.head.size, list(told)

    async def stand_still(log, size):
        while log.head.size < size:
            pass

    with new_log().open() as log:
        asyncio.run(main(log))


def test_a_head_has_its_own_checkpoint_though_the_log_goes_on_meanwhile(
    new_log, monkeypatch
):
    async def main(log):
        desk = desk_of(log)
        signed = log.checkpoint
        log.append([b"first"])

        def checkpoint(**options):
            if options:
                return signed(**options)  # that is the publisher
            monkeypatch.undo()
            log.append([b"another, in the very moment"])
            return signed(**options)

        monkeypatch.setattr(log, "checkpoint", checkpoint)
        await desk.publish_once()
        assert desk.checkpoint.split(b"\n")[1] == b"%d" % desk.head.size
        for size in (1, 2):
            found = desk.checkpoint_of(size)
            assert found is None or found.split(b"\n")[1] == b"%d" % size

    with new_log().open() as log:
        asyncio.run(main(log))


def test_nothing_is_shown_as_published_that_may_not_be_shown_yet(new_log):
    async def main(log):
        desk = desk_of(log)
        await desk.publish_once()
        shown, desk.log = desk.log, Behind(log)
        log.append([b"anchored, and not answered"])
        await desk.publish_once()
        assert desk.published.size == desk.head.size == 0
        desk.log = shown
        await desk.publish_once()
        assert desk.published.size == desk.head.size == 1

    with new_log().open() as log:
        asyncio.run(main(log))


class Behind:
    """A log between its anchor and its answer: the head that may be shown is old."""

    def __init__(self, log):
        self.head, self.hold, self.home = log.head, log.hold, log.home
        self.checkpoint = log.checkpoint
