"""What a piece of evidence shows, checked link by link, up to the first that breaks.

From the witnesses to the entry and what it says: the checkpoint is believed
under the policy, the entry is in its tree, the openings fit the entry, the file
is the one that it describes. Each link that holds is noted in the report, in
words that say no more than was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verifier.bundle import Before
from verifier.commitment import Opening
from verifier.content import (
    check_artifact,
    check_openings,
    check_producer,
    kind_of,
    read_content,
)
from verifier.errors import ConsistencyError, MalformedError
from verifier.hashing import leaf_hash
from verifier.note import Note
from verifier.policy import Policy
from verifier.producers import Producers
from verifier.proof import verify_consistency, verify_inclusion
from verifier.receipt import Receipt
from verifier.receipt.line import signed_kind
from verifier.report import Report, time_text
from verifier.trust import Limits, TrustedCheckpoint, verify_checkpoint
from verifier.vouch import note_trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An entry, a receipt for it, and what else the evidence offers."""

    entry: bytes
    receipt: Receipt
    openings: Sequence[Opening] = ()
    before: Before | None = None


def verify_claim(
    claim: Claim,
    policy: Policy,
    limits: Limits,
    report: Report,
    *,
    kind: str = "auto",
    artifact: bytes | None = None,
    producers: Producers | None = None,
) -> None:
    """Return if `claim` holds, with all that it shows in `report`.

    `artifact` is the SHA-256 of a file that the entry has to describe, `producers`
    are those of whom one has to have signed it.
    """
    trusted = verify_checkpoint(claim.receipt.checkpoint, policy, limits)
    note_trust(trusted, policy, limits, report)
    _verify_inclusion(claim, trusted, report)
    signed = None
    if kind == "auto":
        signed = signed_kind(Note.parse(claim.receipt.checkpoint), policy.logs)
    content = read_content(claim.entry, kind_of(claim.entry, kind, signed), report)
    check_producer(
        content,
        producers,
        report,
        origin=trusted.checkpoint.origin,
        index=claim.receipt.index,
        now_ms=_seen_ms(trusted, limits),
    )
    check_openings(content, claim.openings, report)
    if artifact is not None:
        check_artifact(content, claim.openings, artifact, report)
    not_before = None
    if claim.before is not None:
        not_before = _verify_before(
            claim, claim.before, trusted, policy, limits, report
        )
    _note_times(not_before, trusted.not_after, report)


def _seen_ms(trusted: TrustedCheckpoint, limits: Limits) -> int | None:
    """When it stood there at the latest, where the entry itself says no time."""
    seen = limits.now if trusted.not_after is None else trusted.not_after
    return None if seen is None else seen * 1000


def _verify_inclusion(claim: Claim, trusted: TrustedCheckpoint, report: Report) -> None:
    checkpoint = trusted.checkpoint
    verify_inclusion(
        leaf_hash(claim.entry),
        index=claim.receipt.index,
        size=checkpoint.size,
        proof=claim.receipt.proof,
        root=checkpoint.root,
    )
    report.holds(
        "inclusion",
        f"it is entry {claim.receipt.index} of {checkpoint.size}",
        index=claim.receipt.index,
        leaf=leaf_hash(claim.entry).hex(),
    )


def _verify_before(
    claim: Claim,
    before: Before,
    trusted: TrustedCheckpoint,
    policy: Policy,
    limits: Limits,
    report: Report,
) -> int | None:
    earlier = verify_checkpoint(
        before.checkpoint, policy, Limits(extensions=limits.extensions, now=limits.now)
    )
    first, second = earlier.checkpoint, trusted.checkpoint
    if first.origin != second.origin or first.size > claim.receipt.index:
        raise ConsistencyError(
            "the earlier checkpoint is of another log, or has the entry in it"
        )
    if first.size == 0:
        # Every tree grows from the empty one, and there is nothing to prove.
        if before.proof:
            raise MalformedError(
                "the consistency proof from an empty tree is not empty"
            )
    else:
        verify_consistency(
            first=first.size,
            first_root=first.root,
            second=second.size,
            second_root=second.root,
            proof=before.proof,
        )
    report.holds(
        "before", f"the tree had size {first.size} before", before_size=first.size
    )
    return earlier.newest if policy.asks_witnesses else None


def _note_times(not_before: int | None, not_after: int | None, report: Report) -> None:
    if not_before is None and not_after is None:
        report.notes(
            "time", "nobody but the log says when", not_before=None, not_after=None
        )
        return
    if not_before is not None and not_after is not None and not_before > not_after:
        # Which of them is right cannot be told from here.
        says = "the witnesses' clocks disagree; what they say is no bracket"
        report.notes("time", says, not_before=None, not_after=not_after)
        return
    words = []
    if not_before is not None:
        words.append(f"had not seen it at {time_text(not_before)}")
    if not_after is not None:
        words.append(f"had seen it at {time_text(not_after)}")
    says = f"a quorum of witnesses {', and '.join(words)}"
    report.notes("time", says, not_before=not_before, not_after=not_after)
