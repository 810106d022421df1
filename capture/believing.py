"""Whether what the log answers is so: checked before anything is handed out.

Nothing of an answer is believed but what a checkpoint proves that a key of the
caller's own policy has signed. What the log adds to it (whether it had the record
before) is handed on as the log's word, and nothing is decided by it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from capture.logged import Logged
from verifier.checkpoint import Checkpoint
from verifier.cose import PREFIX
from verifier.document import member
from verifier.entry import LOG, Entry
from verifier.errors import (
    ConsistencyError,
    EntryError,
    MalformedError,
    QuorumError,
    VerificationError,
)
from verifier.hashing import leaf_hash
from verifier.policy import Policy
from verifier.proof import verify_inclusion
from verifier.receipt import Receipt
from verifier.record import MEDIA_TYPE, parse_record
from verifier.spelling import parse_base64
from verifier.statement import COSE, check_bare, is_statement
from verifier.tile import MAX_ENTRY_BYTES
from verifier.trust import TrustedCheckpoint, verify_checkpoint

_WHAT: Final = "the result"
_REMEMBERED: Final = 4_096


def policy_of(given: Policy | str | os.PathLike[str] | bytes) -> Policy:
    """The policy: itself, the text of one, or the file that has it."""
    if isinstance(given, Policy):
        return given
    if isinstance(given, bytes):
        return Policy.parse(given)
    try:
        return Policy.parse(Path(given).read_bytes())
    except MalformedError as error:
        raise MalformedError(f"{os.fspath(given)}: {error}") from None


class Believing:
    """Believes what `policy` allows to be believed."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.records: bool | None = None
        """Whether it is a log of records; None until something has shown it."""
        self._roots: dict[tuple[str, int], bytes] = {}
        """The roots of the trees that were shown, the newest of them."""
        # One checkpoint covers many results. Replaced as a whole, by any thread.
        self._newest: tuple[bytes, TrustedCheckpoint, bool] | None = None

    def submitted(
        self, result: dict[str, Any], data: bytes, type_: str = MEDIA_TYPE
    ) -> Logged:
        """The result of submitting `data`, of this type, if that is what is logged."""
        entry = _entry(member(result, "entry", str, _WHAT))
        # A log of records puts something around each: what has nothing is of bytes.
        records = entry != data
        if records:
            _check_wraps(entry, data, type_)
        receipt = Receipt.parse(member(result, "receipt", str, _WHAT).encode())
        repeated = result.get("repeated")
        if type(repeated) is not bool:
            raise MalformedError(f"{_WHAT} does not say whether it is repeated")
        shown = self.shown(entry, receipt, records=records, repeated=repeated)
        logged = replace(shown, flags=_flags(result))
        for name in ("index", "size"):
            if (stated := member(result, name, int, _WHAT)) != getattr(logged, name):
                proven = getattr(logged, name)
                raise EntryError(f"it says {name} {stated}, and proves {proven}")
        self.records = records
        return logged

    def shown(
        self, entry: bytes, receipt: Receipt, *, records: bool, repeated: bool = False
    ) -> Logged:
        """`entry`, if `receipt` shows that it is in the log."""
        trusted, witnessed = self.checkpoint(receipt.checkpoint)
        checkpoint = trusted.checkpoint
        verify_inclusion(
            leaf_hash(entry),
            index=receipt.index,
            size=checkpoint.size,
            proof=receipt.proof,
            root=checkpoint.root,
        )
        said = _said_in(entry) if records else {"statement": _bare(entry)}
        return Logged(
            index=receipt.index,
            size=checkpoint.size,
            entry=entry,
            receipt=receipt,
            witnessed=witnessed,
            repeated=repeated,
            _keys=tuple(x for x in self.policy.logs if x.name == checkpoint.origin),
            **said,
        )

    def checkpoint(self, data: bytes) -> tuple[TrustedCheckpoint, bool]:
        """A checkpoint that a log of the policy has signed; whether it is witnessed."""
        newest = self._newest
        if newest and newest[0] == data:
            return newest[1], newest[2]
        try:
            trusted = verify_checkpoint(data, self.policy)
            witnessed = self.policy.asks_witnesses
        except QuorumError:
            # The log's signature holds, or this would be another error. What is
            # logged just now no witness can have seen.
            trusted = verify_checkpoint(data, self.policy.without_witnesses())
            witnessed = False
        self._check_one_history(trusted.checkpoint)
        self._newest = data, trusted, witnessed
        return trusted, witnessed

    def _check_one_history(self, checkpoint: Checkpoint) -> None:
        """Return if the tree of this size is the one that it was before.

        That trees of other sizes grow out of each other is for a monitor to see.
        """
        key = checkpoint.origin, checkpoint.size
        before = self._roots.setdefault(key, checkpoint.root)
        if before != checkpoint.root:
            raise ConsistencyError(
                f"the log has signed two trees of size {checkpoint.size}, with root "
                f"{before.hex()} and now {checkpoint.root.hex()}: two histories under "
                "one key; keep what you have, and tell whoever else relies on it"
            )
        while len(self._roots) > _REMEMBERED:
            with suppress(KeyError, RuntimeError):  # another thread may be here as well
                del self._roots[next(iter(self._roots))]


def _entry(text: str) -> bytes:
    entry = parse_base64(text, "the entry")
    if len(entry) > MAX_ENTRY_BYTES:
        raise MalformedError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    return entry


def _flags(result: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """What the log says that a record lacks."""
    found = result.get("flags", [])
    if not isinstance(found, list) or not all(isinstance(x, dict) for x in found):
        raise MalformedError(f"{_WHAT} has flags, and no list of them")
    return tuple(
        {name: member(each, name, str, _WHAT) for name in ("path", "rule", "mend")}
        for each in found
    )


def _said_in(entry: bytes) -> dict[str, Any]:
    """What an entry of a log of records says."""
    whole = Entry.parse(entry)
    said: dict[str, Any] = {"at": whole.at, "by": whole.by}
    if whole.type == MEDIA_TYPE:
        said["record"] = parse_record(whole.body)
    elif is_statement(whole.type):
        if whole.type == COSE:
            # With anything unsigned in it no receipt that it carries would fit.
            check_bare(whole.body)
        said["statement"] = whole.body
    return said


def _bare(entry: bytes) -> bytes | None:
    """The entry of another log, if it is a statement: nothing is around it."""
    if not entry.startswith(PREFIX):
        return None
    with suppress(MalformedError):
        check_bare(entry)
        return entry
    return None


def _check_wraps(entry: bytes, data: bytes, type_: str) -> None:
    """Return if `entry` is what a log of records makes of `data`, of this type."""
    try:
        whole = Entry.parse(entry)
    except VerificationError:
        raise EntryError("the entry is not what was submitted") from None
    if whole.body != data or whole.type != type_:
        raise EntryError("what is in the entry is not what was submitted")
    if whole.by == LOG:
        raise EntryError("the entry says that the log itself submitted this")
