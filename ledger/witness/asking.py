"""Asking one witness to cosign, as c2sp.org/tlog-witness has a log do it.

A witness says which size it cosigned last, and is given a proof from there. Nothing
that it says is believed: a cosignature counts if it is by the key that the policy
has, over the tree that was sent, and of now. One that was kept from before would
vouch for a time at which nobody looked. A witness can refuse, lie and be slow; what
it cannot do is to take more of our time or memory than it is given.

A witness that has cosigned more than we have is the one answer that may be about
us: this log was put back to an older state, or somebody else signs with its key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.clock import Clock, stopwatch
from ledger.outbound import Line, NoAnswer, Reply
from verifier.checkpoint import Checkpoint
from verifier.cosignature import verify_cosignature
from verifier.errors import MalformedError, VerificationError
from verifier.note import Note, NoteSignature
from verifier.policy import Witness
from verifier.witnessing import (
    MAX_ANSWER_BYTES,
    Addition,
    conflict_size,
    parse_answer,
)

Prove = Callable[[int, int], Sequence[bytes]]
"""A proof that the tree of the second size begins with that of the first."""

MAX_AHEAD_S: Final = 1
MAX_AGE_S: Final = 300
"""How old a fresh cosignature may say it is: so far may its clock be behind ours."""
MAX_RETRY_S: Final = 60.0
"""A witness cannot send us away for longer than this."""
_RETRY: Final = re.compile("[0-9]{1,9}")

_SAYS: Final = {
    400: "it does not understand the request",
    403: "it does not believe the log's signature; has it the log's newest keys?",
    404: "it does not know this log; ask who runs it to add the log",
    422: "it says that this tree does not continue the one that it cosigned last",
    429: "it is asked too often",
    503: "it cannot cosign at the moment",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one question; names are those of the policy."""

    lines: Mapping[bytes, tuple[NoteSignature, int]] = field(default_factory=dict)
    """The line and the time of each key that has cosigned."""
    failed: Mapping[bytes, str] = field(default_factory=dict)
    """Why each of the others has not."""
    ahead: int | None = None
    """The size that it says to have cosigned, if ours is smaller."""
    retry_after_s: float = 0.0


