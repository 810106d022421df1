"""What a COSE file says, or another signed statement, without a word on its truth."""

from __future__ import annotations

from typing import Final

from verifier.cose import ALG, ALGORITHMS, KID, Sign1
from verifier.errors import MalformedError
from verifier.receipt.cose import INCLUSION, VDP, VDS, CoseReceipt
from verifier.receipt.transparent import RECEIPTS, TransparentStatement
from verifier.report import Report, time_text
from verifier.statement import Statement
from verifier.statement.telling import note_statement

_MS: Final = 1_000


def explain_cose(data: bytes, report: Report) -> None:
    """Note what the COSE_Sign1 `data` is and says."""
    message = Sign1.parse(data)
    if any(x in (*message.headers, *message.unprotected) for x in (VDS, VDP)):
        _explain_receipt(CoseReceipt.parse(data), report)
        return
    explain_statement(data, report)
    if RECEIPTS in message.unprotected:
        carried = TransparentStatement.of(message).receipts
        report.notes("transparent", f"it carries {len(carried)} receipts")
        for number, each in enumerate(carried, start=1):
            try:
                _explain_receipt(CoseReceipt.parse(each), report)
            except MalformedError as error:
                # Of another kind: whoever verifies passes over it, too.
                report.notes("receipt", f"number {number} cannot be read: {error}")
    others = [str(x) for x in message.unprotected if x != RECEIPTS]
    if others:
        says = f"nobody has signed the headers {', '.join(others)[:80]}"
        report.notes("unprotected", says)


def explain_statement(data: bytes, report: Report) -> None:
    """Note what the statement `data` says, and which signatures it has."""
    statement = Statement.parse(data)
    note_statement(statement, report)
    if statement.message is not None:
        _note_signature(statement.message, report)
    for each in statement.envelope.signatures if statement.envelope else ():
        says = f"{len(each.signature)} bytes, key id {each.keyid[:80]!r}"
        report.notes("signature", says, keyid=each.keyid)
    if statement.chain:
        report.notes("certificates", f"it carries {len(statement.chain)} of them")


def _note_signature(message: Sign1, report: Report) -> None:
    algorithm = message.headers.get(ALG)
    known = ALGORITHMS.get(algorithm) if type(algorithm) is int else None
    kid = message.headers.get(KID)
    named = f", key id {kid.hex()[:80]}" if type(kid) is bytes else ""
    what = known or "none that is known here"
    says = f"{len(message.signature)} bytes, algorithm {str(algorithm)[:20]} ({what})"
    report.notes("signature", says + named)


def _explain_receipt(receipt: CoseReceipt, report: Report) -> None:
    kind = "inclusion" if receipt.kind == INCLUSION else "consistency"
    says = f"COSE receipt of {kind}, by {receipt.issuer or 'nobody that it names'}"
    report.notes("receipt", says, issuer=receipt.issuer, kind=kind)
    for each in receipt.proofs:
        numbers = (
            f"entry {each.second} of {each.first}"
            if receipt.kind == INCLUSION
            else f"from size {each.first} to {each.second}"
        )
        says = f"{numbers}, a path of {len(each.hashes)} hashes"
        report.notes("proof", f"{says}; the numbers are not signed")
    around = receipt.message.unprotected
    at = around.get("at")
    if receipt.wrapped and type(at) is int:
        says = f"of an entry by {str(around.get('by'))[:128]!r}"
        report.notes("entry", f"{says} at {time_text(at // _MS)}")
    _note_signature(receipt.message, report)
