"""What a piece of evidence shows, checked link by link, up to the first that breaks.

From the witnesses to the entry and what it says: the checkpoint is believed
under the policy, the entry is in its tree, the openings fit the entry, the file
is the one that it describes. Each link that holds is noted in the report, in
words that say no more than was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from verifier.bundle import Before
from verifier.commitment import Opening, verify_openings
from verifier.entry import PREFIX, Entry
from verifier.errors import (
    ArtifactError,
    ConsistencyError,
    EntryError,
    MalformedError,
    OpeningError,
)
from verifier.hashing import leaf_hash
from verifier.policy import Policy
from verifier.proof import verify_consistency, verify_inclusion
from verifier.receipt import Receipt
from verifier.record import MEDIA_TYPE, Record, digest_text, parse_record, texts
from verifier.report import Report, path_text, time_text
from verifier.trust import Limits, TrustedCheckpoint, verify_checkpoint
from verifier.vouch import note_trust

# In an opaque log anybody can submit what looks like a record log's entry.
_WHOSE_WORD: Final = {
    "record": "the log wrote",
    "auto": "if this is a record log, it wrote",
}


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
) -> None:
    """Return if `claim` holds, with all that it shows in `report`.

    `artifact` is the SHA-256 of a file that the entry has to describe.
    """
    trusted = verify_checkpoint(claim.receipt.checkpoint, policy, limits)
    note_trust(trusted, policy, limits, report)
    _verify_inclusion(claim, trusted, report)
    content, record = _read_entry(claim.entry, kind, report)
    _verify_openings(record, claim.openings, report)
    if artifact is not None:
        _verify_artifact(content, record, claim.openings, artifact, report)
    not_before = None
    if claim.before is not None:
        not_before = _verify_before(
            claim, claim.before, trusted, policy, limits, report
        )
    _note_times(not_before, trusted.not_after, report)


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


def _read_entry(data: bytes, kind: str, report: Report) -> tuple[bytes, Record | None]:
    """What was submitted, and the record if it is one."""
    if kind == "opaque" or (kind == "auto" and not data.startswith(PREFIX)):
        says = f"{len(data)} bytes, {digest_text(sha256(data).digest())}"
        report.notes(
            "entry", says, bytes=len(data), digest=digest_text(sha256(data).digest())
        )
        return data, None
    try:
        entry = Entry.parse(data)
    except MalformedError as error:
        raise EntryError(f"not an entry of a record log: {error}") from None
    digest = digest_text(sha256(entry.body).digest())
    report.notes(
        "entry",
        f"{_WHOSE_WORD[kind]}: by {entry.by} at {time_text(entry.at // 1000)}, "
        f"{len(entry.body)} bytes, {digest}, of type {entry.type}",
        by=entry.by,
        at=entry.at,
        type=entry.type,
        body_digest=digest,
    )
    if entry.type != MEDIA_TYPE:
        return entry.body, None
    record = parse_record(entry.body)
    report.notes("record", f"id {record['id']}", record=record)
    return entry.body, record


def _verify_openings(
    record: Record | None, openings: Sequence[Opening], report: Report
) -> None:
    if record is None:
        if openings:
            raise OpeningError(
                "the evidence opens commitments, but the entry is not a record"
            )
        return
    closed = verify_openings(record, list(openings))
    for opening in openings:
        report.holds(
            "opening",
            f"{path_text(opening.path)} is {opening.value!r}",
            path=list(opening.path),
            value=opening.value,
        )
    for path in closed:
        report.notes(
            "closed", f"{path_text(path)} is withheld or erased", path=list(path)
        )


def _verify_artifact(
    content: bytes,
    record: Record | None,
    openings: Sequence[Opening],
    artifact: bytes,
    report: Report,
) -> None:
    digest = digest_text(artifact)
    if record is None:
        digests = {artifact, artifact.hex().encode(), digest.encode()}
        if sha256(content).digest() != artifact and content not in digests:
            raise ArtifactError(
                f"what was logged is neither the file nor its digest, {digest}"
            )
        report.holds(
            "artifact", "what was logged is the file, or its digest", digest=digest
        )
        return
    # A commitment's digest is not the digest of a file.
    stated = {name: value for name, value in record.items() if name != "commitments"}
    found = [path for path, text in texts(stated) if text == digest]
    for each in openings:
        found += [
            (*each.path, *path) for path, text in texts(each.value) if text == digest
        ]
    if not found:
        raise ArtifactError(f"the record does not mention the file's digest, {digest}")
    says = f"the record has {digest} at {', '.join(map(path_text, found))}"
    report.holds("artifact", says, digest=digest, paths=[list(each) for each in found])


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
