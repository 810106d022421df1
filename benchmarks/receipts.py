"""How many receipts are verified a second, from bytes to verdict, on one core."""

from __future__ import annotations

import tempfile
from functools import partial
from hashlib import sha256
from pathlib import Path

from benchmarks.measure import in_turn, rate_text, ratio_text
from tests.testlog import LOG, WITNESSES, TestLog, policy_text, signer
from verifier.evidence import parse_evidence, verify_evidence
from verifier.keys import VerifierKey, verify_signature
from verifier.note import Note
from verifier.policy import Policy
from verifier.report import Report
from verifier.trust import Limits

COUNT = 500


def run(rounds: int) -> None:
    """Print what was measured."""
    print(f"receipts from a log of 1,000 entries, {COUNT} a round, one core")
    for name, witnesses, quorum in (
        ("no witness", (), 0),
        ("2 of 3 Ed25519 witnesses", WITNESSES, 2),
        ("1 ML-DSA-44 witness", (signer("w.example/pq", 0x06),), 1),
    ):
        with tempfile.TemporaryDirectory() as folder:
            log = TestLog(Path(folder), witnesses=witnesses, quorum=quorum)
            log.entries.extend(b"entry %d" % number for number in range(1000))
            receipts = [(log.receipt(each), log.entries[each]) for each in range(COUNT)]
            trusted = Policy.parse(policy_text(witnesses=witnesses, quorum=quorum))
        full = partial(_verify, receipts, trusted)
        bare = partial(_bare, receipts)
        taken, least = in_turn(rounds, full, bare)
        print(f"  {name:<26}{rate_text(COUNT, taken)}")
        ratio = ratio_text(taken, least)
        print(f"  {'':<26}of one bare signature and its hashes: {ratio}")


def _verify(receipts: list[tuple[bytes, bytes]], trusted: Policy) -> None:
    for data, entry in receipts:
        verify_evidence(parse_evidence(data), trusted, Limits(), Report(), entry=entry)


def _bare(receipts: list[tuple[bytes, bytes]]) -> None:
    """The least that any verifier must do: the log's signature, a leaf and its path."""
    key = VerifierKey.parse(LOG.vkey)
    note = Note.parse(receipts[0][0].partition(b"\n\n")[2])
    text, signature = note.text.encode(), note.signatures[0].signature
    for _, entry in receipts:
        verify_signature(key.public_key, text, signature)
        node = sha256(b"\x00" + entry).digest()
        for _ in range(10):
            node = sha256(b"\x01" + node + node).digest()
