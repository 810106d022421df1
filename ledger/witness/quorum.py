"""Asking all witnesses of a policy at once, and waiting for no more than are needed.

Each address has a thread and a connection of its own, and one question at a time.
Who is slow, or has failed, keeps nobody waiting: the checkpoint goes on as soon as
the quorum has cosigned, after a short grace for those who answered well last time.
Who fails is asked less and less often, so that a witness that is gone costs nothing
and one that comes back is not met by all logs at the same moment.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.clock import Clock, stopwatch
from ledger.events import WITNESS_AGAIN, WITNESS_AHEAD, WITNESS_FAILED, emit
from ledger.witness.asking import Asking, Outcome, Prove, line_to
from verifier.checkpoint import Checkpoint
from verifier.note import MAX_SIGNATURES, Note, NoteSignature
from verifier.policy import Policy, Witness, name_text

GRACE_S: Final = 0.2
MAX_PAUSE_S: Final = 60.0
_FIRST_PAUSE_S: Final = 1.0
_JITTER: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A checkpoint with the cosignatures that came in time.

    `cosigned` has the time of each, `ahead` the size that a witness says to have
    cosigned where ours is smaller; both by the witness's name in the policy.
    """

    note: bytes
    cosigned: Mapping[bytes, int]
    quorum: bool
    ahead: Mapping[bytes, int]


@dataclass(slots=True)
class Standing:
    """How it has gone with one witness: what the metrics show."""

    name: bytes
    size: int = 0
    at_s: float = field(default_factory=stopwatch)
    failures: int = 0
    ahead: bool = False
    failing: bool = False

    def take(self, outcome: Outcome, size: int) -> None:
        """Take in what came of a question, and tell when that is another thing."""
        witness = name_text(self.name)
        if self.name in outcome.lines:
            if self.failing:
                emit(WITNESS_AGAIN, witness=witness, size=size)
            self.size, self.at_s = size, stopwatch()
            self.failing = self.ahead = False
            return
        self.failures += 1
        if outcome.ahead is not None and not self.ahead:
            emit(WITNESS_AHEAD, witness=witness, size=size, its_size=outcome.ahead)
        elif not self.failing:
            error = outcome.failed.get(self.name, "")
            emit(WITNESS_FAILED, witness=witness, size=size, error=error)
        # Until it cosigns: one that says now this and now that is told of once.
        self.failing, self.ahead = True, self.ahead or outcome.ahead is not None


@dataclass(slots=True, eq=False)
class _Round:
    """One checkpoint, and what has come of it so far."""

    note: bytes
    tree: Checkpoint
    prove: Prove
    outcomes: dict[_Seat, Outcome] = field(default_factory=dict)
    over: bool = False


class _Seat:
    """One address, and what its thread is at."""

    def __init__(self, witnesses: Sequence[Witness], asking: Asking) -> None:
        self.names = frozenset(each.name for each in witnesses)
        self.asking = asking
        self.next: _Round | None = None
        self.at: _Round | None = None
        """What it is being asked now; it is never asked two things at once."""
        self.failures = 0
        """How often in a row nothing came of it."""
        self.not_before_s = 0.0

    def judge(self, outcome: Outcome) -> None:
        """Ask it as always, or later, by what came of the last question."""
        self.failures = 0 if outcome.lines else self.failures + 1
        if self.failures:
            # 2**6 is above the longest pause; no exponent grows without end.
            pause = _FIRST_PAUSE_S * 2 ** min(self.failures - 1, 6)
            pause = min(pause, MAX_PAUSE_S) * _JITTER.uniform(0.5, 1.0)
            self.not_before_s = stopwatch() + max(pause, outcome.retry_after_s)


