"""What the log says when it has no result, and what a caller can do about it.

The words may be anybody's: what is shown of them is shortened and escaped. Whether
something was logged is taken from them only where a proxy in between cannot have
meant something else by it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, Self

from capture.errors import Conflict, NotAllowed, Refused
from capture.wire import Answer
from verifier.report import escape

_SHOWN: Final = 300
_SHOWN_OF_FAULTS: Final = 8_000
"""What is wrong with a record is said whole: the log lists no more than that."""
_WORD: Final = re.compile("[a-z0-9_-]{1,64}")

_MEND: Final = {
    400: "see what it names; repeating it changes nothing",
    401: "ask who runs the log for a token; where none is needed, give none",
    403: "ask who runs the log for a token that is good for this",
    404: "is the address that of the log?",
    405: "is the address that of the log?",
    409: "what has changed is another record: give it a new id",
    413: "log what is large by its digest",
    415: "is the log one of records, or of any bytes?",
    422: "see what it names; repeating it changes nothing",
}
_LATER: Final = ("index", "unknown")
_NOT_LOGGED: Final = frozenset({408, 429, 503, 507})
_OF_THE_CONTENT: Final = frozenset({400, 409, 413, 415, 422})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An answer that is no result."""

    status: int
    document: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Read one; what is no problem document is told of by its status alone."""
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            document = None
        return cls(
            status=answer.status,
            document=document if isinstance(document, dict) else {},
        )

    @property
    def check(self) -> str:
        """The stable word; "http" where there is none that is a word."""
        check = self.document.get("check")
        return check if type(check) is str and _WORD.fullmatch(check) else "http"

    @property
    def says(self) -> str:
        """What it says, for a person."""
        words = [self.document.get(each) for each in ("title", "detail")]
        most = _SHOWN_OF_FAULTS if "faults" in self.document else _SHOWN
        said = ": ".join(_cut(each, most) for each in words if type(each) is str)
        return (
            f"it answered {self.status}"
            + (f" ({said})" if said else "")
            + (", and is followed nowhere" if 300 <= self.status < 400 else "")
        )

    @property
    def passes(self) -> bool:
        """Whether the same may be accepted later."""
        if self.check == "damaged":
            return False
        return self.status in _NOT_LOGGED or self.status >= 500

    @property
    def not_logged(self) -> bool:
        """Whether this says that nothing was logged.

        A 503 that is not the log's own may be that of a proxy, which has handed the
        submission on and then lost the log.
        """
        if self.status in (429, 507):
            return True
        ours = str(self.document.get("type", "")).startswith("/v1/problems#")
        return (ours and self.status in _NOT_LOGGED) or 300 <= self.status < 500

    @property
    def of_the_content(self) -> bool:
        """Whether it is about what was handed in: it was so each time."""
        return self.status in _OF_THE_CONTENT

    def refused(self, where: str) -> Refused:
        """The error for it."""
        mend = _MEND.get(self.status, "repeating it changes nothing")
        if self.check in _LATER:
            mend = "it may be there later"
        kind = {401: NotAllowed, 403: NotAllowed, 409: Conflict}.get(
            self.status, Refused
        )
        if self.check == "producer":
            # It is about who has signed, and not about who submits.
            kind = Refused
            mend = "ask who runs the log to register the key: provlog producer add"
        return kind(
            f"{where}: {self.says}; {mend}",
            check=self.check,
            status=self.status,
            problem=self.document,
        )


def _cut(text: str, most: int) -> str:
    return escape(text if len(text) <= most else f"{text[:most]}…")
