"""Asking again, where that is right, until there is an answer or the time is over.

What is not known stays not known: after an attempt that ended without an answer, a
later refusal that is not about the content does not say that the first one was not
logged. And what the log would log a second time is not given to it a second time.
"""

from __future__ import annotations

from typing import Final

from capture.believing import Believing
from capture.errors import ClientError, NotBelieved, OutcomeUnknown, Unavailable
from capture.patience import Clock, Patience, retry_after_s
from capture.problems import Trouble
from capture.wire import Answer, Lost, Question, TooLong, Wire

JSON: Final = "application/json"
_MOST_DESCRIPTION: Final = 4 << 20
_RESULTS: Final = (200, 201)


class Asking:
    """The way to one log, and what is known of it."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        believing: Believing,
        *,
        repeatable: bool | None,
    ) -> None:
        self.wire = wire
        self.clock = clock
        self.believing = believing
        self._repeatable = repeatable

    def get(self, path: str, accept: str, most: int, patience: Patience) -> Answer:
        """The answer to a GET."""
        headers = {"Accept": accept}
        return Call(self, patience, submits=False).answer(
            Question(method="GET", path=path, most=most, harmless=True, headers=headers)
        )

    def has_records(self, patience: Patience) -> bool:
        """Whether the log is one of records; by its own word, if nothing has shown it.

        A lie gains it nothing: what it answers is verified all the same.
        """
        if self.believing.records is None:
            answer = self.get("/v1/openapi.json", JSON, _MOST_DESCRIPTION, patience)
            self.believing.records = b'"/v1/lookup/record/{id}"' in answer.body
        return self.believing.records

    @property
    def harmless(self) -> bool:
        """Whether what is submitted twice is known to be logged once."""
        if self._repeatable is None:
            return self.believing.records is True
        return self._repeatable

    def may_repeat(self, patience: Patience) -> bool:
        """The same, and the log is asked what it is if nobody knows."""
        if self._repeatable is None:
            return self.has_records(patience)
        return self._repeatable


class Call:
    """One call, and all of its attempts.

    `doubt` says why it is not known whether something was logged, if it is not.
    """

    def __init__(self, asking: Asking, patience: Patience, *, submits: bool) -> None:
        self.doubt = ""
        self._asking = asking
        self._patience = patience
        self._submits = submits
        self._where = asking.wire.url
        self._says = ""
        self._attempts = 0
        self._wait_s: float | None = None

    def answer(self, question: Question) -> Answer:
        """The result that `question` is answered with, whole."""
        while True:
            answer = self.attempt(question)
            if answer is not None and not answer.cut:
                return answer
            self.pause()

    def attempt(self, question: Question) -> Answer | None:
        """Ask once: a result, perhaps cut off; None if there is none to be had yet."""
        self._where = f"{self._asking.wire.url}{question.path}"
        self._wait_s = None
        self._attempts += 1
        try:
            answer = self._asking.wire.ask(question, self._patience)
        except TooLong as error:
            raise NotBelieved(self._where, str(error), check="form") from None
        except Lost as error:
            if not error.sent:
                self._where = self._asking.wire.url  # nothing was asked for
            self.note(str(error), lost=error.sent)
            if not error.again:
                raise self._given_up() from None
            return None
        if answer.cut:
            self.note(f"its answer broke off: {answer.cut}", lost=True)
            return answer if answer.status in _RESULTS else None
        if answer.status in _RESULTS:
            return answer
        self._look(Trouble.of(answer))
        self._wait_s = retry_after_s(answer.retry_after, self._asking.clock)
        return None

    def pause(self, wait_s: float | None = None) -> None:
        """Wait before the next attempt, or raise what has to be said instead."""
        wait_s = self._wait_s if wait_s is None else wait_s
        if self.doubt and not self._may_repeat():
            raise OutcomeUnknown(
                f"{self._where}: it may or may not be logged: {self.doubt}. It was not "
                "sent again, since the log might log it twice; look whether it is "
                "there. repeatable=True says that the log keeps no repeats"
            )
        if not self._patience.pause(wait_s):
            error = self._given_up()
            error.retry_after_s = wait_s
            raise error

    def note(self, says: str, *, lost: bool) -> None:
        """Keep why there is no result; if the question is `lost`, it is in doubt."""
        self._says = says
        if lost and self._submits:
            self.doubt = says

    def _look(self, trouble: Trouble) -> None:
        """Return if the same may be accepted later."""
        self.note(trouble.says, lost=not trouble.not_logged)
        if 400 <= trouble.status < 500 and not trouble.passes:
            if self.doubt and not trouble.of_the_content:
                raise self._given_up()
            raise trouble.refused(self._where)
        if 200 <= trouble.status < 300:
            says = f"{trouble.says}, which is no result"
            raise NotBelieved(self._where, says, check="form")
        if not trouble.passes:
            raise self._given_up()

    def _may_repeat(self) -> bool:
        try:
            return self._asking.may_repeat(self._patience)
        except ClientError:
            return False

    def _given_up(self) -> Unavailable:
        tries = f"{self._attempts} attempts" if self._attempts > 1 else "1 attempt"
        last = f"{self._says} ({tries}; {self._patience.timeout_s:g} s at most)"
        if self.doubt:
            first = "" if self.doubt == self._says else f"{self.doubt}; at last, "
            return OutcomeUnknown(
                f"{self._where}: it may or may not be logged: {first}{last}. Give "
                "`submitted` again: it is logged once"
            )
        return Unavailable(f"{self._where}: {last}")
