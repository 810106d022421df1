"""The register of a log's producers, as a file: `provlog/producers/1`.

All that the log has entered about them, each with its proof to one checkpoint, so
that an auditor can tell offline whose statement something is, and whether the key
was good when it was logged:

    {
      "schema": "provlog/producers/1",
      "checkpoint": "…",
      "entries": [{"index": 1, "entry": "…", "proof": ["…", …]}, …]
    }

The entries are numbered, so none can be missing in between. That none follows is the
word of whoever gave the file, as it is with a policy: get it from somebody you trust.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from verifier.bundle import parse_proof
from verifier.document import check_members, member, parse_document
from verifier.errors import MalformedError, UntrustedError
from verifier.hashing import leaf_hash
from verifier.policy import Policy
from verifier.producers import Producers
from verifier.proof import verify_inclusion
from verifier.receipt.line import known_kind
from verifier.spelling import base64_text, parse_base64
from verifier.statement.own import own_in
from verifier.tile import MAX_ENTRY_BYTES
from verifier.trust import verify_checkpoint

SCHEMA: Final = "provlog/producers/1"
MAX_BYTES: Final = 64 << 20
MAX_ENTRIES: Final = 16_384
MAX_ENTRY_BYTES_IN_ALL: Final = 20 << 20
"""So many can be in it, in base64 and with proofs in any tree, and no log has more."""
MAX_VALUES: Final = 16 + MAX_ENTRIES * 80
"""Each entry has three members, and at most 63 hashes."""
_WHAT: Final = "the register"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One entry about producers, and where it stands."""

    index: int
    entry: bytes
    proof: tuple[bytes, ...]

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read it from a JSON value."""
        what = "an entry of the register"
        if not isinstance(document, dict):
            raise MalformedError(f"{what} is not an object")
        check_members(document, frozenset({"index", "entry", "proof"}), what)
        entry = parse_base64(member(document, "entry", str, what), what)
        if len(entry) > MAX_ENTRY_BYTES:
            raise MalformedError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
        return cls(
            index=member(document, "index", int, what),
            entry=entry,
            proof=parse_proof(member(document, "proof", list, what)),
        )

    def document(self) -> dict[str, Any]:
        """It as a JSON value."""
        return {
            "index": self.index,
            "entry": base64_text(self.entry),
            "proof": [base64_text(each) for each in self.proof],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A checkpoint, and the entries about producers below it."""

    checkpoint: bytes
    entries: tuple[Registered, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a register, or raise MalformedError naming what is wrong with it."""
        document = parse_document(data, _WHAT, most=MAX_BYTES, values=MAX_VALUES)
        if document.get("schema") != SCHEMA:
            raise MalformedError(f'{_WHAT} does not say "schema": "{SCHEMA}"')
        names = frozenset({"schema", "checkpoint", "entries"})
        check_members(document, names, _WHAT)
        entries = member(document, "entries", list, _WHAT)
        if len(entries) > MAX_ENTRIES:
            raise MalformedError(f"{_WHAT} has more than {MAX_ENTRIES} entries")
        checkpoint = member(document, "checkpoint", str, _WHAT)
        return cls(
            checkpoint=parse_base64(checkpoint, "the register's checkpoint"),
            entries=tuple(Registered.parse(each) for each in entries),
        )

    def encode(self) -> bytes:
        """Write the register."""
        document = {
            "schema": SCHEMA,
            "checkpoint": base64_text(self.checkpoint),
            "entries": [each.document() for each in self.entries],
        }
        return (json.dumps(document, indent=1) + "\n").encode()


def verify_register(
    register: Register, policy: Policy, kind: str = "auto"
) -> Producers:
    """The producers that the log has registered, under a checkpoint that holds.

    Of which `kind` the log is stands under that, too, or the caller knows it: to one
    that takes any bytes anybody can submit what looks like its own entries.
    """
    checkpoint = verify_checkpoint(register.checkpoint, policy).checkpoint
    kind = known_kind(kind, register.checkpoint, policy.logs)
    if kind == "auto":
        raise UntrustedError(
            "no Ed25519 key of the policy has signed of which kind the log is, and to "
            "one that takes any bytes anybody could have submitted these entries; if "
            "you know it, say so: --entries record, or --entries statement"
        )
    producers = Producers()
    producers.origin, producers.size = checkpoint.origin, checkpoint.size
    _check_ascending([each.index for each in register.entries])
    for each in register.entries:
        verify_inclusion(
            leaf_hash(each.entry),
            index=each.index,
            size=checkpoint.size,
            proof=each.proof,
            root=checkpoint.root,
        )
        own = own_in(each.entry, kind)
        if own is None or "number" not in own:
            raise MalformedError(f"entry {each.index} is not about producers")
        producers.take(own, each.index)
    return producers


def _check_ascending(indexes: Sequence[int]) -> None:
    if list(indexes) != sorted(set(indexes)):
        raise MalformedError("the register's entries are not in the log's order")