class Failed(Exception):
    """No cosignature came of it; what it says is for the operator."""

    def __init__(self, says: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(says)
        self.retry_after_s = retry_after_s


class _Ahead(Exception):
    def __init__(self, size: int) -> None:
        super().__init__(f"it has cosigned size {size}, and this log has less")
        self.size = size


class Asking:
    """One address, behind which is one witness, with one key or several."""

    def __init__(
        self,
        witnesses: Sequence[Witness],
        line: Line,
        *,
        clock: Clock,
        patience_s: float,
    ) -> None:
        self._witnesses = witnesses
        self._line = line
        self._clock = clock
        self._patience_s = patience_s
        self._cosigned: int | None = None
        """The size that it cosigned last, as far as we know."""

    def close(self) -> None:
        """End the connection."""
        self._line.close()

    def ask(self, note: bytes, tree: Checkpoint, prove: Prove) -> Outcome:
        """Have `note`, which is about `tree`, cosigned; nothing it does raises."""
        until = stopwatch() + self._patience_s
        try:
            lines = parse_answer(self._added(note, tree, prove, until))
        except _Ahead as error:
            # What it remembers may be another history than ours: it is asked anew.
            self._cosigned = None
            return self._none(str(error), ahead=error.size)
        except Failed as error:
            return self._none(str(error), retry_after_s=error.retry_after_s)
        except MalformedError as error:
            return self._none(f"its answer does not parse: {error}")
        except NoAnswer as error:
            return self._none(str(error))
        return self._judged(lines, Note.parse(note).text, tree)

    def _none(
        self, says: str, *, ahead: int | None = None, retry_after_s: float = 0.0
    ) -> Outcome:
        failed = {each.name: says for each in self._witnesses}
        return Outcome(failed=failed, ahead=ahead, retry_after_s=retry_after_s)

    def _added(
        self, note: bytes, tree: Checkpoint, prove: Prove, until: float
    ) -> bytes:
        """The answer of a witness that says it has cosigned."""
        # Of a witness that we do not know anything of we say that it has this very
        # tree: if so, that is right, and if not, it says what it has.
        known = self._cosigned
        old = tree.size if known is None or known > tree.size else known
        reply = self._sent(old, note, tree, prove, until)
        if reply.status == 409:
            old, before = _size(reply), old
            if old > tree.size:
                raise _Ahead(old)
            if old == before:
                raise Failed(f"it says that it has another tree of size {old}")
            reply = self._sent(old, note, tree, prove, until)
            # Once is enough: a witness could go on like this for ever.
            if reply.status == 409:
                if (size := _size(reply)) > tree.size:
                    raise _Ahead(size)
                raise Failed(f"it said that it has size {old}, and then {size}")
        if reply.status != 200:
            raise Failed(_refusal(reply), retry_after_s=_retry_after_s(reply))
        self._cosigned = tree.size
        return reply.body

    def _sent(
        self, old: int, note: bytes, tree: Checkpoint, prove: Prove, until: float
    ) -> Reply:
        # The empty tree is part of every tree, and every tree of itself: no proof.
        proof = tuple(prove(old, tree.size)) if 0 < old < tree.size else ()
        body = Addition(old=old, proof=proof, checkpoint=note).encode()
        left = until - stopwatch()
        if left <= 0:
            raise Failed(f"no answer within {self._patience_s:g} s")
        return self._line.post(
            "add-checkpoint",
            body,
            headers={"Content-Type": "text/plain; charset=utf-8"},
            patience_s=left,
        )

    def _judged(
        self, lines: Sequence[NoteSignature], text: str, tree: Checkpoint
    ) -> Outcome:
        """Which of its keys have cosigned; lines of other keys are ignored."""
        good: dict[bytes, tuple[NoteSignature, int]] = {}
        failed: dict[bytes, str] = {}
        for witness in self._witnesses:
            key = witness.key
            said = [each for each in lines if _by(each) == (key.name, key.id)]
            try:
                if not said:
                    raise Failed(f"no line in its answer is by {key.name}")
                # A second line of the same key would be there to confuse somebody.
                if len(said) > 1:
                    raise Failed(f"its answer has {len(said)} lines by {key.name}")
                time = verify_cosignature(key, text, tree, said[0].signature)
                self._check_time(time)
            except (Failed, VerificationError) as error:
                failed[witness.name] = str(error)
            else:
                good[witness.name] = said[0], time
        return Outcome(lines=good, failed=failed)

    def _check_time(self, time: int) -> None:
        now = self._clock().wall_ms // 1000
        if not max(1, now - MAX_AGE_S) <= time <= now + MAX_AHEAD_S:
            raise Failed(
                f"it cosigned at {time}, and it is {now} (seconds since 1970); "
                "are both clocks right?"
            )


def _by(line: NoteSignature) -> tuple[str, bytes]:
    return line.name, line.key_id


def _size(reply: Reply) -> int:
    """The size in a conflict."""
    return conflict_size(reply.headers.get("content-type", ""), reply.body)


def _refusal(reply: Reply) -> str:
    says = f"it answers {reply.status}"
    if 300 <= reply.status < 400:
        return f"{says}: it sends us elsewhere, and that is not followed"
    return f"{says}: {_SAYS[reply.status]}" if reply.status in _SAYS else says


def _retry_after_s(reply: Reply) -> float:
    said = reply.headers.get("retry-after", "")
    if reply.status not in (429, 503) or not _RETRY.fullmatch(said):
        return 0.0
    return min(float(said), MAX_RETRY_S)


def line_to(url: bytes, *, reach: Sequence[str], patience_s: float) -> Line:
    """The way to a witness; Refused if the policy has no usable address there."""
    return Line(
        url.decode(errors="surrogateescape"),
        reach=reach,
        patience_s=patience_s,
        most=MAX_ANSWER_BYTES,
    )
