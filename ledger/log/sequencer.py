"""The sequencer: one thread, one batch at a time, told from top to bottom.

commit → anchor → anchors elsewhere → sign → answer. Whoever reads `_commit` knows what
a crash at any of its lines leaves behind; recovery.py does what is left to do.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import Final

from ledger.clock import Clock, Instant, stopwatch
from ledger.config import Config
from ledger.errors import Halted, Held, Unavailable, WrongBytes
from ledger.events import (
    ANCHOR_AGAIN,
    ANCHOR_SILENT,
    BATCH_COMMITTED,
    BATCH_REFUSED,
    CLOCK_HELD,
    HALTED,
    emit,
)
from ledger.keys.signer import Signer
from ledger.log.anchor import Anchor
from ledger.log.plan import Plan, Planner
from ledger.log.pool import Answer, Order, Pool
from ledger.log.reading import check_entries
from ledger.log.remote import RemoteAnchors
from ledger.log.selfcheck import check_batch
from ledger.log.signing import sign_anchored
from ledger.log.states import held
from ledger.store import Batch, Head, LogStore
from ledger.tree import Frontier
from verifier.entry import MAX_AT, MIN_AT
from verifier.hashing import leaf_hashes
from verifier.tile import WIDTH

_REMEMBERED: Final = 4_096
DRIFT_MS: Final = 5_000
"""How far wall clock and time since start may part, from one batch to the next."""
PAUSE_S: Final = 0.5
"""How long an anchor elsewhere that does not answer is left alone."""


class Sequencer:
    """The only writer. It owns the head, the frontier, and the anchor's next step."""

    def __init__(
        self,
        *,
        store: LogStore,
        anchor: Anchor,
        signer: Signer,
        clock: Clock,
        config: Config,
        head: Head,
        folder: Path = Path("DIR"),
        remote: RemoteAnchors | None = None,
    ) -> None:
        self.pool = Pool(entries=config.pool_entries, bytes_=config.pool_bytes)
        self.hold: Held | None = None
        """Why nothing is written just now, and by what it is mended."""
        self.refused_batches = 0
        self.committed: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        """The newest batches, for who counts them: their entries, their seconds."""
        self._store = store
        self._anchor = anchor
        self._remote = remote or RemoteAnchors()
        self._signer = signer
        self._clock = clock
        self._config = config
        self._folder = folder
        self._signing = threading.Lock()
        self._signed = anchor.held
        """What all anchors hold, here and elsewhere; nothing else is signed."""
        self._ending = threading.Event()
        self._last = clock()
        self._resumed = False
        self._timed = store.charter.kind == "record"
        self._frontier = Frontier()
        self._load(head)
        if head.frozen:
            self.hold = self._held("frozen", f"the log has ended, at size {head.size}")
        self.answered = Answer(
            indexes=(), head=head, checkpoint=sign_anchored(signer, self._signed)
        )
        """The newest head that anybody may see, and its signed checkpoint."""
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)

    def start(self) -> None:
        """Begin to take orders."""
        self._thread.start()

    def close(self) -> None:
        """Finish what waits, answer everyone, end."""
        self.pool.close()
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def resume(self) -> None:
        """Go on after a person has looked at the clock."""
        self._resumed = self.hold is not None and self.hold.state == "clock"

    def checkpoint(self, *, time: int | None = None) -> bytes:
        """The newest tree, signed; with a time by the ML-DSA-44 keys, too."""
        if time is None:
            return self.answered.checkpoint
        with self._signing:
            return sign_anchored(self._signer, self._signed, time=time)

    def _run(self) -> None:
        limits = {
            "entries": self._config.batch_entries,
            "bytes_": self._config.batch_bytes,
        }
        while orders := self.pool.take(**limits):
            try:
                self._commit(orders)
            except Unavailable as error:
                _settle(orders, error)
            except WrongBytes as error:
                # What was looked up is damaged; nothing was written.
                _settle(orders, Unavailable("damaged", f"not logged: {error}"))
            except Held as error:
                self.hold = error
                _settle(orders, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows
                self._halt(orders, error)
                return

    def _commit(self, orders: list[Order]) -> None:
        began = stopwatch()
        head, instant = self.answered.head, self._clock()
        at = max(instant.wall_ms, head.at)
        planned = self._plan(orders, at)
        freeze = orders[-1].freeze
        if not planned.entries and not freeze:
            # All of it is there already, or was refused: the newest head covers it.
            self._settle(orders, planned, self.answered)
            return
        self._check_may_write(instant, at)
        frontier = self._frontier.copy()
        tiles = frontier.append(leaf_hashes(planned.entries))
        new = Head(
            batch=head.batch + 1,
            size=frontier.size,
            root=frontier.root(),
            at=at,
            frozen=freeze,
        )
        batch = Batch(
            previous=head,
            head=new,
            entries=planned.entries,
            tiles=tiles,
            identities=list(planned.identities.items()),
        )
        # Nothing has happened yet. A crash here loses what nobody was told about.
        try:
            self._store.append(batch, lambda stored: check_batch(stored, batch))
        except WrongBytes as error:
            # Nothing was committed, and nothing was signed: a bit has changed in
            # memory or in the store. What we remember may be what is wrong.
            self.refused_batches += 1
            emit(BATCH_REFUSED, size=head.size, error=error)
            self._load(head)
            raise Unavailable("self_check", f"not logged: {error}") from error
        # The entries are durable, in this order for ever. A crash here leaves a head
        # one batch ahead of the anchor, which nobody has seen; recovery takes it on.
        self._anchor.advance(new)
        # Now it is the newest head in two places. A crash here leaves anchors
        # elsewhere that are one batch behind, or not; the next start brings them on.
        self._hold_elsewhere()
        # And now in all. A crash here leaves a checkpoint to be signed; the signature
        # will be the same.
        with self._signing:
            self._signed = self._anchor.held
            checkpoint = sign_anchored(self._signer, self._signed)
        self.committed.append((len(planned.entries), stopwatch() - began))
        # From here on it may be shown: readers look at `answered`.
        self._frontier = frontier
        self._last = instant
        self.answered = Answer(indexes=(), head=new, checkpoint=checkpoint)
        if freeze:
            self.hold = self._held("frozen", f"the log has ended, at size {new.size}")
        self._settle(orders, planned, self.answered)
        # A crash before an answer arrives leaves somebody who does not know; the same
        # submission again gets the same index.
        emit(BATCH_COMMITTED, size=new.size, entries=len(planned.entries))

    def _hold_elsewhere(self) -> None:
        """Return when every anchor elsewhere holds what ours does, however long.

        To give up would leave a batch that may be held there, and is not answered:
        the next one could not tell what to build on. Whoever comes meanwhile is sent
        away; the batch itself goes on as soon as they answer.
        """
        while True:
            try:
                self._remote.hold(self._anchor.held)
                break
            except Held as error:
                if self.hold is None:
                    emit(ANCHOR_SILENT, error=error)
                    self.hold = error
                if self._ending.wait(PAUSE_S):
                    says = f"it is durable here, and was closed before: {error}"
                    raise Halted(says) from error
        if self.hold:
            emit(ANCHOR_AGAIN, batch=self._anchor.held.batch)
            self.hold = None

    def _plan(self, orders: list[Order], at: int) -> Plan:
        with self._store.snapshot() as snapshot:
            planner = Planner(
                size=self.answered.head.size,
                at=at if self._timed else None,
                snapshot=snapshot,
            )
            return planner.plan(orders)

    def _check_may_write(self, instant: Instant, at: int) -> None:
        """Return if nothing holds, and the wall clock went on as time did."""
        if self.hold and self.hold.state != "clock":
            raise self.hold
        wall = instant.wall_ms - self._last.wall_ms
        drift = wall - (instant.boot_ms - self._last.boot_ms)
        if abs(drift) > DRIFT_MS and not self._resumed:
            if self.hold is None:
                emit(CLOCK_HELD, drift_ms=drift)
            raise self._held("clock", f"the clock was set by {drift / 1000:+.0f} s")
        if self._timed and not MIN_AT <= at <= MAX_AT:
            raise self._held("clock", f"no entry can have the time {at} ms")
        if self._resumed:
            self._last = instant
        self.hold, self._resumed = None, False

    def _load(self, head: Head) -> None:
        """Take the frontier from the store; see that it leads to the head's root."""
        with self._store.snapshot() as snapshot:
            try:
                frontier = Frontier.load(head.size, snapshot.tile)
                # The entries that wait for their tile to be full are written again.
                start = head.size // WIDTH * WIDTH
                check_entries(snapshot, start, head.size)
            except (ValueError, WrongBytes) as error:
                raise self._held("damaged", f"the edge of the tree: {error}") from error
        if frontier.root() != head.root:
            raise self._held("damaged", "the edge of the tree leads to another root")
        self._frontier = frontier

    def _held(self, state: str, says: str) -> Held:
        return held(state, says, self._folder)

    def _settle(self, orders: list[Order], planned: Plan, shown: Answer) -> None:
        for order, (indexes, repeated, refused) in zip(
            orders, planned.outcomes, strict=True
        ):
            answer = Answer(
                indexes=indexes,
                head=shown.head,
                checkpoint=shown.checkpoint,
                repeated=repeated,
                refused=refused,
            )
            order.settle(answer)

    def _halt(self, orders: list[Order], error: Exception) -> None:
        """Nobody knows what is on the disk: say so to everyone, and write no more."""
        emit(HALTED, error=error)
        self.hold = self._held("halted", f"the log has stopped: {error}")
        unknown = Halted(
            f"it may or may not have been logged; ask again later: {error}"
        )
        unknown.__cause__ = error
        _settle(orders, unknown)
        self.pool.close()
        while waiting := self.pool.take(entries=1, bytes_=1):
            _settle(waiting, Unavailable("halted", "the log has stopped; not logged"))


def _settle(orders: list[Order], outcome: Exception) -> None:
    for order in orders:
        order.settle(outcome)
