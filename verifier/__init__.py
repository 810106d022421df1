"""Formats of transparency logs, and every check an auditor can make of them, alone.

Nothing here can make a log, and nothing needs one to be running. Checks are
functions called `verify_…`; they return if what they check holds and raise
VerificationError if it does not, so that no result can be overlooked.

The command line is `python -m verifier`; docs/auditing.md shows how to use it.
"""

from verifier.audit import verify_log
from verifier.bundle import Bundle
from verifier.checkpoint import Checkpoint
from verifier.entry import Entry
from verifier.errors import MalformedError, Unavailable, VerificationError
from verifier.evidence import parse_evidence, verify_evidence
from verifier.hashing import leaf_hash, node_hash
from verifier.keys import VerifierKey
from verifier.note import Note, verify_note
from verifier.policy import Policy
from verifier.proof import verify_consistency, verify_inclusion
from verifier.receipt import Receipt
from verifier.report import Report
from verifier.trust import Limits, verify_checkpoint

__all__ = [
    "Bundle",
    "Checkpoint",
    "Entry",
    "Limits",
    "MalformedError",
    "Note",
    "Policy",
    "Receipt",
    "Report",
    "Unavailable",
    "VerificationError",
    "VerifierKey",
    "leaf_hash",
    "node_hash",
    "parse_evidence",
    "verify_checkpoint",
    "verify_consistency",
    "verify_evidence",
    "verify_inclusion",
    "verify_log",
    "verify_note",
]
