"""One round after the other: is it still this log, all of it, and what is new?

First the checkpoint, as the verifier's own round looks at it. Then entries: the new
ones, those in which something was wrong, and some old ones in turns, each held against
the signed root. Whatever comes of it is on the disk before anybody is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ledger.errors import Unavailable as NotKept
from ledger.monitor.alarms import Alarms
from ledger.monitor.entries import Tree, Visit, kind_of
from ledger.monitor.matching import Filter
from ledger.monitor.proofs import keep_proof
from ledger.monitor.state import State
from verifier import memory
from verifier.checkpoint import Checkpoint
from verifier.damage import MAX_UNANSWERED
from verifier.durable import write_atomically
from verifier.errors import (
    AgeError,
    FinalError,
    GrowthError,
    QuorumError,
    Unavailable,
    VerificationError,
)
from verifier.memory import Memory, said
from verifier.monitor import Forked, watch
from verifier.policy import Policy
from verifier.report import Report
from verifier.source import CHECKPOINT, Source, read_file
from verifier.spelling import digest_text
from verifier.tile import WIDTH, tiles_at
from verifier.trust import Limits

MAX_PLACES: Final = 4_096
"""How many wrong places are remembered one by one; more are found in their turn."""
MAX_NEW: Final = 4_096
"""Tiles of new entries in a round: a log can sign any size, and have nothing there."""
_SAVE_EVERY: Final = 256
_PLACES: Final = ("missing", "altered")

_BEFORE: Final = {
    "untrusted": (),
    "unproven": ("untrusted",),
    "forked": ("untrusted",),
    "shrunk": ("untrusted", "unproven", "forked"),
    "quorum": ("untrusted", "unproven", "forked", "shrunk"),
    "stale": ("untrusted", "unproven", "forked", "shrunk", "quorum"),
}
"""What had to hold before a round could come to this: it is wrong no more."""
_ALL: Final = tuple(_BEFORE)
_READABLE: Final = (None, "unproven", "quorum", "stale")
"""After what entries are looked at: the log has signed this one tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of the log, and how much is read in a round."""

    policy: Policy
    max_age_s: int | None = None
    final: tuple[int, bytes] | None = None
    extensions: bool = False
    patience_s: int = 300
    reread: int = 65_536
    filter: Filter = field(default_factory=Filter)


@dataclass(slots=True)
class Outcome:
    """What came of a round: findings, and what kept it from being carried out."""

    report: Report = field(default_factory=Report)
    trouble: str = ""
    size: int | None = None


@dataclass(slots=True)
class _Noting:
    """A source that remembers the checkpoint which it has given."""

    source: Source
    checkpoint: bytes = b""

    @property
    def parallel(self) -> int:
        return self.source.parallel

    def __str__(self) -> str:
        return str(self.source)

    def read(self, path: str, most: int) -> bytes | None:
        data = self.source.read(path, most)
        if path == CHECKPOINT:
            self.checkpoint = data or b""
        return data

    def close(self) -> None:
        self.source.close()


class Watcher:
    """Watches one log; `path` is held by whoever calls (verifier.durable.locked)."""

    def __init__(
        self, source: Source, wanted: Wanted, path: Path, state: State, alarms: Alarms
    ) -> None:
        self._source = source
        self._wanted = wanted
        self._path = path
        self._state = state
        self._alarms = alarms

    def round(self, now: int) -> Outcome:
        """Look once, keep what came of it, and tell what is to be told."""
        outcome = Outcome()
        source = _Noting(self._source)
        kind = self._watch(source, outcome, now)
        if kind in _READABLE and not outcome.trouble:
            checkpoint = said(source.checkpoint)
            outcome.size = checkpoint.size
            self._look(Tree(source, checkpoint), outcome, now)
        self._note_silence(outcome.trouble, now)
        self._deliver(now)
        return outcome

    def _watch(self, source: Source, outcome: Outcome, now: int) -> str | None:
        """The verifier's round; what is wrong by it, or None."""
        kept: list[Memory] = []
        kind: str | None = None
        wanted = self._wanted

        def keep(remembered: Memory) -> None:
            _write(self._path, remembered.encode())
            kept.append(remembered)

        try:
            watch(
                source,
                wanted.policy,
                read_own(self._path, memory.MAX_BYTES, Memory.parse) or Memory(),
                outcome.report,
                now=now,
                limits=Limits(
                    now=now,
                    max_age_s=wanted.max_age_s,
                    final=wanted.final,
                    extensions=wanted.extensions,
                ),
                keep=keep,
            )
        except Unavailable as error:
            outcome.trouble = str(error)
            return None
        except VerificationError as error:
            kind = _kind(error, signed=bool(kept))
            outcome.report.fails(error.check, str(error))
            facts: dict[str, Any] = {}
            if isinstance(error, Forked):
                facts["proof"] = keep_proof(self._path, error, outcome.report)
            self._alarms.begin(kind, str(error), now, **facts)
        for each in _ALL if kind is None else _BEFORE[kind]:
            self._alarms.end(each, "it is as it should be again", now)
        return kind

    def _look(self, tree: Tree, outcome: Outcome, now: int) -> None:
        """Look at entries; what is new and fits is to be told."""
        state, size = self._state, tree.checkpoint.size
        if state.looked is None:
            state.looked = size  # what was there before is no news
        wrong: list[str] = []
        lost: list[str] = []
        found: dict[str, str] = {}
        for done, visit in enumerate(tree.visits(self._numbers(size)), 1):
            self._take(visit, tree.checkpoint, found, lost, now)
            if len(lost) >= MAX_UNANSWERED:
                break
            if not done % _SAVE_EVERY:
                self._deliver(now)
        total = tiles_at(0, size)
        if total and not lost:
            state.reread = (state.reread + self._turn(total)) % total
        for kind in _PLACES:
            if kind in state.places.values():
                says = found.get(kind, "as in an earlier round")
                self._alarms.begin(kind, says, now, size=size)
                wrong.append(f"{kind}: {says}")
            else:
                self._alarms.end(kind, "it is there again, and right", now)
        if wrong:
            outcome.report.fails("entries", "; ".join(wrong))
        elif lost:
            outcome.trouble = lost[0]
        else:
            says = "those that were read are those in the tree"
            outcome.report.holds("entries", says, looked=state.looked)

    def _turn(self, total: int) -> int:
        """How many tiles of old entries are read in a round."""
        return min(total, max(1, self._wanted.reread // WIDTH))

    def _numbers(self, size: int) -> list[int]:
        """The entry tiles of this round, each once: new, wrong before, in turn."""
        total = tiles_at(0, size)
        looked = self._state.looked or 0
        first = looked // WIDTH
        new = range(first, min(total, first + MAX_NEW)) if looked < size else range(0)
        places = [each for each in self._state.places if each < total]
        start = self._state.reread
        turn = ((start + at) % total for at in range(self._turn(total) if total else 0))
        return list(dict.fromkeys([*new, *places, *turn]))

    def _take(
        self,
        visit: Visit,
        checkpoint: Checkpoint,
        found: dict[str, str],
        lost: list[str],
        now: int,
    ) -> None:
        """Note what one tile showed."""
        places = self._state.places
        for damage in visit.damage[:1]:
            kind, says = kind_of(damage), f"{damage.path}: {damage.says}"
            if kind == "unreachable":
                lost.append(says)
            elif visit.number in places or len(places) < MAX_PLACES:
                places[visit.number] = kind
                found.setdefault(kind, says)
        if visit.entries is None:
            return
        places.pop(visit.number, None)
        looked = self._state.looked or 0
        # One after the other: behind a hole nothing is new until the hole is filled.
        if visit.number != looked // WIDTH or self._alarms.full:
            return
        first = visit.number * WIDTH
        for index, entry in enumerate(visit.entries, first):
            if index >= looked and self._wanted.filter.fits(entry):
                self._alarms.matched(
                    f"entry {index} is one that is looked for",
                    now,
                    origin=checkpoint.origin,
                    index=index,
                    digest=digest_text(sha256(entry).digest()),
                )
        self._state.looked = max(looked, first + len(visit.entries))

    def _note_silence(self, trouble: str, now: int) -> None:
        state = self._state
        if not trouble:
            state.silent_since = None
            self._alarms.end("unreachable", "it answers again", now)
            return
        if state.silent_since is None:
            state.silent_since = now
        if now - state.silent_since >= self._wanted.patience_s:
            self._alarms.begin("unreachable", trouble, now, since=state.silent_since)

    def _deliver(self, now: int) -> None:
        self._save()
        if self._state.outbox:
            self._alarms.deliver(now)
            self._save()

    def _save(self) -> None:
        _write(kept_beside(self._path), self._state.encode())


def kept_beside(path: Path) -> Path:
    """The file of a State, beside the verifier's own."""
    return path.with_name(f"{path.name}.watch")


def read_own(path: Path, most: int, parse: Any) -> Any:
    """What `parse` makes of a file of our own, None if it is not there."""
    try:
        return parse(read_file(path, most))
    except FileNotFoundError:
        return None
    except OSError as error:
        says = f"{path} cannot be read: {error.strerror}"
        raise NotKept("state", says) from None
    except VerificationError as error:
        raise NotKept("state", f"{path}: {error}") from None


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except Unavailable as error:
        # Not the log's fault, and not to be taken for its silence.
        raise NotKept("state", str(error)) from None


def _kind(error: VerificationError, *, signed: bool) -> str:
    match error:
        case Forked():
            return "forked"
        case GrowthError():
            return "shrunk"
        case QuorumError():
            return "quorum"
        case AgeError():
            return "stale"
        case FinalError():
            # Signed with a key that was lost: nothing of it is looked at.
            return "untrusted"
        case _:
            # Once it is known that the log signed this, only its tiles are left.
            return "unproven" if signed else "untrusted"
