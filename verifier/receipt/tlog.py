"""Receipts: a proof and its checkpoint, as c2sp.org/tlog-proof writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from verifier import note
from verifier.errors import MalformedError
from verifier.spelling import base64_text, parse_base64, parse_decimal, parse_hash

HEADER: Final = "c2sp.org/tlog-proof@v1"
FAMILY: Final = b"c2sp.org/tlog-proof"
"""How proofs of any version begin."""
MAX_HASHES: Final = 63
"""A tree of 2^63 entries has no longer path."""
MAX_EXTRA_BYTES: Final = 65_536
MAX_BYTES: Final = note.MAX_BYTES + 2 * MAX_EXTRA_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An index, hashes from the leaf's sibling upwards, a checkpoint as it was signed:

        c2sp.org/tlog-proof@v1
        index 73894
        gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=

        log.example/prod
        109482
        sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

        — log.example/prod hI2DJw…

    The entry is not in it. `extra` is under no signature: it may be shown, never
    believed.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a receipt, or raise MalformedError naming what is wrong with it."""
        if len(data) > MAX_BYTES:
            raise MalformedError(
                f"a receipt of {len(data)} bytes; at most {MAX_BYTES} are read"
            )
        # The first empty line: the checkpoint has another one.
        head, blank, checkpoint = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise MalformedError("the receipt's head is not ASCII") from None
        if lines.pop(0) != HEADER:
            raise MalformedError(f'the first line is not "{HEADER}"')
        if not blank:
            raise MalformedError(
                "no empty line divides the receipt's head from its checkpoint"
            )
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = parse_base64(lines.pop(0).removeprefix("extra "), "extra")
            if len(extra) > MAX_EXTRA_BYTES:
                raise MalformedError(f"extra has more than {MAX_EXTRA_BYTES} bytes")
        if not lines or not lines[0].startswith("index "):
            raise MalformedError(
                'the receipt has no "index" line where one is expected'
            )
        index = parse_decimal(
            lines.pop(0).removeprefix("index "), "the receipt's index"
        )
        if len(lines) > MAX_HASHES:
            raise MalformedError(f"the proof has more than {MAX_HASHES} hashes")
        proof = tuple(parse_hash(line, "a hash of the proof") for line in lines)
        return cls(index=index, proof=proof, checkpoint=checkpoint, extra=extra)

    def encode(self) -> bytes:
        """Write the receipt."""
        extra = [] if self.extra is None else [f"extra {base64_text(self.extra)}"]
        hashes = [base64_text(each) for each in self.proof]
        head = "\n".join([HEADER, *extra, f"index {self.index}", *hashes])
        return f"{head}\n\n".encode() + self.checkpoint
