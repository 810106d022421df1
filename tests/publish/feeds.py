"""A log as its publisher sees it, and a target that is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ledger.log.look import look
from ledger.log.signing import sign_anchored
from ledger.publish.feeding import Ours
from ledger.publish.publishing import Published
from tests.livelog import LiveLog
from verifier import verify_checkpoint, verify_log
from verifier.checkpoint import Checkpoint
from verifier.source import Source, read_checkpoint

TIME = 1_790_000_000


@dataclass(frozen=True)
class Publishes:
    """What a publisher has: `ours`, and checkpoints of any size of it."""

    seen: Any
    ours: Ours
    made: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def signed(self, size: int, time: int = TIME) -> bytes:
        """The checkpoint of the first `size` entries."""
        if (size, time) not in self.made:
            # It would sign nothing smaller than before; a test is not in order.
            self.seen.signer._last = None
            self.made[size, time] = self._sign(size, time)
        return self.made[size, time]

    def _sign(self, size: int, time: int) -> bytes:
        held, root = self.seen.held, self.seen.reading.root(size)
        early = held.__class__(
            genesis=held.genesis, data=held.data, size=size, root=root
        )
        return sign_anchored(self.seen.signer, early, time=time)

    def published(self, size: int, time: int = TIME) -> Published:
        """The same, as it is offered."""
        note = self.signed(size, time)
        return Published(size, note, note, time * 1000)


@contextmanager
def publishing(log: LiveLog) -> Iterator[Publishes]:
    """Look at `log` as a publisher does."""
    with look(log.folder) as seen:
        assert seen.signer
        ours = Ours(
            store=seen.store,
            reading=seen.reading,
            keys=seen.signer.verifier_keys(),
            anchored=lambda: seen.newest.size,
        )
        yield Publishes(seen, ours)


def whole(source: Source, log: LiveLog) -> Checkpoint:
    """The tree in `source`, every byte of which is right."""
    tree = verify_checkpoint(read_checkpoint(source), log.policy).checkpoint
    verify_log(source, tree, kind="opaque")
    return tree


class CutOff(Exception):
    """The publisher is gone."""


class Cut:
    """`target`, whose publisher is gone after `left` writes."""

    def __init__(self, target, left):
        self._target = target
        self.left = left

    def __getattr__(self, name):
        return getattr(self._target, name)

    def put(self, path, data):
        self._count()
        self._target.put(path, data)

    def flush(self):
        self._count()
        self._target.flush()

    def replace_checkpoint(self, before, after):
        self._count()
        self._target.replace_checkpoint(before, after)

    def _count(self):
        if self.left == 0:
            raise CutOff
        self.left -= 1
