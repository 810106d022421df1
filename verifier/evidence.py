"""Evidence of any kind: told apart, checked, or merely explained.

Each kind says what it is, and nothing is guessed from how well it parses.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from verifier import bundle, misbehaviour
from verifier.bundle import Bundle
from verifier.claim import Claim, verify_claim
from verifier.document import parse_document
from verifier.errors import EntryError, MalformedError
from verifier.misbehaviour import Misbehaviour, verify_misbehaviour
from verifier.policy import Policy
from verifier.receipt import FAMILY, Receipt
from verifier.report import Report
from verifier.trust import Limits

MAX_BYTES: Final = 3 << 19

Evidence: TypeAlias = Bundle | Receipt | Misbehaviour


class EntryNeededError(Exception):
    """A receipt alone shows nothing: the entry is not in it."""


def parse_evidence(data: bytes) -> Evidence:
    """Read a bundle, a receipt or a proof of misbehaviour, or raise MalformedError."""
    if data.startswith(FAMILY):
        return Receipt.parse(data)
    if not data.lstrip().startswith(b"{"):
        raise MalformedError(
            "neither a bundle, nor a tlog-proof, nor a proof of misbehaviour"
        )
    document = parse_document(
        data, "the evidence", most=MAX_BYTES, depth=bundle.MAX_DEPTH
    )
    schema = document.get("schema")
    if schema == bundle.SCHEMA:
        return Bundle.parse(data)
    if schema == misbehaviour.SCHEMA:
        return Misbehaviour.parse(data)
    raise MalformedError(
        f'the evidence\'s "schema" is neither "{bundle.SCHEMA}" '
        f'nor "{misbehaviour.SCHEMA}"'
    )


def verify_evidence(
    evidence: Evidence,
    policy: Policy,
    limits: Limits,
    report: Report,
    *,
    entry: bytes | None = None,
    artifact: bytes | None = None,
    kind: str = "auto",
) -> None:
    """Return if `evidence` holds, with all that it shows in `report`.

    `entry` is the entry that the caller has in hand, `artifact` the SHA-256 of
    a file that it has to describe.
    """
    match evidence:
        case Misbehaviour():
            if entry is not None or artifact is not None:
                raise EntryError(
                    "a proof of misbehaviour is about no entry and no file"
                )
            verify_misbehaviour(evidence, policy, report, extensions=limits.extensions)
            return
        case Receipt():
            if entry is None:
                raise EntryNeededError
            claim = Claim(entry=entry, receipt=evidence)
        case _:
            if entry is not None and entry != evidence.entry:
                raise EntryError("the bundle's entry is not the one that was given")
            claim = Claim(
                entry=evidence.entry,
                receipt=evidence.receipt,
                openings=evidence.openings,
                before=evidence.before,
            )
    verify_claim(claim, policy, limits, report, kind=kind, artifact=artifact)
