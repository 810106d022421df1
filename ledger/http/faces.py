"""The faces of a receipt: what somebody gets who asks for one of its forms.

All of them are made from the same proof and the same checkpoint. The forms of COSE
need no key either: the checkpoint has a line for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.errors import WrongBytes
from ledger.http.asked import Asked
from ledger.http.problems import NOT_FOUND, Problem
from verifier.bundle import Bundle
from verifier.entry import Entry
from verifier.errors import MalformedError
from verifier.receipt import Receipt, cose, transparent
from verifier.receipt.line import NoLineError, cose_receipt
from verifier.receipt.transparent import with_receipts
from verifier.statement import COSE

BUNDLE: Final = "application/vnd.provlog.bundle+json"
PROOF: Final = "text/x.tlog.proof"
COSE_RECEIPT: Final = cose.MEDIA_TYPE
TRANSPARENT: Final = transparent.MEDIA_TYPE
FACES: Final = (PROOF, BUNDLE, COSE_RECEIPT, TRANSPARENT)
SHAPES: Final[Mapping[str, str]] = {
    PROOF: "text",
    BUNDLE: "bundle",
    COSE_RECEIPT: "bytes",
    TRANSPARENT: "bytes",
}
"""What each looks like, by the names of `ledger.http.shapes`."""


def face(asked: Asked, wanted: str, receipt: Receipt, entry: bytes) -> bytes:
    """`receipt` for `entry` in the form that is `wanted`."""
    match wanted:
        case _ if wanted == COSE_RECEIPT:
            return _cose(asked, receipt, entry)
        case _ if wanted == TRANSPARENT:
            return _transparent(asked, receipt, entry)
        case _ if wanted == BUNDLE:
            return Bundle(entry=entry, receipt=receipt).encode()
    return receipt.encode()


def _cose(asked: Asked, receipt: Receipt, entry: bytes) -> bytes:
    wrapped = _parsed(entry) if asked.site.charter.kind == "record" else None
    try:
        return cose_receipt(receipt, asked.site.keys, wrapped)
    except NoLineError:
        raise Problem(
            NOT_FOUND,
            "the checkpoint of this size was signed before there were COSE receipts; "
            "ask for the newest one",
            check="index",
        ) from None


def _transparent(asked: Asked, receipt: Receipt, entry: bytes) -> bytes:
    kind = asked.site.charter.kind
    statement = entry
    if kind == "record":
        wrapped = _parsed(entry)
        statement = wrapped.body if wrapped.type == COSE else b""
    if kind == "opaque" or not statement:
        says = "this entry is no COSE_Sign1, which could carry its receipt"
        raise Problem(NOT_FOUND, says, check="form")
    try:
        return with_receipts(statement, [_cose(asked, receipt, entry)])
    except MalformedError as error:
        raise WrongBytes("entry", f"it is no statement: {error}") from None


def _parsed(entry: bytes) -> Entry:
    try:
        return Entry.parse(entry)
    except MalformedError as error:
        says = f"it is no entry of a record log: {error}"
        raise WrongBytes("entry", says) from None
