"""Watching a log: from all that it has signed before to what it shows now.

A round fetches the checkpoint, remembers it, looks for a contradiction with
everything remembered, and then asks whether the policy believes it. In this
order: honest witnesses do not cosign a fork, so it must not hide behind a
missing quorum, or behind cosignatures that are too old. A log that contradicts
itself leaves two signatures behind; with the tiles it serves they become a
proof that others can check.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from verifier.checkpoint import Checkpoint
from verifier.errors import (
    ConsistencyError,
    GrowthError,
    MalformedError,
    Unavailable,
    VerificationError,
)
from verifier.memory import Memory, said
from verifier.misbehaviour import Misbehaviour
from verifier.nodes import TileReader, TilesError
from verifier.policy import Policy
from verifier.proof import verify_consistency
from verifier.report import Report, time_text
from verifier.source import Source, read_checkpoint
from verifier.trust import Limits, verify_checkpoint
from verifier.vouch import note_trust

Head = tuple[bytes, Checkpoint]
"""A signed checkpoint as it came, and what it says."""


class Forked(ConsistencyError):
    """The log has signed two histories; `misbehaviour` proves it."""

    def __init__(self, misbehaviour: Misbehaviour, says: str) -> None:
        super().__init__(says)
        self.misbehaviour = misbehaviour


def watch(
    source: Source,
    policy: Policy,
    memory: Memory,
    report: Report,
    *,
    now: int,
    limits: Limits,
    keep: Callable[[Memory], None],
) -> None:
    """One round: return if what is shown now continues all that is in `memory`.

    `keep` is given what to remember: first, before anything is judged, that the
    log has signed this, and in the end that it held.
    """
    data = read_checkpoint(source)
    signed = verify_checkpoint(
        data, policy.without_witnesses(), Limits(extensions=limits.extensions)
    )
    new = (data, signed.checkpoint)
    heads = memory.heads()
    _check_origin(heads, signed.checkpoint)
    memory = memory.with_signed(data)
    keep(memory)
    _compare_all(source, heads, new)
    before = said(memory.held) if memory.held is not None else None
    if before and before.size > signed.checkpoint.size:
        raise GrowthError(
            f"the log shows {new[1].size} entries; it has shown {before.size}"
        )
    patient = replace(limits, max_age_s=None)
    trusted = verify_checkpoint(data, policy, patient)
    note_trust(trusted, policy, patient, report)
    _note_growth(before, signed.checkpoint, report)
    since = memory.with_held(data, now).since
    _note_age(trusted.newest, now, since, report)
    verify_checkpoint(data, policy, limits)
    keep(memory.with_held(data, now))


def _check_origin(heads: list[Head], checkpoint: Checkpoint) -> None:
    for _, head in heads:
        if head.origin != checkpoint.origin:
            raise Unavailable(
                f"the state is of the log {head.origin[:80]!r}, and this is another; "
                "give each log a state file of its own"
            )


def _note_growth(
    before: Checkpoint | None, checkpoint: Checkpoint, report: Report
) -> None:
    if before is None:
        says = "no checkpoint has held before; later ones must extend this one"
        report.notes("consistency", says)
        return
    says = f"its first {before.size} entries are those that were there before"
    report.holds("consistency", says, before_size=before.size)
    grown = checkpoint.size - before.size
    says = f"{grown} entries more than when it was last seen"
    report.holds("growth", says, grown=grown)


def _compare_all(source: Source, heads: list[Head], new: Head) -> None:
    """Return if all agree with `new`; a fork is told before whatever else is wrong."""
    wrong: list[Exception] = []
    for head in heads:
        try:
            _compare(source, head, new)
        except Forked:
            raise
        except (Unavailable, VerificationError) as error:
            wrong.append(error)
    if wrong:
        raise wrong[0]


def _compare(source: Source, head: Head, new: Head) -> None:
    """Return if one of the two trees begins with the other; else raise Forked."""
    if head[1].size <= new[1].size:
        _look_for_fork(source, head, new)
        return
    # A step back, or an older answer from a cache. The tiles of the larger tree may
    # be gone, and then nobody can tell; what is told is told after this.
    with contextlib.suppress(Unavailable, MalformedError, TilesError):
        _look_for_fork(source, new, head)


def _look_for_fork(source: Source, smaller: Head, larger: Head) -> None:
    (first_note, first), (second_note, second) = smaller, larger
    if first.size == 0:
        return
    prefix, proof = second.root, tuple[bytes, ...]()
    if first.size < second.size:
        reader = TileReader(source, second.size)
        prefix = reader.range_hash(0, first.size)
        proof = tuple(reader.consistency(first.size))
        _check_tiles(first, prefix, second, proof)
    if prefix != first.root:
        equal = first.size == second.size
        raise Forked(
            Misbehaviour(
                first=first_note,
                second=second_note,
                prefix=None if equal else prefix,
                proof=proof,
            ),
            f"{first.origin} has signed two histories: its tree of {second.size} "
            f"entries does not begin with its tree of {first.size}",
        )


def _check_tiles(
    first: Checkpoint, prefix: bytes, second: Checkpoint, proof: tuple[bytes, ...]
) -> None:
    """Return if the tiles lead to the larger checkpoint, whatever they begin with."""
    try:
        verify_consistency(
            first=first.size,
            first_root=prefix,
            second=second.size,
            second_root=second.root,
            proof=proof,
        )
    except ConsistencyError as error:
        raise TilesError(
            f"the tiles that the log serves do not lead to its checkpoint: {error}"
        ) from None


def _note_age(newest: int | None, now: int, since: int, report: Report) -> None:
    if newest is None:
        says = f"no signature states a time; the size is known since {time_text(since)}"
        report.notes("age", says, since=since)
    else:
        says = f"last cosigned {time_text(newest)}, {now - newest} s ago"
        report.notes("age", says, newest=newest, age_s=now - newest)
