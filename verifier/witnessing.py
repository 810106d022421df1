"""What a log and a witness say to each other: c2sp.org/tlog-witness, as text.

    old 20                        the size that the witness cosigned last
    3qYV…                         a consistency proof from there, leaf sides first
                                  an empty line
    log.example/prod …            the signed checkpoint, byte for byte

The answer is signature lines of the witness and nothing else; or, if it cosigned
another size last, that size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from verifier import note
from verifier.errors import MalformedError
from verifier.note import NoteSignature
from verifier.spelling import base64_text, parse_decimal, parse_hash

SIZE_TYPE: Final = "text/x.tlog.size"
"""The media type of the answer that only says which size was cosigned last."""
MAX_HASHES: Final = 63
MAX_BYTES: Final = note.MAX_BYTES + 64 * (MAX_HASHES + 1)
MAX_ANSWER_BYTES: Final = 64 * 1024
"""Room for the lines of some keys; one of ML-DSA-44 has 3,300 bytes."""
_OLD: Final = b"old "


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A request to cosign `checkpoint`, which continues a tree of `old` entries."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the body of a request, or raise MalformedError."""
        if len(data) > MAX_BYTES:
            raise MalformedError(f"a request of more than {MAX_BYTES} bytes")
        head, blank, checkpoint = data.partition(b"\n\n")
        if not blank or not checkpoint:
            raise MalformedError("no empty line, and behind it a checkpoint")
        first, *lines = head.split(b"\n")
        if not first.startswith(_OLD):
            raise MalformedError('the first line is not "old" and a size')
        if len(lines) > MAX_HASHES:
            raise MalformedError(f"a proof of more than {MAX_HASHES} hashes")
        return cls(
            old=parse_size(first.removeprefix(_OLD)),
            proof=tuple(_hash(line) for line in lines),
            checkpoint=checkpoint,
        )

    def encode(self) -> bytes:
        """Write the body of a request."""
        lines = [f"old {self.old}", *map(base64_text, self.proof), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


def parse_size(data: bytes) -> int:
    """A size as it is in a request, and alone in an answer without its newline."""
    return parse_decimal(data.decode("latin-1"), "the size")


def size_text(size: int) -> bytes:
    """The answer of a witness that cosigned another size last."""
    return b"%d\n" % size


def conflict_size(content_type: str, body: bytes) -> int:
    """Read that answer, which its media type and one line make what it is."""
    kind = content_type.partition(";")[0].strip().lower()
    # Other answers with the same status say nothing of a size: who took a number in
    # an error page for one would send proofs from it, or be told of a rollback.
    if kind != SIZE_TYPE or not body.endswith(b"\n"):
        raise MalformedError(f"an answer 409 without a size ({SIZE_TYPE})")
    return parse_size(body[:-1])


def parse_answer(data: bytes) -> tuple[NoteSignature, ...]:
    """Read the signature lines with which a witness answers."""
    if len(data) > MAX_ANSWER_BYTES or not data.endswith(b"\n"):
        raise MalformedError(
            f"the answer is not at most {MAX_ANSWER_BYTES} bytes of whole lines"
        )
    try:
        lines = data[:-1].decode().split("\n")
    except UnicodeDecodeError:
        raise MalformedError("the answer is not valid UTF-8") from None
    return tuple(NoteSignature.parse(line) for line in lines)


def answer_text(lines: Iterable[NoteSignature]) -> bytes:
    """Write the answer of a witness that has cosigned."""
    return "".join(line.text() for line in lines).encode()


def _hash(line: bytes) -> bytes:
    return parse_hash(line.decode("latin-1"), "a line of the proof")
