"""Evidence of any kind: told apart, checked, or merely explained.

Each kind says what it is, and nothing is guessed from how well it parses.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from verifier import bundle, misbehaviour
from verifier.bundle import Bundle
from verifier.claim import Claim, verify_claim
from verifier.cose import PREFIX as COSE_PREFIX
from verifier.cose import Sign1
from verifier.coseclaim import (
    Asked,
    verify_cose_claim,
    verify_growth,
    verify_transparent,
)
from verifier.document import parse_document
from verifier.errors import EntryError, MalformedError
from verifier.misbehaviour import Misbehaviour, verify_misbehaviour
from verifier.policy import Policy
from verifier.producers import Producers
from verifier.receipt import FAMILY, Receipt
from verifier.receipt.cose import CONSISTENCY, VDP, VDS, CoseReceipt
from verifier.receipt.transparent import RECEIPTS, TransparentStatement
from verifier.report import Report
from verifier.trust import Limits

MAX_BYTES: Final = 3 << 19

Evidence: TypeAlias = (
    Bundle | Receipt | Misbehaviour | CoseReceipt | TransparentStatement
)


_ALONE: Final = (
    "a statement alone shows nothing of a log: give the bundle or the receipt that "
    "came with it"
)


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
    """Read evidence of whichever kind it says it is, or raise MalformedError."""
    if data.startswith(FAMILY):
        return Receipt.parse(data)
    if data.startswith(COSE_PREFIX):
        return _parse_cose(data)
    if not data.lstrip().startswith(b"{"):
        raise MalformedError(
            "neither a bundle, nor a tlog-proof, nor a COSE receipt or transparent "
            "statement, nor a proof of misbehaviour"
        )
    document = parse_document(
        data, "the evidence", most=MAX_BYTES, depth=bundle.MAX_DEPTH
    )
    schema = document.get("schema")
    if schema == bundle.SCHEMA:
        return Bundle.parse(data)
    if schema == misbehaviour.SCHEMA:
        return Misbehaviour.parse(data)
    if "payload" in document or "mediaType" in document:
        raise MalformedError(_ALONE)
    raise MalformedError(
        f'the evidence\'s "schema" is neither "{bundle.SCHEMA}" '
        f'nor "{misbehaviour.SCHEMA}"'
    )


def _parse_cose(data: bytes) -> CoseReceipt | TransparentStatement:
    message = Sign1.parse(data, "the evidence")
    # Also where it says so in the wrong header: then it is a receipt that is wrong.
    if any(x in (*message.headers, *message.unprotected) for x in (VDS, VDP)):
        return CoseReceipt.parse(data)
    if RECEIPTS in message.unprotected:
        return TransparentStatement.of(message)
    raise MalformedError(_ALONE)


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
    producers: Producers | None = None,
    leaf: str = "entry",
    first: tuple[int, bytes] | None = None,
) -> None:
    """Return if `evidence` holds, with all that it shows in `report`.

    A proof of misbehaviour holds only for who asked for one with `misbehaviour`:
    that it holds is bad news, and must not pass for good news.
    `entry` is the entry that the caller has in hand, `artifact` the SHA-256 of
    a file that it has to describe, `producers` those of whom one has to have signed
    it. `leaf` says what a log has as its entry, where other services do otherwise, and
    `first` is the tree that the caller believed before, for a receipt of growth.
    """
    about = (entry, artifact, producers)
    asked = Asked(
        kind=kind, artifact=artifact, producers=producers, leaf=leaf, first=first
    )
    match evidence:
        case Misbehaviour():
            if not misbehaviour or any(each is not None for each in about):
                raise EntryError(
                    "this is a proof that the log misbehaved, and about no entry; "
                    "to check it, ask for that and for nothing else"
                )
            verify_misbehaviour(evidence, policy, report, extensions=limits.extensions)
            return
        case _ if misbehaviour:
            raise EntryError("this is no proof of misbehaviour, which was asked for")
        case CoseReceipt() | TransparentStatement():
            _verify_cose(evidence, entry, policy, limits, report, asked)
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
    verify_claim(
        claim,
        policy,
        limits,
        report,
        kind=kind,
        artifact=artifact,
        producers=producers,
    )


def _verify_cose(
    evidence: CoseReceipt | TransparentStatement,
    entry: bytes | None,
    policy: Policy,
    limits: Limits,
    report: Report,
    asked: Asked,
) -> None:
    if isinstance(evidence, TransparentStatement):
        if entry is not None:
            raise EntryError("a transparent statement is the entry; give no other")
        verify_transparent(evidence, policy, limits, report, asked)
        return
    if evidence.kind == CONSISTENCY:
        if any(each is not None for each in (entry, asked.artifact, asked.producers)):
            raise EntryError(
                "this is a receipt of growth, which is about no entry: it says nothing "
                "of one, of a file or of who signed it; leave these out"
            )
        verify_growth(evidence, policy, limits, report, asked)
        return
    if entry is None:
        raise EntryNeededError
    verify_cose_claim(evidence, entry, policy, limits, report, asked)
