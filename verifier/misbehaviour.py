"""Proof that a log has shown two histories, for anybody to check.

Two checkpoints of one log, each signed by it. If their sizes are equal, their
roots differ. Otherwise the file says what root the first entries of the larger
tree really have, and proves it: it is not the root that was signed before.

    {
      "schema": "provlog/misbehaviour/1",
      "first": "…", "second": "…",           the two signed notes, in base64
      "prefix": "…", "proof": ["…", …]       only if the sizes differ
    }
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from verifier.bundle import parse_proof
from verifier.checkpoint import Checkpoint
from verifier.document import check_members, member, parse_document
from verifier.errors import ConsistencyError, MalformedError
from verifier.policy import Policy
from verifier.proof import verify_consistency
from verifier.report import Report
from verifier.spelling import base64_text, digest_text, parse_base64, parse_hash
from verifier.trust import Limits, verify_checkpoint
from verifier.vouch import note_log

SCHEMA: Final = "provlog/misbehaviour/1"
MAX_BYTES: Final = 3 << 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """Two signed checkpoints that cannot both be true; `first` is not the larger."""

    first: bytes
    second: bytes
    prefix: bytes | None = None
    proof: tuple[bytes, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the file, or raise MalformedError naming what is wrong with it."""
        what = "the proof of misbehaviour"
        document = parse_document(data, what, most=MAX_BYTES)
        if document.get("schema") != SCHEMA:
            raise MalformedError(f'{what} does not say "schema": "{SCHEMA}"')
        check_members(
            document, frozenset({"schema", "first", "second", "prefix", "proof"}), what
        )
        if ("prefix" in document) != ("proof" in document):
            raise MalformedError(f"{what} has one of prefix and proof, not both")
        prefix = None
        if "prefix" in document:
            prefix = parse_hash(member(document, "prefix", str, what), "the prefix")
        return cls(
            first=parse_base64(
                member(document, "first", str, what), "the first checkpoint"
            ),
            second=parse_base64(
                member(document, "second", str, what), "the second checkpoint"
            ),
            prefix=prefix,
            proof=parse_proof(member({"proof": []} | document, "proof", list, what)),
        )

    def encode(self) -> bytes:
        """Write the file."""
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "first": base64_text(self.first),
            "second": base64_text(self.second),
        }
        if self.prefix is not None:
            document["prefix"] = base64_text(self.prefix)
            document["proof"] = [base64_text(each) for each in self.proof]
        return (json.dumps(document, indent=2) + "\n").encode()


def verify_misbehaviour(
    claim: Misbehaviour, policy: Policy, report: Report, *, extensions: bool = False
) -> None:
    """Return if the log signed both checkpoints and they contradict each other.

    No quorum is asked: who signs two histories is guilty whether or not
    witnesses have seen them.
    """
    alone = policy.without_witnesses()
    signed: list[Checkpoint] = []
    for data in (claim.first, claim.second):
        trusted = verify_checkpoint(data, alone, Limits(extensions=extensions))
        note_log(trusted, report)
        signed.append(trusted.checkpoint)
    first, second = signed
    if first.origin != second.origin:
        raise ConsistencyError("the checkpoints are of two logs, which may well differ")
    if first.size == second.size:
        if claim.prefix is not None or claim.proof:
            raise MalformedError("between equal sizes there is nothing to prove")
        actual = second.root
    elif claim.prefix is None or not 0 < first.size < second.size:
        raise MalformedError(
            "the checkpoints are not in order, or nothing relates them"
        )
    else:
        actual = claim.prefix
        verify_consistency(
            first=first.size,
            first_root=actual,
            second=second.size,
            second_root=second.root,
            proof=claim.proof,
        )
    if actual == first.root:
        raise ConsistencyError(
            "the two checkpoints agree: this proves nothing against the log"
        )
    report.holds(
        "misbehaviour",
        f"{first.origin} signed two histories: the first {first.size} entries have "
        f"root {digest_text(first.root)}, and {digest_text(actual)}",
        origin=first.origin,
        size=first.size,
        roots=[first.root.hex(), actual.hex()],
    )
