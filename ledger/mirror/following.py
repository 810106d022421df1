"""Following a log: one look at it, and one after another.

A look is that of a monitor: what was signed is remembered before it is judged, and
a contradiction becomes a proof. Only what held is fetched, and only what hashes to
it is shown. A log that has contradicted itself is not followed any further.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ledger.mirror.copying import Watch, copy_new
from ledger.mirror.folder import Mirror
from verifier import monitor
from verifier.checkpoint import Checkpoint
from verifier.errors import (
    GrowthError,
    Unavailable,
    VerificationError,
)
from verifier.memory import Memory, said
from verifier.monitor import Forked
from verifier.policy import Policy
from verifier.report import Report
from verifier.source import Source
from verifier.trust import Limits, verify_checkpoint

LONGEST_PAUSE_S: Final = 600.0
"""How long a log that does not answer is left alone, at most."""


_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ANY: Final = Limits(extensions=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """What a look has come to: the mirror's tree now, and its size before."""

    before: int
    checkpoint: Checkpoint
    report: Report


def look_once(
    source: Source,
    policy: Policy,
    mirror: Mirror,
    *,
    now: int,
    limits: Limits,
    watch: Watch,
) -> Mirrored:
    """Bring `mirror` to what the log shows now, if that holds; else change nothing."""
    if proof := mirror.accused():
        # It may show the first history again: whom would the mirror be telling it to?
        says = f"{mirror.proof} proves that the log has signed two histories"
        raise Forked(proof, f"{says}; it is not followed any more")
    report = Report()
    try:
        monitor.watch(
            source,
            policy,
            _remembered(mirror, policy),
            report,
            now=now,
            limits=limits,
            keep=mirror.keep,
        )
    except Forked as fork:
        mirror.accuse(fork.misbehaviour)
        raise
    held, before = mirror.memory().held, mirror.tree()
    if held is None:
        raise Unavailable(f"{source}: nothing has held yet")
    tree = said(held)
    if before and before.size > tree.size:
        says = f"the log shows {tree.size} entries; the mirror has {before.size}"
        raise GrowthError(says)
    if before != tree:
        copy_new(source, tree, mirror, watch)
        mirror.show(held)
    elif not _older(held, mirror.checkpoint() or b"", policy):
        # The same tree; those who stand for it have done so once more.
        mirror.show(held)
    size = before.size if before else 0
    return Mirrored(before=size, checkpoint=tree, report=report)


def _remembered(mirror: Mirror, policy: Policy) -> Memory:
    """What the log has signed, and among it what the mirror shows.

    A memory that was put back to an older state would let a log fork what is shown.
    """
    seen, shown = mirror.memory(), mirror.checkpoint()
    if shown is not None:
        # What a broken disk has left there proves nothing against the log.
        with suppress(VerificationError):
            verify_checkpoint(shown, policy.without_witnesses(), _ANY)
            return seen.with_signed(shown)
    return seen


def _older(held: bytes, shown: bytes, policy: Policy) -> bool:
    """Whether these, or later, cosignatures are shown: a cache may give old ones."""
    if held == shown:
        return True
    try:
        newest = verify_checkpoint(shown, policy).newest
    except VerificationError:
        return False  # the policy is another one now
    return (verify_checkpoint(held, policy).newest or 0) < (newest or 0)


def follow(
    look: Callable[[], Mirrored],
    *,
    every_s: float,
    wait: Callable[[float], bool],
    tell: Callable[[Mirrored | Exception], None],
) -> None:
    """Look again and again, until `wait` says that it is enough, or the log forks.

    What went wrong is told when it begins, and not each time.
    """
    failures, last = 0, ""
    while True:
        try:
            done = look()
        except Forked:
            raise
        except (OSError, Unavailable, VerificationError) as error:
            # A log can fill any disk. What is there is served until there is room.
            if isinstance(error, OSError) and error.errno not in _FULL:
                raise
            failures += 1
            if str(error) != last:
                last = str(error)
                tell(error)
        else:
            failures, last = 0, ""
            tell(done)
        if wait(pause_s(every_s, failures)):
            return


def pause_s(every_s: float, failures: int) -> float:
    """How long to wait: twice as long after each failure, up to a limit."""
    pause = every_s * 2.0 ** min(failures, 16)
    return min(pause, max(every_s, LONGEST_PAUSE_S))
