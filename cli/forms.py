"""The forms of evidence: one proof under one checkpoint, for one reader or another.

A bundle has the entry with it, a tlog-proof is the receipt alone. A COSE receipt, and
a statement that carries one, are for readers of SCITT; they hang on a line of the
checkpoint that nothing else does, so each form is verified before it is given.
"""

from __future__ import annotations

import json
from typing import Any, Final

from ledger.errors import Refused
from verifier.bundle import Bundle
from verifier.checkpoint import Checkpoint
from verifier.cose import PREFIX as COSE_PREFIX
from verifier.entry import PREFIX, Entry
from verifier.errors import MalformedError
from verifier.evidence import parse_evidence, verify_evidence
from verifier.note import Note
from verifier.policy import Policy
from verifier.receipt.line import NoLineError, cose_receipt, known_kind
from verifier.receipt.transparent import with_receipts
from verifier.report import Report
from verifier.spelling import base64_text
from verifier.trust import Limits

BUNDLE: Final = "bundle"
TLOG_PROOF: Final = "tlog-proof"
RECEIPT: Final = "receipt"
TRANSPARENT: Final = "transparent"
FORMS: Final = (BUNDLE, TLOG_PROOF, RECEIPT, TRANSPARENT)
OF_COSE: Final = (RECEIPT, TRANSPARENT)
"""Those that carry no cosignatures."""


def written(form: str, bundle: Bundle, policy: Policy, kind: str) -> bytes:
    """What `bundle` has, in another form; of a log whose entries are of `kind`.

    Where the log has signed which kind it is, `auto` is that. That the form holds for
    the log's own key is verified; witnesses are not asked.
    """
    if form == BUNDLE:
        return bundle.encode()
    if form == TLOG_PROOF:
        return bundle.receipt.encode()
    kind = known_kind(kind, bundle.receipt.checkpoint, policy.logs)
    wrapper = _wrapper(bundle.entry, kind)
    data = _receipt(bundle, policy, wrapper)
    given: bytes | None = bundle.entry
    if form == TRANSPARENT:
        statement = bundle.entry if wrapper is None else wrapper.body
        data, given = _transparent(bundle, statement, data), None
    verify_evidence(
        parse_evidence(data),
        policy.without_witnesses(),
        Limits(),
        Report(),
        entry=given,
        kind=_kind(kind, wrapper),
    )
    return data


def shown(form: str, data: bytes) -> dict[str, Any]:
    """The same for programs: the member of a JSON object that has it."""
    if form == BUNDLE:
        return {form: json.loads(data)}
    text = data.decode() if form == TLOG_PROOF else base64_text(data)
    return {form.replace("-", "_"): text}


def _receipt(bundle: Bundle, policy: Policy, wrapper: Entry | None) -> bytes:
    tree = Checkpoint.parse(Note.parse(bundle.receipt.checkpoint).text, extensions=True)
    keys = [each for each in policy.logs if each.name == tree.origin]
    try:
        return cose_receipt(bundle.receipt, keys, wrapper)
    except NoLineError as error:
        says = (
            f"the checkpoint of size {tree.size} has no line for COSE receipts: "
            f"{error}; take the bundle, or ask again when the log has grown"
        )
        raise Refused("line", says) from None


def _transparent(bundle: Bundle, statement: bytes, receipt: bytes) -> bytes:
    if not statement.startswith(COSE_PREFIX):
        says = (
            f"entry {bundle.receipt.index} is no COSE_Sign1, which could carry its "
            f"receipt; take another form: {', '.join(FORMS[:-1])}"
        )
        raise Refused("form", says)
    return with_receipts(statement, [receipt])


def _kind(kind: str, wrapper: Entry | None) -> str:
    """As in `get`: what it looks like is no matter where nobody says what it is."""
    if kind != "auto":
        return kind
    return "opaque" if wrapper is None else "record"


def _wrapper(entry: bytes, kind: str) -> Entry | None:
    """What a record log has put around the body, if it is one."""
    if kind not in ("record", "auto") or not entry.startswith(PREFIX):
        return None
    try:
        return Entry.parse(entry)
    except MalformedError:
        return None
