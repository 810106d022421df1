"""What a monitor remembers: the checkpoint that held, and all else that was signed.

A log is bound by whatever it has signed, whether or not witnesses cosigned it
and however old it was. So a signed checkpoint is remembered before it is judged,
and stays remembered until it was shown to be part of a tree that held.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from verifier.checkpoint import Checkpoint
from verifier.document import check_members, member, parse_document
from verifier.errors import MalformedError
from verifier.note import Note
from verifier.spelling import base64_text, parse_base64

SCHEMA: Final = "provlog/monitor/1"
MAX_BYTES: Final = 16 << 20
MAX_SIGNED: Final = 16
"""How many unjudged checkpoints are kept: the oldest half and the newest half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The state of a monitor, from one round to the next.

    `held` is the newest checkpoint that held, `since` when its size was first
    seen, and `signed` what the log has signed besides.
    """

    held: bytes | None = None
    since: int = 0
    signed: tuple[bytes, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the state file, or raise MalformedError naming what is wrong with it."""
        what = "the monitor's state"
        document = parse_document(data, what, most=MAX_BYTES)
        if document.get("schema") != SCHEMA:
            raise MalformedError(
                f'{what} does not say "schema": "{SCHEMA}"; is this another file?'
            )
        names = frozenset({"schema", "checkpoint", "since", "signed"})
        check_members(document, names, what)
        held = None
        if "checkpoint" in document:
            held = _note(member(document, "checkpoint", str, what))
        listed = member({"signed": []} | document, "signed", list, what)
        if len(listed) > MAX_SIGNED or not all(type(each) is str for each in listed):
            raise MalformedError(f"{what} has no list of at most {MAX_SIGNED} notes")
        return cls(
            held=held,
            since=member(document, "since", int, what),
            signed=tuple(_note(each) for each in listed),
        )

    def encode(self) -> bytes:
        """Write the state file."""
        document: dict[str, Any] = {"schema": SCHEMA}
        if self.held is not None:
            document["checkpoint"] = base64_text(self.held)
        document["since"] = self.since
        if self.signed:
            document["signed"] = [base64_text(each) for each in self.signed]
        return (json.dumps(document, indent=2) + "\n").encode()

    def heads(self) -> list[tuple[bytes, Checkpoint]]:
        """Every checkpoint that is remembered, the one that held first."""
        notes = [] if self.held is None else [self.held]
        return [(each, said(each)) for each in (*notes, *self.signed)]

    def with_signed(self, data: bytes) -> Memory:
        """The same, and the log has signed `data`."""
        if said(data) in [checkpoint for _, checkpoint in self.heads()]:
            return self
        signed = (*self.signed, data)
        if len(signed) > MAX_SIGNED:
            half = MAX_SIGNED // 2
            signed = (*signed[:half], *signed[-half:])
        return replace(self, signed=signed)

    def with_held(self, data: bytes, now: int) -> Memory:
        """The same, and `data` held; what it was compared with is part of it."""
        size = said(data).size
        same = self.held is not None and said(self.held).size == size
        larger = tuple(each for each in self.signed if said(each).size > size)
        return Memory(held=data, since=self.since if same else now, signed=larger)


def said(data: bytes) -> Checkpoint:
    """What a remembered note says; its signature was verified when it was seen."""
    return Checkpoint.parse(Note.parse(data).text, extensions=True)


def _note(text: str) -> bytes:
    data = parse_base64(text, "a remembered checkpoint")
    said(data)
    return data
