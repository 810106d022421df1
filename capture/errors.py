"""What can become of a call that has no result, divided by what the caller does next.

`Refused` is about what was handed in: mend it, repeating changes nothing.
`Unavailable` is about the log, or the way there: give it again later.
`OutcomeUnknown` is the one to be careful with: it may be logged. `NotBelieved` is
for a person: the log has shown what does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ClientError(Exception):
    """There is no result."""

    submitted: tuple[bytes, ...] = ()
    """What has no result, as it was sent, ids and all: give these bytes again, and
    what was logged after all keeps its index."""
    others: Sequence[object] = ()
    """Of a batch: the results of those behind the first that has none."""


class Refused(ClientError):
    """It cannot be logged, or shown, as it is; nothing was.

    `check` is a stable word, `status` that of the answer, or 0 if it was not even
    sent, and `problem` the log's whole answer (RFC 9457), if it gave one.
    """

    def __init__(
        self,
        says: str,
        *,
        check: str,
        status: int = 0,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(says)
        self.check = check
        self.status = status
        self.problem = dict(problem or {})


class Conflict(Refused):
    """The same id was logged with other bytes, at `index` if the log says where."""

    @property
    def index(self) -> int | None:
        """Where the first one stands, by the log's own word."""
        index = self.problem.get("index")
        return index if type(index) is int else None


class NotAllowed(Refused):
    """The token is missing, has ended, or is not good for this."""


class Unavailable(ClientError):
    """Nothing is known to be logged; `retry_after_s` is what the log said, if any."""

    retry_after_s: float | None = None


class OutcomeUnknown(Unavailable):
    """It may be logged, and it may not. Given again with its id it is logged once."""


class NotBelieved(ClientError):
    """What the log answered does not hold; it may be logged all the same.

    `check` is the verifier's word for what has failed. `answer` is what was
    received: it may be evidence.
    """

    def __init__(
        self, where: str, says: str, *, check: str, answer: bytes = b""
    ) -> None:
        super().__init__(
            f"{where}: its answer is not believed: {check}: {says}; keep it, and ask "
            "who runs the log"
        )
        self.check = check
        self.answer = answer
