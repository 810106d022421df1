"""Handing entries to a log over the network, and saying what became of each.

Some go at a time. They are told of in their order, when the receipts are verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from capture import (
    Client,
    ClientError,
    Logged,
    NotAllowed,
    NotBelieved,
    OutcomeUnknown,
)
from capture import Conflict as Changed
from capture import Refused as NotTaken
from cli import voice
from cli.bundles import Bundles
from cli.outcomes import Telling
from ledger.errors import Conflict, Refused
from verifier.errors import Unavailable

_MOST: Final = 256
"""What one request has: its results are told before more is read."""

Where: TypeAlias = str | int


class Delivery:
    """Sends to one log. `trouble` is why it goes no further, if it does not."""

    def __init__(self, client: Client, telling: Telling, bundles: Bundles) -> None:
        self.telling = telling
        self.trouble: ClientError | Unavailable | None = None
        self._client = client
        self._bundles = bundles
        self._where: list[Where] = []
        self._data: list[bytes] = []
        self._row: tuple[int, int] | None = None

    def add(self, where: Where, data: bytes) -> None:
        """Take one more; it is sent when there are enough for a request."""
        self._where.append(where)
        self._data.append(data)
        if len(self._data) >= _MOST:
            self.send()

    def state(self, where: Where, data: bytes) -> None:
        """Send a statement, behind all that was taken, and say what became of it."""
        self.send()
        if self.trouble:
            return
        try:
            result = self._stated(data)
        except ClientError as error:
            self.trouble = error
            self._tell_rest([where], [data], error)
        else:
            self._tell(where, result)
        self._told()

    def send(self) -> None:
        """Send what was taken, and say what became of it."""
        where, data = self._where, self._data
        self._where, self._data = [], []
        if not data:
            return
        told = 0
        try:
            for result in self._client.submit_batch(data, size=_MOST):
                self._tell(where[told], result)
                told += 1
        except ClientError as error:
            self.trouble = self.trouble or error
            self._tell_rest(where[told:], data[told:], error)
        self._tell_row()
        self._told()

    def _stated(self, data: bytes) -> Logged | NotTaken:
        """What became of a statement; whoever may not submit has no result at all."""
        try:
            return self._client.submit_statement(data)
        except NotAllowed:
            raise
        except NotTaken as error:
            return error

    def _told(self) -> None:
        """Let what was said be read now, for somebody may be waiting for it."""
        voice.said()
        if progress := self.telling.progress():
            self.telling.bar(*progress)

    def _tell(self, where: Where, result: Logged | NotTaken) -> None:
        self.telling.bar.clear()
        if isinstance(result, NotTaken):
            self._tell_row()
            self.telling.refused(where, _refused(result))
            return
        index = result.index
        if isinstance(where, str) or result.repeated:
            self._tell_row()
            self.telling.stands(where, index, repeated=result.repeated)
        elif self._row and self._row[1] + 1 == index:
            self._row = self._row[0], index
        else:
            self._tell_row()
            self._row = index, index
        if result.flags:
            self._tell_row()
            self.telling.flagged(where, index, result.flags)
        try:
            self._bundles.keep(where, result)
        except Unavailable as error:
            # It is logged, and so are others of its request: they are told of first.
            self.trouble = self.trouble or error

    def _tell_row(self) -> None:
        """Say the new lines that stand in one row."""
        if self._row:
            self.telling.new(*self._row)
        self._row = None

    def _tell_rest(
        self, where: Sequence[Where], data: Sequence[bytes], error: ClientError
    ) -> None:
        """Of a request that failed, what has a result all the same, and what not."""
        pending, others = list(error.submitted), list(error.others)
        without: list[Where] = []
        for each, content in zip(where, data, strict=True):
            if others and content not in pending:
                result = others.pop(0)
                assert isinstance(result, Logged | NotTaken)  # noqa: S101 - no others
                self._tell(each, result)
            else:
                without.append(each)
        self._tell_row()
        if without:
            known = not isinstance(error, OutcomeUnknown | NotBelieved)
            self.telling.failed(without, _word(error), str(error), known=known)


def _refused(result: NotTaken) -> Refused:
    if isinstance(result, Changed) and result.index is not None:
        return Conflict(result.index, str(result))
    return Refused(result.check, str(result))


def _word(error: ClientError) -> str:
    match error:
        case NotBelieved() | NotTaken():
            return error.check
        case OutcomeUnknown():
            return "unknown"
    return "unavailable"
