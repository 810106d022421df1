"""The client: one line that logs, and does not return before it has verified.

    receipt = Client(url, token, policy).submit(record)

A record without an id gets one, so that it can be given again, whatever happens on
the way: the log knows it by its id and logs it once. Any number of threads may use
one client; after a fork, the child opens connections of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, Self

from capture.asking import JSON, Asking, Call
from capture.batching import MOST, Chunk, Result, chunks
from capture.believing import Believing, policy_of
from capture.errors import ClientError, NotBelieved, Refused, Unavailable
from capture.ids import IDS
from capture.logged import Logged
from capture.patience import Clock, Patience
from capture.whole import MOST as MOST_ODD
from capture.whole import odd_in
from capture.wire import Answer, Question, Wire
from verifier import note
from verifier.bundle import MAX_BYTES as MAX_BUNDLE_BYTES
from verifier.bundle import Bundle
from verifier.document import parse_document
from verifier.errors import MalformedError, VerificationError
from verifier.policy import Policy
from verifier.receipt import Receipt
from verifier.record import MEDIA_TYPE, encode_record, parse_record
from verifier.spelling import MAX_SIZE
from verifier.statement import Statement
from verifier.statement.envelope import MEDIA_TYPE as DSSE
from verifier.tile import MAX_ENTRY_BYTES
from verifier.trust import TrustedCheckpoint

_MOST: Final = 1 << 20
_COSE: Final = "application/cose"
_BUNDLE: Final = "application/vnd.provlog.bundle+json"
_UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256: Final = re.compile("[0-9a-f]{64}")


class Client:
    """Submits to the log at `url`, and believes what `policy` allows.

    `policy` is a verifier.Policy, the bytes of one, or the path of its file. `ca` is
    a file of certificates to trust instead of the system's. No call takes longer than
    `timeout_s`, but for the time in which a name is resolved: nobody can bound it.

    `repeatable` says whether the log knows again what it is given twice: None, it is
    so if it is a log of records; True is for one of bytes made with --dedupe.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        policy: Policy | str | os.PathLike[str] | bytes,
        *,
        ca: str | None = None,
        timeout_s: float = 30.0,
        connect_s: float = 5.0,
        read_s: float = 15.0,
        repeatable: bool | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._timeout_s = timeout_s
        self._believing = Believing(policy_of(policy))
        self._wire = Wire(url, token=token, ca=ca, connect_s=connect_s, read_s=read_s)
        self._asking = Asking(
            self._wire, self._clock, self._believing, repeatable=repeatable
        )
        # In every log that takes statements one is known again by its bytes.
        self._stating = Asking(
            self._wire, self._clock, self._believing, repeatable=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._wire.close()

    def submit(self, record: Mapping[str, Any] | bytes) -> Logged:
        """Log one record, or in a log of bytes these, and return when it is verified.

        Raises Refused, Unavailable, OutcomeUnknown or NotBelieved; what was to be
        logged is in `submitted` of each of them.
        """
        data = _encoded(record)
        asking, kind = self._asking, "application/cbor"
        with self._submitting(data):
            answer = self._posted("/v1/records", kind, data, asking)
            return self._logged("/v1/records", answer, data, MEDIA_TYPE)

    def store(self, record: Mapping[str, Any]) -> Logged:
        """Log what a Recorder has made, or any record: as `submit` does."""
        return self.submit(record)

    def submit_statement(self, data: bytes) -> Logged:
        """Log what somebody has signed: a COSE_Sign1, a DSSE or a Sigstore bundle.

        Raises what `submit` does; Refused with `check` "producer" where the log knows
        nobody who has signed it. What is in the unprotected header of a COSE_Sign1 is
        not sent, for it is not logged.
        """
        if not isinstance(data, bytes):
            raise TypeError(
                "a statement is given as its bytes, and not as "
                f"{type(data).__name__}; of a file: Path(name).read_bytes()"
            )
        try:
            statement = Statement.parse(data)
        except MalformedError as error:
            refused = Refused(f"it was not sent: {error}", check="form")
            refused.submitted = (data,)
            raise refused from None
        path, kind = "/v1/statements", _COSE if statement.message else DSSE
        with self._submitting(data):
            answer = self._posted(path, kind, statement.content, self._stating)
            return self._logged(path, answer, statement.content, statement.media_type)

    def submit_batch(
        self, records: Iterable[Mapping[str, Any] | bytes], *, size: int = MOST
    ) -> Iterator[Result]:
        """Log many; yields what has become of each, in their order.

        A Refused is yielded and not raised: the others are logged. An error that is
        raised has in `submitted` those of its chunk that have no result, and in
        `others` the results behind the first of them. The time of a call is that of
        a chunk here; `records` is read as they are sent.
        """
        if not 1 <= size <= MOST:
            raise ValueError(f"size is from 1 to {MOST}, and not {size}")
        for chunk in chunks(map(self._item, records), size):
            yield from Chunk(chunk, self._asking, self._patience()).results()

    def get(self, index: int) -> Logged:
        """The entry at `index`, with a receipt under the newest published checkpoint.

        Refused, with status 404, while no published checkpoint has it in it.
        """
        return self._get(index, self._patience())

    def receipt(self, index: int) -> Receipt:
        """The receipt alone."""
        return self.get(index).receipt

    def wait_published(self, index: int, within_s: float) -> Logged:
        """The same as `get`, as soon as it can be had, or else Unavailable.

        Where the policy asks for witnesses, it is waited until they have cosigned.
        """
        patience = Patience(within_s, self._clock)
        while True:
            try:
                logged = self._get(index, patience)
            except Refused as error:
                if error.status != 404 or error.check != "index":
                    raise
                missing = "is in no published checkpoint"
            else:
                if logged.witnessed or not self._believing.policy.asks_witnesses:
                    return logged
                missing = "is not cosigned by the witnesses that the policy asks for"
            if not patience.pause(None):
                raise Unavailable(
                    f"{self._wire.url}: entry {index} {missing} ({within_s:g} s)"
                )

    def checkpoint(self) -> TrustedCheckpoint:
        """The newest published checkpoint; `cosigned` says who has witnessed it."""
        answer = self._read("/checkpoint", "text/plain", note.MAX_BYTES)
        with self._believed("/checkpoint", answer):
            return self._believing.checkpoint(answer.body)[0]

    def lookup_record(self, id_: str) -> tuple[int, ...]:
        """Where the record with this id may be: `get` shows what is there."""
        if not _UUID.fullmatch(id_):
            raise ValueError("an id is a UUID in lower case")
        return self._lookup(f"/v1/lookup/record/{id_}")

    def lookup_digest(self, sha256: str) -> tuple[int, ...]:
        """Where an entry may be that has, or names, the bytes with this digest."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError("a digest is 64 hex digits in lower case")
        return self._lookup(f"/v1/lookup/digest/{sha256}")

    @contextmanager
    def _submitting(self, data: bytes) -> Iterator[None]:
        """Let whoever gets an error have what has no result."""
        try:
            yield
        except ClientError as error:
            error.submitted = (data,)
            raise

    def _posted(self, path: str, kind: str, data: bytes, asking: Asking) -> Answer:
        """The answer to `data`, which is to be logged."""
        return Call(asking, self._patience(), submits=True).answer(
            Question(
                method="POST",
                path=path,
                most=_MOST,
                harmless=asking.harmless,
                headers={"Content-Type": kind, "Accept": JSON},
                body=data,
            )
        )

    def _logged(self, path: str, answer: Answer, data: bytes, type_: str) -> Logged:
        """What has been logged, if it is `data`, of this type."""
        with self._believed(path, answer):
            result = parse_document(answer.body, "the result", most=_MOST)
            return self._believing.submitted(result, data, type_)

    def _patience(self) -> Patience:
        return Patience(self._timeout_s, self._clock)

    def _read(
        self, path: str, accept: str, most: int, patience: Patience | None = None
    ) -> Answer:
        return self._asking.get(path, accept, most, patience or self._patience())

    def _get(self, index: int, patience: Patience) -> Logged:
        if type(index) is not int or not 0 <= index <= MAX_SIZE:
            raise ValueError(f"an index is a number from 0 to {MAX_SIZE}")
        path = f"/v1/receipts/{index}"
        records = self._asking.has_records(patience)
        answer = self._read(path, _BUNDLE, MAX_BUNDLE_BYTES, patience)
        with self._believed(path, answer):
            bundle = Bundle.parse(answer.body)
            if bundle.receipt.index != index:
                raise MalformedError(f"it is for entry {bundle.receipt.index}")
            return self._believing.shown(bundle.entry, bundle.receipt, records=records)

    def _item(self, record: Mapping[str, Any] | bytes) -> bytes | Refused:
        """One of a batch as it is sent, or why it is not."""
        try:
            data = _encoded(record)
            if isinstance(record, bytes) and self._asking.has_records(self._patience()):
                # Bytes that are no record, or are two, would move all that follow.
                parse_record(data)
        except MalformedError as error:
            refused = Refused(f"it was not sent: {error}; mend it", check="form")
            refused.submitted = (record,) if isinstance(record, bytes) else ()
            return refused
        except Refused as error:
            return error
        return data

    def _lookup(self, path: str) -> tuple[int, ...]:
        try:
            answer = self._read(path, JSON, _MOST)
        except Refused as error:
            if error.check == "unknown":
                return ()
            raise
        with self._believed(path, answer):
            found = parse_document(answer.body, "the answer", most=_MOST)
            match found.get("indexes"):
                case [*indexes] if all(type(each) is int for each in indexes):
                    return tuple(indexes)
            raise MalformedError("the answer has no list of indexes")

    @contextmanager
    def _believed(self, path: str, answer: Answer) -> Iterator[None]:
        """Say of what does not hold where it came from, and keep it."""
        try:
            yield
        except VerificationError as error:
            where = f"{self._wire.url}{path}"
            raise NotBelieved(
                where, str(error), check=error.check, answer=answer.body
            ) from error


def _encoded(record: Mapping[str, Any] | bytes) -> bytes:
    """What is sent: a record in its canonical form, with an id; or bytes as given."""
    if isinstance(record, bytes):
        if len(record) > MAX_ENTRY_BYTES:
            raise Refused(
                f"{len(record)} bytes, and an entry has at most {MAX_ENTRY_BYTES}; log "
                "what is large by its digest",
                check="size",
            )
        return record
    if not isinstance(record, Mapping):
        raise TypeError(f"a record is a mapping or bytes, not {type(record).__name__}")
    if odd := [*islice(odd_in(record), MOST_ODD)]:
        says = f"it was not sent: {'; '.join(odd)}"
        raise Refused(says, check="form")
    try:
        return encode_record({"id": IDS.new(), **record})
    except MalformedError as error:
        says = f"it was not sent: {error}; mend the record"
        raise Refused(says, check="form") from None
