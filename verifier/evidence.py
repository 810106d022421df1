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


def checkpoint_in(data: bytes) -> bytes:
    """The signed checkpoint in `data`: a note, a receipt's or a bundle's."""
    if data.startswith(FAMILY):
        return Receipt.parse(data).checkpoint
    if data.lstrip().startswith(b"{"):
        return Bundle.parse(data).receipt.checkpoint
    return data


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
    misbehaviour: bool = False,
) -> None:
    """Return if `evidence` holds, with all that it shows in `report`.

    A proof of misbehaviour holds only for who asked for one with `misbehaviour`:
    that it holds is bad news, and must not pass for good news.
    `entry` is the entry that the caller has in hand, `artifact` the SHA-256 of
    a file that it has to describe.
    """
    match evidence:
        case Misbehaviour():
            if not misbehaviour or entry is not None or artifact is not None:
                raise EntryError(
                    "this is a proof that the log misbehaved, and about no entry; "
                    "to check it, ask for that and for nothing else"
                )
            verify_misbehaviour(evidence, policy, report, extensions=limits.extensions)
            return
        case _ if misbehaviour:
            raise EntryError("this is no proof of misbehaviour, which was asked for")
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
