"""Formats of transparency logs, and every check an auditor can make of them, alone.

Nothing here can make a log, and nothing needs one to be running. Checks are
functions called `verify_…`; they return if what they check holds and raise
VerificationError if it does not, so that no result can be overlooked.

The command line is `python -m verifier`; docs/auditing.md shows how to use it.
What is listed here is read when it is first asked for.
"""

from typing import TYPE_CHECKING

from verifier.lazily import lazily

if TYPE_CHECKING:
    from verifier.audit import verify_log as verify_log
    from verifier.bundle import Bundle as Bundle
    from verifier.checkpoint import Checkpoint as Checkpoint
    from verifier.entry import Entry as Entry
    from verifier.errors import MalformedError as MalformedError
    from verifier.errors import Unavailable as Unavailable
    from verifier.errors import VerificationError as VerificationError
    from verifier.evidence import parse_evidence as parse_evidence
    from verifier.evidence import verify_evidence as verify_evidence
    from verifier.hashing import leaf_hash as leaf_hash
    from verifier.hashing import node_hash as node_hash
    from verifier.keys import VerifierKey as VerifierKey
    from verifier.note import Note as Note
    from verifier.note import verify_note as verify_note
    from verifier.policy import Policy as Policy
    from verifier.proof import verify_consistency as verify_consistency
    from verifier.proof import verify_inclusion as verify_inclusion
    from verifier.receipt import Receipt as Receipt
    from verifier.report import Report as Report
    from verifier.trust import Limits as Limits
    from verifier.trust import verify_checkpoint as verify_checkpoint

_HOMES = {
    "Bundle": "bundle",
    "Checkpoint": "checkpoint",
    "Entry": "entry",
    "Limits": "trust",
    "MalformedError": "errors",
    "Note": "note",
    "Policy": "policy",
    "Receipt": "receipt",
    "Report": "report",
    "Unavailable": "errors",
    "VerificationError": "errors",
    "VerifierKey": "keys",
    "leaf_hash": "hashing",
    "node_hash": "hashing",
    "parse_evidence": "evidence",
    "verify_checkpoint": "trust",
    "verify_consistency": "proof",
    "verify_evidence": "evidence",
    "verify_inclusion": "proof",
    "verify_log": "audit",
    "verify_note": "note",
}
__all__ = list(_HOMES)
__getattr__, __dir__ = lazily(__name__, _HOMES)
