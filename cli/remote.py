"""A log behind an address, read as a folder is: by path, with a token if need be."""

from __future__ import annotations

from typing import ClassVar, Final

from capture.patience import Clock, Patience, retry_after_s
from capture.problems import Trouble
from capture.wire import Answer, Lost, Question, TooLong, Wire
from verifier.errors import MalformedError, Unavailable

ATTEMPTS: Final = 3
PATIENCE_S: Final = 30.0
"""How long one question may take, with all its attempts."""

_CONNECT_S: Final = 10.0
_MOST_DESCRIPTION: Final = 4 << 20
_MOST_SAID: Final = 1 << 16
_OK: Final = 200
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

    @property
    def has_records(self) -> bool:
        """Whether it is a log of records, by its own word."""
        description = self.read("v1/openapi.json", _MOST_DESCRIPTION) or b""
        return b'"/v1/lookup/record/{id}"' in description

    def close(self) -> None:
        """Close what is open."""
        self._wire.close()


def _whole(answer: Answer, most: int, where: str) -> bytes:
    if len(answer.body) > most:
        raise MalformedError(f"{where} has more than the {most} bytes it may have")
    return answer.body
