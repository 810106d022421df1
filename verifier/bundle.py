"""Bundles: all that one claim needs, in one file.

A bundle is a JSON object. Its members are base64, so that the bytes that were
signed and hashed are kept as they were; `openings` are JSON values.

    {
      "schema": "provlog/bundle/1",
      "entry": "…",                        the entry, as it stands in the log
      "receipt": "…",                      c2sp.org/tlog-proof text
      "openings": [{"path": […], "salt": "…", "value": …}],       optional
      "before": {"checkpoint": "…", "proof": ["…", …]}            optional
    }

`before` is a checkpoint of a size that is not beyond the entry's index, and the
consistency proof from it: the entry was not in the log when that was signed.
There is no room for keys: whom to believe never comes from the evidence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from verifier import document as documents
from verifier.commitment import Opening
from verifier.document import check_members, member, parse_document
from verifier.errors import MalformedError
from verifier.receipt import MAX_HASHES, Receipt
from verifier.spelling import base64_text, parse_base64, parse_hash
from verifier.tile import MAX_ENTRY_BYTES

SCHEMA: Final = "provlog/bundle/1"
MAX_BYTES: Final = 3 << 19
MAX_OPENINGS: Final = 1_024
MAX_DEPTH: Final = documents.MAX_DEPTH + 2
"""An opened value stands three deep; committed to, it stands one deep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """An earlier checkpoint, as signed, and the proof that the tree grew from it."""

    checkpoint: bytes
    proof: tuple[bytes, ...]

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Self:
        """Read it from a JSON value."""
        check_members(document, frozenset({"checkpoint", "proof"}), "before")
        return cls(
            checkpoint=parse_base64(
                member(document, "checkpoint", str, "before"), "the earlier checkpoint"
            ),
            proof=parse_proof(member(document, "proof", list, "before")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """An entry, its receipt, and what may be shown of its sealed values."""

    entry: bytes
    receipt: Receipt
    openings: tuple[Opening, ...] = ()
    before: Before | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a bundle, or raise MalformedError naming what is wrong with it."""
        what = "the bundle"
        document = parse_document(data, what, most=MAX_BYTES, depth=MAX_DEPTH)
        if document.get("schema") != SCHEMA:
            raise MalformedError(f'{what} does not say "schema": "{SCHEMA}"')
        check_members(
            document,
            frozenset({"schema", "entry", "receipt", "openings", "before"}),
            what,
        )
        entry = parse_base64(member(document, "entry", str, what), "the entry")
        if len(entry) > MAX_ENTRY_BYTES:
            raise MalformedError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
        openings = member({"openings": []} | document, "openings", list, what)
        if len(openings) > MAX_OPENINGS:
            raise MalformedError(f"{what} has more than {MAX_OPENINGS} openings")
        before = None
        if "before" in document:
            before = Before.parse(member(document, "before", dict, what))
        return cls(
            entry=entry,
            receipt=Receipt.parse(
                parse_base64(member(document, "receipt", str, what), "the receipt")
            ),
            openings=tuple(Opening.parse(each) for each in openings),
            before=before,
        )

    def encode(self) -> bytes:
        """Write the bundle."""
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "entry": base64_text(self.entry),
            "receipt": base64_text(self.receipt.encode()),
        }
        if self.openings:
            document["openings"] = [each.document() for each in self.openings]
        if self.before:
            document["before"] = {
                "checkpoint": base64_text(self.before.checkpoint),
                "proof": [base64_text(each) for each in self.before.proof],
            }
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def parse_proof(hashes: list[Any]) -> tuple[bytes, ...]:
    """Read a consistency proof from a JSON list."""
    # A consistency proof may have one hash more than the longest path.
    if len(hashes) > MAX_HASHES + 1 or not all(type(each) is str for each in hashes):
        raise MalformedError(
            f"a proof is a list of at most {MAX_HASHES + 1} base64 texts"
        )
    return tuple(parse_hash(each, "a hash of the proof") for each in hashes)
