"""Watching a log: from the last checkpoint seen to this one.

A round fetches the checkpoint, believes it under the policy, and asks whether
its tree begins with the one that was seen before. What was seen is kept in a
file, written so that a crash leaves the old one or the new one. A log that
contradicts itself leaves its two signatures behind; with the tiles it serves
they become a proof that others can check.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import Final, Self

from verifier.checkpoint import Checkpoint
from verifier.document import check_members, member, parse_document
from verifier.errors import (
    ConsistencyError,
    GrowthError,
    MalformedError,
    Unavailable,
)
from verifier.misbehaviour import Misbehaviour
from verifier.nodes import TileReader, TilesError
from verifier.note import Note
from verifier.policy import Policy
from verifier.proof import verify_consistency
from verifier.report import Report, time_text
from verifier.source import Source, read_checkpoint
from verifier.spelling import base64_text, parse_base64
from verifier.trust import Limits, verify_checkpoint
from verifier.vouch import note_trust

SCHEMA: Final = "provlog/monitor/1"
MAX_STATE_BYTES: Final = 3 << 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The newest checkpoint that held, and when its size was first seen."""

    checkpoint: bytes
    since: int

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the state file, or raise MalformedError naming what is wrong with it."""
        what = "the monitor's state"
        document = parse_document(data, what, most=MAX_STATE_BYTES)
        if document.get("schema") != SCHEMA:
            raise MalformedError(f'{what} does not say "schema": "{SCHEMA}"')
        check_members(document, frozenset({"schema", "checkpoint", "since"}), what)
        seen = cls(
            checkpoint=parse_base64(
                member(document, "checkpoint", str, what), "the checkpoint seen"
            ),
            since=member(document, "since", int, what),
        )
        seen.said()
        return seen

    def said(self) -> Checkpoint:
        """What the checkpoint says; it was believed under the policy of its day."""
        return Checkpoint.parse(Note.parse(self.checkpoint).text, extensions=True)

    def encode(self) -> bytes:
        """Write the state file."""
        document = {
            "schema": SCHEMA,
            "checkpoint": base64_text(self.checkpoint),
            "since": self.since,
        }
        return (json.dumps(document, indent=2) + "\n").encode()


class Forked(ConsistencyError):
    """The log has signed two histories; `misbehaviour` proves it."""

    def __init__(self, misbehaviour: Misbehaviour, says: str) -> None:
        super().__init__(says)
        self.misbehaviour = misbehaviour


def watch(
    source: Source,
    policy: Policy,
    seen: Seen | None,
    report: Report,
    *,
    now: int,
    limits: Limits,
) -> Seen:
    """One round: return what is seen now, if it continues what was `seen` before."""
    data = read_checkpoint(source)
    # A fork comes first: honest witnesses do not cosign it, and it must not hide
    # behind a missing quorum, or behind cosignatures that are too old.
    signed = verify_checkpoint(
        data, policy.without_witnesses(), Limits(extensions=limits.extensions)
    )
    checkpoint = signed.checkpoint
    before = None
    if seen is not None:
        before = seen.said()
        _verify_growth(source, seen, before, data, checkpoint)
    patient = replace(limits, max_age_s=None)
    trusted = verify_checkpoint(data, policy, patient)
    note_trust(trusted, policy, patient, report)
    _note_growth(before, checkpoint, report)
    since = now
    if seen and before and before.size == checkpoint.size:
        since = seen.since
    _note_age(trusted.newest, now, since, report)
    verify_checkpoint(data, policy, limits)
    return Seen(checkpoint=data, since=since)


def _note_growth(
    before: Checkpoint | None, checkpoint: Checkpoint, report: Report
) -> None:
    if before is None:
        says = "this is the first checkpoint seen; later ones must extend it"
        report.notes("consistency", says)
        return
    says = f"its first {before.size} entries are those that were there before"
    report.holds("consistency", says, before_size=before.size)
    grown = checkpoint.size - before.size
    says = f"{grown} entries more than when it was last seen"
    report.holds("growth", says, grown=grown)


def _verify_growth(
    source: Source, seen: Seen, before: Checkpoint, data: bytes, checkpoint: Checkpoint
) -> None:
    if before.origin != checkpoint.origin:
        raise Unavailable(
            f"the state is of the log {before.origin[:80]!r}, and this is another; "
            "give each log a state file of its own"
        )
    if checkpoint.size < before.size:
        # An older answer from a cache, or a fork; either way a step back.
        with contextlib.suppress(Unavailable, MalformedError, TilesError):
            _look_for_fork(source, (data, checkpoint), (seen.checkpoint, before))
        raise GrowthError(
            f"the log shows {checkpoint.size} entries; it has shown {before.size}"
        )
    _look_for_fork(source, (seen.checkpoint, before), (data, checkpoint))


def _look_for_fork(
    source: Source, smaller: tuple[bytes, Checkpoint], larger: tuple[bytes, Checkpoint]
) -> None:
    """Return if the larger tree begins with the smaller one; else raise Forked."""
    (first_note, first), (second_note, second) = smaller, larger
    if first.size == 0:
        return
    prefix, proof = second.root, tuple[bytes, ...]()
    if first.size < second.size:
        reader = TileReader(source, second.size)
        prefix = reader.range_hash(0, first.size)
        proof = tuple(reader.consistency(first.size))
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
    if prefix != first.root:
        raise Forked(
            Misbehaviour(
                first=first_note,
                second=second_note,
                prefix=None if first.size == second.size else prefix,
                proof=proof,
            ),
            f"{first.origin} has signed two histories: its tree of {second.size} "
            f"entries does not begin with its tree of {first.size}",
        )


def _note_age(newest: int | None, now: int, since: int, report: Report) -> None:
    if newest is None:
        says = f"no signature states a time; the size is known since {time_text(since)}"
        report.notes("age", says, since=since)
    else:
        says = f"last cosigned {time_text(newest)}, {now - newest} s ago"
        report.notes("age", says, newest=newest, age_s=now - newest)
