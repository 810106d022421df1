"""What is in the log, as it is handed out: verified, with all that shows it to others.

Whatever form somebody asks for is made here, out of what was verified, and offline. A
COSE receipt hangs on a line of the checkpoint that nothing else does, so it is
verified when it is made.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from capture.errors import NotBelieved, Refused
from verifier.bundle import Bundle
from verifier.cose import PREFIX
from verifier.durable import write_atomically
from verifier.entry import Entry
from verifier.errors import VerificationError
from verifier.keys import Algorithm, PublicKey, VerifierKey
from verifier.receipt import Receipt
from verifier.receipt.cose import CoseReceipt, verify_receipt
from verifier.receipt.line import NoLineError, cose_receipt
from verifier.receipt.transparent import with_receipts
from verifier.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An entry that is in the log: verified, and with all that shows it to others.

    `witnessed` is whether the receipt meets a quorum of witnesses that the policy
    asks for; if it is not, the log alone stands for it. `repeated` is the log's word
    that it had the same before. `at`, `by` and `record` are None in a log of bytes.
    `statement` is what somebody has signed, where the entry has that in it; whose
    signature it is was not looked at. `flags` is the log's word on what a record lacks
    by a profile, though it was taken: path, rule and mend of each.
    """

    index: int
    size: int
    entry: bytes = field(repr=False)
    receipt: Receipt = field(repr=False)
    witnessed: bool
    repeated: bool = False
    at: int | None = None
    by: str | None = None
    record: Record | None = None
    statement: bytes | None = field(default=None, repr=False)
    flags: tuple[Mapping[str, str], ...] = ()
    _keys: tuple[VerifierKey, ...] = field(default=(), repr=False, compare=False)

    def bundle(self) -> bytes:
        """All that an auditor needs, in one file."""
        return Bundle(entry=self.entry, receipt=self.receipt).encode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the bundle; after a crash the file is whole, or not there.

        Raises verifier.Unavailable if it cannot be written.
        """
        write_atomically(Path(path), self.bundle())

    def cose_receipt(self) -> bytes:
        """The receipt as SCITT has it (RFC 9942); it carries no cosignatures.

        Raises Refused where the log has signed none under this checkpoint, and
        NotBelieved where what it has signed does not hold.
        """
        around = None if self.by is None else Entry.parse(self.entry)
        try:
            made = cose_receipt(self.receipt, self._keys, around)
        except NoLineError as error:
            raise Refused(
                f"the checkpoint of size {self.size} has no line for COSE receipts: "
                f"{error}; get the entry again when the log has grown, or keep "
                "the bundle",
                check="line",
            ) from None
        try:
            verify_receipt(CoseReceipt.parse(made), self.entry, self._may_sign())
        except VerificationError as error:
            where = f"the COSE receipt of entry {self.index}"
            raise NotBelieved(
                where, str(error), check=error.check, answer=self.receipt.encode()
            ) from error
        return made

    def transparent(self) -> bytes:
        """The statement with its receipt in it, as SCITT has it (RFC 9943).

        Raises Refused where the entry is no COSE_Sign1, and what `cose_receipt` does.
        """
        if self.statement is None or not self.statement.startswith(PREFIX):
            raise Refused(
                f"entry {self.index} is no COSE_Sign1, which could carry its receipt; "
                "keep the bundle",
                check="form",
            )
        return with_receipts(self.statement, [self.cose_receipt()])

    def _may_sign(self) -> list[PublicKey]:
        keys = [each.public_key for each in self._keys]
        return [each for each in keys if each.algorithm is Algorithm.ED25519]
