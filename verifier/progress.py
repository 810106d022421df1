"""How far an audit has come: what is kept, so that it can go on.

What is kept are the roots of the spans that were re-hashed. A later run, of the
same tree or of a larger one, starts behind them; that they still lead to the
root of the checkpoint of the day is computed anew each time. The file is the
auditor's own and is believed: keep it where only the auditor can write.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from verifier.checkpoint import Checkpoint
from verifier.damage import Damage
from verifier.errors import GrowthError, Unavailable
from verifier.hashing import HASH_SIZE
from verifier.span import SPAN, Reading

SCHEMA: Final = "provlog/audit/1"
MAX_BYTES: Final = 256 << 20
"""A million spans, which are 65 billion entries, and much damage."""


@dataclass(slots=True)
class Progress:
    """The full spans that are done: their roots, their times, their damage."""

    roots: list[bytes] = field(default_factory=list)
    times: tuple[int, int] | None = None
    damage: list[Damage] = field(default_factory=list)

    @property
    def spans(self) -> int:
        """How many spans are done."""
        return len(self.roots)


def save(progress: Progress, checkpoint: Checkpoint, reading: Reading) -> bytes:
    """Write the progress of an audit of `checkpoint`'s log."""
    document = {
        "schema": SCHEMA,
        "origin": checkpoint.origin,
        "record": reading.record,
        "strict": reading.strict,
        "roots": b"".join(progress.roots).hex(),
        "times": progress.times,
        "damage": [asdict(each) for each in progress.damage],
    }
    return json.dumps(document).encode()


def load(data: bytes, checkpoint: Checkpoint, reading: Reading) -> Progress:
    """Read what `save` wrote, for an audit of `checkpoint`'s log."""
    try:
        document: dict[str, Any] = json.loads(data)
        roots = bytes.fromhex(document["roots"])
        if len(roots) % HASH_SIZE:
            raise ValueError("half a root")
        progress = Progress(
            roots=[
                roots[at : at + HASH_SIZE] for at in range(0, len(roots), HASH_SIZE)
            ],
            times=_times(document["times"]),
            damage=[_damage(each) for each in document["damage"]],
        )
        matches = (
            document["schema"] == SCHEMA
            and document["origin"] == checkpoint.origin
            and document["record"] == reading.record
            and document["strict"] == reading.strict
        )
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise Unavailable(
            f"the progress file is damaged ({error}); delete it to begin anew"
        ) from None
    if not matches:
        raise Unavailable(
            "the progress file is of another log, or of an audit with other options; "
            "delete it to begin anew"
        )
    if progress.spans * SPAN > checkpoint.size:
        raise GrowthError(
            f"the progress file covers {progress.spans * SPAN} entries, the checkpoint "
            f"{checkpoint.size}: the log has shrunk, or this is an older checkpoint"
        )
    return progress


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
