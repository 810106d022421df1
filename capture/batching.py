"""Many at once: a request for each chunk, a verified result for each of them, in order.

What a chunk has no result for is asked for again, with the same ids: those that the
log had no room for, and all those behind the place where a connection died. A chunk
is in memory, and no more; its time begins when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from capture.asking import Asking, Call
from capture.errors import ClientError, NotBelieved, Refused
from capture.logged import Logged
from capture.patience import Patience
from capture.problems import Trouble
from capture.wire import Question
from verifier import cbor
from verifier.document import member, parse_document
from verifier.errors import MalformedError, VerificationError

PATH: Final = "/v1/records:batch"
MOST: Final = 256
MOST_BYTES: Final = 1 << 20
_LINE_BYTES: Final = 1 << 20
_RESULT_BYTES: Final = 1 << 16
"""What a result has beside its entry: a proof, a checkpoint, and many cosignatures."""

Result: TypeAlias = Logged | Refused


def chunks(
    given: Iterable[bytes | Refused], size: int
) -> Iterator[list[bytes | Refused]]:
    """What is given, cut where a request would become too large."""
    chunk: list[bytes | Refused] = []
    length = 0
    for each in given:
        more = len(each) if isinstance(each, bytes) else 0
        if chunk and (len(chunk) >= size or length + more > MOST_BYTES):
            yield chunk
            chunk, length = [], 0
        chunk.append(each)
        length += more
    if chunk:
        yield chunk


class Chunk:
    """Some of a batch, and what has become of them."""

    def __init__(
        self, given: list[bytes | Refused], asking: Asking, patience: Patience
    ) -> None:
        self._asking = asking
        self._patience = patience
        self._call = Call(asking, patience, submits=True)
        self._wait_s: float | None = None
        # What was not even sent has its result already.
        self._results: list[Result | bytes] = [*given]

    def results(self) -> Iterator[Result]:
        """A result for each, in their order; an error when one can have none."""
        try:
            while pending := self._pending():
                self._round(pending)
                if left := self._pending():
                    if len(left) < len(pending):
                        self._patience.began_anew()
                    self._call.pause(self._wait_s)
        except ClientError as error:
            yield from self._before(error)
            raise
        for each in self._results:
            assert not isinstance(each, bytes)  # noqa: S101 - none is pending
            yield each

    def _before(self, error: ClientError) -> Iterator[Result]:
        """The results up to the first that has none; the others go with `error`."""
        ready = True
        others: list[Result] = []
        for each in self._results:
            ready = ready and not isinstance(each, bytes)
            if ready and not isinstance(each, bytes):
                yield each
            elif not isinstance(each, bytes):
                others.append(each)
        error.submitted = tuple(x for x in self._results if isinstance(x, bytes))
        error.others = tuple(others)

    def _pending(self) -> list[int]:
        return [at for at, x in enumerate(self._results) if isinstance(x, bytes)]

    def _round(self, pending: list[int]) -> None:
        """Ask for those that have no result yet."""
        self._wait_s = None
        given = [x for at in pending if isinstance(x := self._results[at], bytes)]
        body = self._body(given)
        answer = self._call.attempt(
            Question(
                method="POST",
                path=PATH,
                most=2 * len(body) + _RESULT_BYTES * len(given),
                harmless=self._asking.harmless,
                headers={
                    "Content-Type": "application/cbor-seq",
                    "Accept": "application/x-ndjson",
                },
                body=body,
            )
        )
        if answer is None:
            return
        lines = answer.body.split(b"\n")
        lines.pop()  # what is behind the last newline is no result, or nothing
        if len(lines) > len(pending):
            says = "it has more results than there were records"
            raise self._not_believed(says, answer.body)
        if len(lines) < len(pending) and not answer.cut:
            self._call.note("it has fewer results than there were records", lost=True)
        for at, line, data in zip(pending, lines, given, strict=False):
            if (result := self._result(line, data)) is not None:
                self._results[at] = result

    def _body(self, given: list[bytes]) -> bytes:
        if self._asking.has_records(self._patience):
            return b"".join(given)
        return b"".join(map(cbor.encode, given))

    def _result(self, line: bytes, data: bytes) -> Result | None:
        """What a line says of `data`; None if the same may be accepted later."""
        try:
            found = parse_document(line, "a result", most=_LINE_BYTES)
            status = member(found, "status", int, "a result")
            if status in (200, 201):
                return self._asking.believing.submitted(found, data)
            if not 400 <= status < 600:
                raise MalformedError(f"a result has status {status}")
        except VerificationError as error:
            raise self._not_believed(str(error), line, error.check) from error
        return self._refusal(found, data)

    def _refusal(self, found: dict[str, Any], data: bytes) -> Refused | None:
        trouble = Trouble(status=found["status"], document=found)
        if trouble.passes:
            self._call.note(trouble.says, lost=not trouble.not_logged)
            wait_s = found.get("retry_after_s")
            if type(wait_s) is int:
                self._wait_s = max(float(wait_s), self._wait_s or 0.0)
            return None
        refused = trouble.refused(f"{self._asking.wire.url}{PATH}")
        refused.submitted = (data,)
        return refused

    def _not_believed(
        self, says: str, answer: bytes, check: str = "form"
    ) -> NotBelieved:
        where = f"{self._asking.wire.url}{PATH}"
        return NotBelieved(where, says, check=check, answer=answer)
