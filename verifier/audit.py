"""A whole log: every entry re-hashed, every tile recomputed, the root, the checkpoint.

The checkpoint comes first and is believed under the policy; all else is held
against its root. Spans of 65,536 entries go to as many processes as asked for;
here the levels above them are put together. Damage is noted with its place and
the audit goes on, so that one report has all of it. Only a source that does not
answer any more ends it, and what was done by then can be resumed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.context import BaseContext
from typing import Any, Final

from verifier.checkpoint import Checkpoint
from verifier.damage import UNAVAILABLE, Damage, give_up, joined, unanswered
from verifier.entry import KINDS
from verifier.errors import DamagedError, Unavailable
from verifier.levels import Levels
from verifier.progress import Progress, load, save
from verifier.report import Report, time_text
from verifier.source import Source
from verifier.span import SPAN, Reading, Span, check_span

SAVE_EVERY: Final = 16
"""Spans between two writings of the progress file: a million entries."""

Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an audit has found."""

    record: bool
    damage: list[Damage]
    times: tuple[int, int] | None
    resumed_at: int
    statement: bool = False


def audit(
    source: Source,
    checkpoint: Checkpoint,
    *,
    kind: str = "auto",
    strict: bool = False,
    processes: int = 1,
    keep: Callable[[bytes], None] | None = None,
    kept: bytes | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Hold the log in `source` against `checkpoint`, which the caller believes.

    It holds if the outcome has no damage. Where nobody answered, the damage says
    so, and there is no outcome beyond it.
    `keep` is given the progress from time to time; `kept` is what it was given
    last, to go on from there. `watch` is told how many entries are done.
    """
    if kind not in KINDS:
        raise ValueError(f"entries are read as {', '.join(KINDS)}, not as {kind}")
    size = checkpoint.size
    reading = Reading(
        source=source,
        size=size,
        record=None if kind == "auto" else kind == "record",
        strict=strict,
        statement=kind == "statement",
    )
    progress = Progress(record=reading.record)
    if kept is not None:
        progress = load(kept, checkpoint, reading)
    first = min(progress.spans * SPAN, size)
    tree = Levels(reading, progress)
    watch = watch or _ignore
    watch(first, size)

    def keep_progress() -> None:
        # What was not answered has to be read again by the next run.
        if keep and not unanswered(progress.damage):
            keep(save(progress, checkpoint, reading))

    gone: list[Damage] = []
    try:
        for span in _all_spans(reading, progress, processes):
            tree.add(span)
            watch(min((span.number + 1) * SPAN, size), size)
            if progress.spans % SAVE_EVERY == 0:
                keep_progress()
                give_up(progress.damage)
    except Unavailable as error:
        gone.append(Damage(check=UNAVAILABLE, path="", says=str(error)))
    finally:
        # Also when somebody interrupts.
        keep_progress()
    damage = [*progress.damage, *(gone or tree.close(checkpoint.root))]
    return Outcome(
        record=bool(progress.record),
        damage=damage,
        times=tree.times,
        resumed_at=first,
        statement=reading.statement,
    )


def verify_log(source: Source, checkpoint: Checkpoint, **options: Any) -> Outcome:
    """Return what `audit` finds if the log in `source` holds; raise if it does not."""
    outcome = audit(source, checkpoint, **options)
    if outcome.damage:
        first = outcome.damage[0]
        says = f"{len(outcome.damage)} findings, the first: {first.path}: {first.says}"
        if all(each.check == UNAVAILABLE for each in outcome.damage):
            raise Unavailable(says)
        raise DamagedError(says)
    return outcome


def _ignore(_done: int, _size: int) -> None:
    pass


def _all_spans(reading: Reading, progress: Progress, processes: int) -> Iterator[Span]:
    """The spans that are not done yet; the first of a log says what kind it is."""
    numbers = range(progress.spans, -(-reading.size // SPAN))
    if progress.record is None and numbers:
        first = check_span(reading, numbers[0])
        progress.record = first.record
        yield first
        numbers = numbers[1:]
    yield from _spans(replace(reading, record=progress.record), numbers, processes)


def _spans(reading: Reading, numbers: range, processes: int) -> Iterator[Span]:
    """The checked spans in their order, a few ahead of the reader."""
    check = partial(check_span, reading)
    if processes == 1 or len(numbers) < 2:
        yield from map(check, numbers)
        return
    with ExitStack() as stack:
        pool: Executor = stack.enter_context(
            ProcessPoolExecutor(processes, _context(), _in_worker, (os.getpid(),))
        )
        ahead: deque[Future[Span]] = deque()
        stack.callback(lambda: [each.cancel() for each in ahead])
        try:
            for number in numbers:
                with _uninterrupted():  # here workers are started, and inherit it
                    ahead.append(pool.submit(check, number))
                if len(ahead) > 2 * processes:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        except BrokenProcessPool:
            raise Unavailable(
                "a process of the audit died; is there enough memory?"
            ) from None


@contextmanager
def _uninterrupted() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _in_worker(parent: int) -> None:
    # An interruption is the parent's to handle; and when the parent is gone, so is
    # whoever would read the result.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        threading.Event().wait(1)
    os._exit(1)


def _context() -> BaseContext:
    # A fork is ready at once; but it copies whatever locks other threads hold.
    forks = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if forks else "spawn")


def note_outcome(outcome: Outcome, size: int, report: Report) -> None:
    """Note what an audit of `size` entries has found; raise if it is not all."""
    kind = "record" if outcome.record else "opaque"
    if outcome.statement:
        kind = "statement"
    if outcome.resumed_at:
        says = f"the first {outcome.resumed_at} were re-hashed by an earlier run"
        if outcome.damage:
            says += ", whose findings are among these until its file is deleted"
        report.notes("resumed", says, resumed_at=outcome.resumed_at)
    unread = [each for each in outcome.damage if each.check == UNAVAILABLE]
    for each in unread:
        report.notes(each.check, each.says, path=each.path)
    damage = [each for each in outcome.damage if each.check != UNAVAILABLE]
    for first, end, indexes in joined(damage):
        path = first.path if end == first.path else f"{first.path} to {end}"
        report.fails(
            first.check,
            f"{path}{_places(indexes)}: {first.says}",
            path=first.path,
            to=end,
            indexes=indexes,
        )
    if unread:
        raise Unavailable(
            f"reads that nobody answered: {len(unread)}; what was read was checked. "
            "Run the audit again"
        )
    if damage:
        return
    says = (
        f"{size} {kind} entries, re-hashed, lead through every tile to the signed root"
    )
    report.holds("tree", says, entries=size, kind=kind)
    if outcome.times:
        since, until = (time_text(each // 1000) for each in outcome.times)
        says = f"never decreases, from {since} to {until}, as the log wrote it"
        report.holds("time", says, first=outcome.times[0], last=outcome.times[1])


def _places(indexes: Sequence[tuple[int, int]]) -> str:
    """The entries that a finding concerns, as people count them."""
    places = [
        str(start) if stop == start + 1 else f"{start}-{stop - 1}"
        for start, stop in indexes
    ]
    if not places:
        return ""
    one = len(places) == 1 and "-" not in places[0]
    return f", {'entry' if one else 'entries'} {', '.join(places)}"