class Witnesses:
    """All witnesses of `policy` that have an address; for one caller at a time."""

    def __init__(
        self,
        policy: Policy,
        *,
        reach: Sequence[str] = (),
        timeout_s: float,
        clock: Clock,
    ) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        self._standing: dict[bytes, Standing] = {}
        self._changed = threading.Condition()
        """Held for whatever is below, and for what is in a seat or a round."""
        self._closed = False
        self._seats: list[_Seat] = []
        for url, witnesses in by_url(policy).items():
            line = line_to(url, reach=reach, patience_s=timeout_s)
            asking = Asking(witnesses, line, clock=clock, patience_s=timeout_s)
            self._seats.append(_Seat(witnesses, asking))
            self._standing |= {each.name: Standing(each.name) for each in witnesses}
        for seat in self._seats:
            threading.Thread(target=self._work, args=[seat], daemon=True).start()

    def gather(self, note: bytes, tree: Checkpoint, prove: Prove) -> Gathered:
        """Have `note` cosigned; returns by the timeout with what has come by then."""
        signed = Note.parse(note)
        this = _Round(note, tree, prove)
        with self._changed:
            asked = self._hand_out(this)
            until, decided = stopwatch() + self._timeout_s, False
            while pending := [seat for seat in asked if seat not in this.outcomes]:
                if not decided and self._is_decided(this, pending):
                    decided = True
                    until = min(until, stopwatch() + GRACE_S)
                # No grace for one that is at an older question still, or has failed.
                prompt = any(s.at in (None, this) and not s.failures for s in pending)
                left = until - stopwatch()
                if self._closed or left <= 0 or (decided and not prompt):
                    break
                self._changed.wait(left)
            this.over = True
            return self._gathered(signed, this)

    def standings(self) -> list[Standing]:
        """How it has gone with each of them."""
        return list(self._standing.values())

    def close(self) -> None:
        """Ask nobody any more; who is at work ends by itself."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _hand_out(self, this: _Round) -> list[_Seat]:
        """Give it to all who may be asked now; who is at work takes it after that."""
        now = stopwatch()
        asked = [seat for seat in self._seats if seat.not_before_s <= now]
        for seat in asked:
            seat.next = this
        self._changed.notify_all()
        return asked

    def _is_decided(self, this: _Round, pending: Sequence[_Seat]) -> bool:
        """Whether those that are still out change nothing about the quorum."""
        have = set().union(*(each.lines for each in this.outcomes.values()))
        possible = have.union(*(seat.names for seat in pending))
        satisfied = self._policy.satisfied_by
        return satisfied(have) or not satisfied(possible)

    def _gathered(self, signed: Note, this: _Round) -> Gathered:
        lines: dict[bytes, tuple[NoteSignature, int]] = {}
        ahead: dict[bytes, int] = {}
        for seat, outcome in this.outcomes.items():
            lines |= outcome.lines
            if outcome.ahead is not None:
                ahead |= dict.fromkeys(seat.names, outcome.ahead)
        # In the policy's order, so that the note does not say who was fastest.
        room = MAX_SIGNATURES - len(signed.signatures)
        names = [name for name in self._policy.witnesses if name in lines][:room]
        added = tuple(lines[name][0] for name in names)
        return Gathered(
            note=Note(signed.text, signed.signatures + added).encode(),
            cosigned={name: lines[name][1] for name in names},
            quorum=self._policy.satisfied_by(set(names)),
            ahead=ahead,
        )

    def _work(self, seat: _Seat) -> None:
        """What the thread of one address does."""
        while this := self._taken(seat):
            try:
                outcome = seat.asking.ask(this.note, this.tree, this.prove)
            except Exception as error:  # noqa: BLE001 - a dead thread would ask no more
                says = f"it could not be asked: {error}"
                outcome = Outcome(failed=dict.fromkeys(seat.names, says))
            with self._changed:
                seat.judge(outcome)
                for name in seat.names:
                    self._standing[name].take(outcome, this.tree.size)
                this.outcomes[seat] = outcome
                seat.at = None
                self._changed.notify_all()
        seat.asking.close()

    def _taken(self, seat: _Seat) -> _Round | None:
        """The next checkpoint for this address; None if there will be none."""
        with self._changed:
            while not self._closed:
                this, seat.next = seat.next, None
                if this and not this.over:
                    seat.at = this
                    return this
                self._changed.wait()
            return None


def by_url(policy: Policy) -> dict[bytes, list[Witness]]:
    """The witnesses that have an address; two keys behind one are one question."""
    found: dict[bytes, list[Witness]] = {}
    for witness in policy.witnesses.values():
        if witness.url:
            found.setdefault(witness.url, []).append(witness)
    return found
