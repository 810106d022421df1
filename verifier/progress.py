"""How far an audit has come: what is kept, so that it can go on.

What is kept are the roots of the spans that were re-hashed. A later run, of the
same tree or of a larger one, starts behind them; that they still lead to the
root of the checkpoint of the day is computed anew each time. The file is the
auditor's own and is believed: keep it where only the auditor can write.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

from verifier.checkpoint import Checkpoint
from verifier.damage import Damage
from verifier.errors import GrowthError, Unavailable
from verifier.hashing import HASH_SIZE
from verifier.span import SPAN, Reading

SCHEMA: Final = "provlog/audit/1"
MAX_BYTES: Final = 256 << 20
"""A million spans, which are 65 billion entries, and much damage."""


class Done(NamedTuple):
    """A full span that is done: its root, the times so far, what is wrong in it."""

    root: bytes
    times: tuple[int, int] | None
    damage: tuple[Damage, ...]


_UNREADABLE: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)


@dataclass(slots=True)
class Progress:
    """The full spans that are done, from the first on.

    A span is added in one step: whoever interrupts finds all of it or nothing.
    """

    done: list[Done] = field(default_factory=list)
    record: bool | None = None

    @property
    def spans(self) -> int:
        """How many spans are done."""
        return len(self.done)

    @property
    def roots(self) -> bytes:
        """Their roots, joined."""
        return b"".join([each.root for each in self.done])

    @property
    def times(self) -> tuple[int, int] | None:
        """The first and the latest time in them."""
        return self.done[-1].times if self.done else None

    @property
    def damage(self) -> list[Damage]:
        """What is wrong in them."""
        return [damage for each in self.done for damage in each.damage]


def save(progress: Progress, checkpoint: Checkpoint, reading: Reading) -> bytes:
    """Write the progress of an audit of `checkpoint`'s log."""
    document = {
        "schema": SCHEMA,
        "origin": checkpoint.origin,
        "record": progress.record,
        "strict": reading.strict,
        "statement": reading.statement,
        "roots": progress.roots.hex(),
        "times": progress.times,
        "damage": [asdict(each) for each in progress.damage],
    }
    return json.dumps(document).encode()


def load(data: bytes, checkpoint: Checkpoint, reading: Reading) -> Progress:
    """Read what `save` wrote, for an audit of `checkpoint`'s log."""
    try:
        document: dict[str, Any] = json.loads(data)
        if document["schema"] != SCHEMA:
            raise ValueError("another schema")
        progress = _progress(document)
        matches = (
            document["origin"] == checkpoint.origin
            and reading.record in (None, progress.record)
            and document["strict"] == reading.strict
            # Older files have no such member: they are of no statement log.
            and document.get("statement", False) == reading.statement
        )
    except _UNREADABLE as error:
        raise Unavailable(
            f"not the progress of an audit ({error}); keep it in another file"
        ) from None
    if not matches:
        raise Unavailable(
            "the progress of another log, or of an audit with other options; "
            "keep it in another file"
        )
    if progress.spans * SPAN > checkpoint.size:
        raise GrowthError(
            f"{progress.spans * SPAN} entries were audited before, the checkpoint has "
            f"{checkpoint.size}: the log has shrunk, or this is an older checkpoint"
        )
    return progress


def _progress(document: dict[str, Any]) -> Progress:
    roots = bytes.fromhex(document["roots"])
    if len(roots) % HASH_SIZE:
        raise ValueError("half a root")
    times = _times(document["times"])
    damage = tuple(_damage(each) for each in document["damage"])
    if document["record"] not in (None, True, False):
        raise ValueError("a kind of log that there is not")
    done = [
        # What was found and when stands with the last; where it was is in itself.
        Done(roots[at : at + HASH_SIZE], times, ())
        for at in range(0, len(roots), HASH_SIZE)
    ]
    if done:
        done[-1] = done[-1]._replace(damage=damage)
    return Progress(done=done, record=document["record"])


def _times(listed: list[int] | None) -> tuple[int, int] | None:
    match listed:
        case None:
            return None
        case [int(first), int(last)]:
            return first, last
    raise ValueError("times that are no two numbers")


def _damage(document: dict[str, Any]) -> Damage:
    indexes = tuple((start, stop) for start, stop in document.pop("indexes"))
    return Damage(**document, indexes=indexes)
