"""Saying what became of entries: where each one stands, or why it is not logged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cli import voice
from cli.sending import Outcome
from ledger.errors import Conflict, Halted, Held, Refused, Unavailable
from ledger.log.pool import Answer
from verifier.meter import Meter
from verifier.report import escape


@dataclass(slots=True, kw_only=True)
class Telling:
    """Says outcomes, and counts what was refused.

    `progress` gives how much was read, and of how much in all; nothing if nobody
    knows. A batch of lines is one line of the result, a file has one of its own.
    """

    as_json: bool
    bar: Meter
    progress: Callable[[], tuple[int, int] | None]
    refusals: int = 0

    def outcome(self, outcome: Outcome) -> None:
        """Say what became of a batch."""
        self.bar.clear()
        where, answer, flags = outcome
        if isinstance(answer, Answer):
            self._answered(where, answer)
            for at, some in flags.items():
                if (index := answer.indexes[at]) is not None:
                    self.flagged(where[at], index, [x._asdict() for x in some])
        elif isinstance(answer, Refused):
            for each in where:
                self.refused(each, answer)
        else:
            self._failed(where, answer)
        # Now, and not when the next ones are there: somebody may be waiting for it.
        voice.said()
        if progress := self.progress():
            self.bar(*progress)

    def refused(self, where: str | int, error: Refused | Unavailable) -> None:
        """Say why what came from `where` is not logged."""
        self.refusals += 1
        self.bar.clear()
        if self.as_json:
            says: dict[str, Any] = {"refused": _word(error), "says": str(error)}
            if isinstance(error, Conflict):
                says["index"] = error.index
            voice.say_json({_name(where): where, **says})
        voice.tell(f"{_words(where)}: refused: {_word(error)}: {error}")

    def _answered(self, where: list[str | int], answer: Answer) -> None:
        new: list[int] = []
        for position, (each, index) in enumerate(
            zip(where, answer.indexes, strict=True)
        ):
            if index is None:
                self.refused(each, answer.refused[position])
            elif isinstance(each, str) or position in answer.repeated:
                self.stands(each, index, repeated=position in answer.repeated)
            else:
                new.append(index)
        # All that is new in a batch stands in one row.
        if new:
            self.new(new[0], new[-1])

    def new(self, first: int, last: int) -> None:
        """Say where new lines stand, all in one row."""
        if self.as_json:
            voice.say_json({"start": first, "stop": last + 1})
        else:
            voice.say(_span(first, last))

    def stands(self, where: str | int, index: int, *, repeated: bool) -> None:
        """Say where that stands which came from `where`."""
        if self.as_json:
            says = {_name(where): where, "index": index, "repeated": repeated}
            voice.say_json(says)
        else:
            again = "  already logged" if repeated else ""
            voice.say(f"{index}  {escape(_words(where))}{again}")

    def flagged(self, where: str | int, index: int, flags: Sequence[Any]) -> None:
        """Say what a record lacks that is logged: path, rule and mend of each."""
        self.bar.clear()
        if self.as_json:
            found = [dict(each) for each in flags]
            voice.say_json({_name(where): where, "index": index, "flags": found})
        for each in flags:
            says = f"{each['path']} {each['rule']}: {each['mend']}"
            voice.tell(f"{_words(where)}: flagged: {escape(says)}")

    def _failed(self, where: list[str | int], error: Exception) -> None:
        self.failed(
            where, _word(error), str(error), known=not isinstance(error, Halted)
        )

    def failed(
        self, where: list[str | int], word: str, says: str, *, known: bool
    ) -> None:
        """Say what is not logged, as far as that is `known`."""
        first, last = where[0], where[-1]
        if self.as_json:
            found: dict[str, Any] = {"failed": word, "says": says}
            voice.say_json({**found, "first": first, "last": last})
        lines = "lines " if isinstance(first, int) else ""
        span = _words(first) if first == last else f"{lines}{first} to {last}"
        unknown = "not" if known else "it is not known whether it is"
        voice.tell(f"{span}: {unknown} logged")


def _span(first: object, last: object) -> str:
    return f"{first}" if first == last else f"{first} to {last}"


def _name(where: str | int) -> str:
    return "file" if isinstance(where, str) else "line"


def _words(where: str | int) -> str:
    return where if isinstance(where, str) else f"line {where}"


def _word(error: Exception) -> str:
    match error:
        case Refused():
            return error.check
        case Held():
            return error.state
        case Unavailable():
            return error.reason
        case _:
            return "unknown"
