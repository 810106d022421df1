"""A log behind an address, read as a folder is: by path, with a token if need be.

What it is told to do, it is told once: what it has not answered it may have done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from capture.patience import Clock, Patience, retry_after_s
from capture.problems import Trouble
from capture.wire import Answer, Lost, Question, TooLong, Wire
from ledger.errors import Refused
from verifier.document import parse_document
from verifier.errors import MalformedError, Unavailable

ATTEMPTS: Final = 3
PATIENCE_S: Final = 30.0
"""How long one question may take, with all its attempts."""

_CONNECT_S: Final = 10.0
_MOST_DESCRIPTION: Final = 4 << 20
_MOST_SAID: Final = 1 << 16
_MOST_DETAIL: Final = 300
_OK: Final = 200
_DONE: Final = (200, 201)
_UNKNOWN: Final = "it may have been done, and it may not; look before you try again"
_ABSENT: Final = frozenset({404, 410})


class Remote:
    """A `verifier.source.Source` over the way that submissions go.

    `absent` is what the log said when it last had nothing at a path.
    """

    parallel: ClassVar[int] = 1

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self.absent: Trouble | None = None
        self._clock = Clock()
        try:
            self._wire = Wire(
                url, token=token, ca=None, connect_s=_CONNECT_S, read_s=PATIENCE_S
            )
        except ValueError as error:
            raise Unavailable(str(error)) from None

    def __str__(self) -> str:
        return self.url

    def read(self, path: str, most: int) -> bytes | None:
        """The bytes at `path` under the address, or None if there is nothing."""
        patience = Patience(PATIENCE_S, self._clock)
        # What is said instead of a result may be longer than the result.
        question = Question(
            method="GET",
            path=f"/{path}",
            most=max(most, _MOST_SAID),
            harmless=True,
            headers={},
        )
        where, says = f"{self.url}/{path}", ""
        for attempt in range(ATTEMPTS):
            wanted_s = None
            try:
                answer = self._wire.ask(question, patience)
            except TooLong as error:
                raise MalformedError(f"{where}: {error}") from None
            except Lost as error:
                says, again = str(error), error.again
                if not error.sent:
                    where = self.url  # nothing was asked for
            else:
                trouble = Trouble.of(answer)
                if answer.status == _OK and not answer.cut:
                    return _whole(answer, most, where)
                if answer.status in _ABSENT:
                    self.absent = trouble
                    return None
                if answer.status != _OK and not trouble.passes:
                    raise trouble.refused(where)
                says, again = answer.cut or trouble.says, True
                wanted_s = retry_after_s(answer.retry_after, self._clock)
            last = attempt == ATTEMPTS - 1
            if last or not again or not patience.pause(wanted_s):
                break
        raise Unavailable(f"{where}: {says}")

    def post(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """What the log answers to `document`, when it has done what that says."""
        where = f"{self.url}/{path}"
        question = Question(
            method="POST",
            path=f"/{path}",
            most=_MOST_SAID,
            harmless=False,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=json.dumps(document).encode(),
        )
        try:
            answer = self._wire.ask(question, Patience(PATIENCE_S, self._clock))
        except TooLong as error:
            raise MalformedError(f"{where}: {error}") from None
        except Lost as error:
            if not error.sent:
                raise Unavailable(f"{self.url}: {error}") from None
            raise Unavailable(f"{where}: {_UNKNOWN}: {error}") from None
        trouble = Trouble.of(answer)
        if answer.cut:
            raise Unavailable(f"{where}: {_UNKNOWN}: {answer.cut}")
        if answer.status in _DONE:
            return parse_document(answer.body, f"what {where} said", most=_MOST_SAID)
        if trouble.passes:
            unknown = "" if trouble.not_logged else f"{_UNKNOWN}: "
            raise Unavailable(f"{where}: {unknown}{trouble.says}")
        detail = trouble.document.get("detail")
        if trouble.check == "registration" and type(detail) is str:
            # It is about what was to be done, and said as in the log's own folder.
            raise Refused(trouble.check, detail[:_MOST_DETAIL])
        raise trouble.refused(where)

    @property
    def kind(self) -> str:
        """Of which kind its entries are, by its own word."""
        description = self.read("v1/openapi.json", _MOST_DESCRIPTION) or b""
        if b'"/v1/lookup/record/{id}"' in description:
            return "record"
        return "statement" if b'"/v1/statements"' in description else "opaque"

    def close(self) -> None:
        """Close what is open."""
        self._wire.close()


def _whole(answer: Answer, most: int, where: str) -> bytes:
    if len(answer.body) > most:
        raise MalformedError(f"{where} has more than the {most} bytes it may have")
    return answer.body
