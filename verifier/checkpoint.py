"""Checkpoints: what a log signs, as c2sp.org/tlog-checkpoint writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from verifier.errors import MalformedError
from verifier.hashing import HASH_SIZE
from verifier.spelling import MAX_SIZE, base64_text, parse_decimal, parse_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree's origin, size and root. Every line ends in a newline:

        log.example/prod
        20852163
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    The specification allows further, extension lines. They are refused unless
    the caller asks for them: a line nobody reads is a place for a second story.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # For those who make one: what is signed must not read as something else.
        lines = (self.origin, *self.extensions)
        within = 0 <= self.size <= MAX_SIZE and len(self.root) == HASH_SIZE
        if not all(lines) or any("\n" in line for line in lines) or not within:
            raise MalformedError("these parts do not make a checkpoint of one reading")

    @classmethod
    def parse(cls, text: str, *, extensions: bool = False) -> Self:
        """Read a note's text, or raise MalformedError naming what is wrong with it."""
        match text.split("\n"):
            case [origin, size, root, *more, ""] if origin:
                pass
            case _:
                raise MalformedError(
                    "a checkpoint is three lines: origin, size and root"
                )
        if more and not extensions:
            raise MalformedError(
                "the checkpoint has extension lines, which were not asked for"
            )
        if not all(more):
            raise MalformedError("the checkpoint has an empty extension line")
        return cls(
            origin=origin,
            size=parse_decimal(size, "the checkpoint's size"),
            root=parse_hash(root, "the checkpoint's root"),
            extensions=tuple(more),
        )

    def text(self) -> str:
        """Write the checkpoint: the text that is signed."""
        lines = (self.origin, str(self.size), base64_text(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)
