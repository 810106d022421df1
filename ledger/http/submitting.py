"""Submitting: one record, or in an opaque log any bytes, and the receipt for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiohttp import web

from ledger.errors import Halted, Held, Refused, Unavailable
from ledger.http import answering, bodies
from ledger.http.accept import choose
from ledger.http.asked import Asked
from ledger.http.entrance import pay
from ledger.http.faces import FACES, PROOF, TRANSPARENT, face
from ledger.http.problems import MEANING, MEDIA, NOT_ACCEPTABLE, UNKNOWN, Problem
from ledger.http.receipts import Receipts
from ledger.http.site import Site
from ledger.log.forms import is_json, record_in
from ledger.log.pool import Admitted, Answer
from ledger.metrics import FLAGGED, SUBMITTED
from ledger.schema.demands import Demands
from ledger.schema.faults import Fault
from verifier import cbor
from verifier.cose import PREFIX as COSE_PREFIX
from verifier.entry import MAX_BODY_BYTES, prefix_of
from verifier.errors import MalformedError
from verifier.receipt import Receipt
from verifier.record import MEDIA_TYPE as RECORD
from verifier.record import parse_record_json
from verifier.spelling import base64_text
from verifier.statement import DSSE

INDEX: Final = "text/plain"
OFFERED: Final = (answering.JSON, *FACES, INDEX)
JSON_TYPES: Final = ("application/json", "application/vnd.provlog.record+json")
CBOR_TYPES: Final = ("application/cbor", RECORD)
STATEMENT_TYPES: Final = (
    "application/cose",
    TRANSPARENT,
    DSSE,
    "application/json",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json",
)


class Submitting:
    """The handlers of submissions; they share the making of receipts."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts
        self._looking = asyncio.Semaphore(1)

    async def add(self, asked: Asked) -> web.Response:
        """POST /add: the body is the entry, the answer its index in bare digits."""
        data = await read_body(asked)
        admitted = asked.site.admission.admit(data, by=asked.caller.by)
        answer = await _logged(asked, admitted, paid_bytes=len(data))
        index = _index(answer)
        await published_over(asked, index + 1, asked.wait_s(), index)
        return answering.answer(str(index).encode(), content_type=answering.TEXT)

    async def record(self, asked: Asked) -> web.Response:
        """POST /v1/records: one record, or in an opaque log one entry."""
        wanted = choose(asked.header("Accept"), OFFERED)
        data = body = await read_body(asked)
        if asked.site.charter.kind == "record":
            demands = asked.site.admission.demands
            data = read_record(body, asked.header("Content-Type"), demands)
        try:
            admitted = asked.site.admission.admit(data, by=asked.caller.by)
        except Refused as error:
            raise as_problem(error, data) from None
        return await self.answer(asked, admitted, wanted, paid_bytes=len(body))

    async def statement(self, asked: Asked) -> web.Response:
        """POST /v1/statements: something signed by its producer."""
        wanted = choose(asked.header("Accept"), OFFERED)
        body = await read_body(asked)
        media_type(asked.header("Content-Type"), STATEMENT_TYPES, "a statement")
        if wanted == TRANSPARENT and not body.startswith(COSE_PREFIX):
            says = "only a COSE_Sign1 can carry its receipt; ask for another form"
            raise Problem(NOT_ACCEPTABLE, says)
        try:
            admitted = await self.looked_at(asked, body)
        except Refused as error:
            if error.check == "form":
                raise Problem(MEANING, str(error), check="form") from None
            raise
        return await self.answer(asked, admitted, wanted, paid_bytes=len(body))

    async def looked_at(self, asked: Asked, body: bytes) -> Admitted:
        """Admit a statement, beside the loop, one at a time.

        One that names no key, or brings a chain of certificates, takes as long as
        thousands of reads; and those wait for nobody.
        """
        admit = asked.site.admission.admit_statement
        async with self._looking:
            return await asyncio.to_thread(admit, body, by=asked.caller.by)

    async def answer(
        self,
        asked: Asked,
        admitted: Admitted,
        wanted: str,
        *,
        paid_bytes: int,
        where: str = "/v1/entries",
    ) -> web.Response:
        """Have it logged, and answer with the receipt in the form that is `wanted`."""
        answer = await _logged(asked, admitted, paid_bytes=paid_bytes)
        index = _index(answer)
        status, repeated = (200, True) if answer.repeated else (201, False)
        if admitted.flags and not repeated:
            asked.site.counts.add(FLAGGED)
        headers = {"Location": f"{where}/{index}"}
        size, checkpoint = answer.head.size, answer.checkpoint
        wait_s = asked.wait_s()
        if published := await published_over(asked, index + 1, wait_s, index=index):
            size, checkpoint = published
            if wait_s:
                headers["Preference-Applied"] = f"wait={wait_s}"
        if wanted == INDEX:
            return _told(str(index).encode(), answering.TEXT, status, headers)
        (receipt,) = await self._receipts.made([index], size, checkpoint)
        entry = entry_of(asked, admitted, index, answer, repeated=repeated)
        if wanted in FACES:
            type_ = f"{PROOF}; charset=utf-8" if wanted == PROOF else wanted
            body = face(asked, wanted, receipt, entry)
            return _told(body, type_, status, headers)
        return answering.document(
            result(
                index,
                size,
                entry,
                receipt,
                repeated=repeated,
                witnessed=asked.site.config.ack == "witnessed",
                flags=admitted.flags,
            ),
            status=status,
            headers=headers,
        )


def result(
    index: int,
    size: int,
    entry: bytes,
    receipt: Receipt,
    *,
    repeated: bool,
    witnessed: bool,
    flags: Sequence[Fault] = (),
) -> dict[str, object]:
    """What somebody gets who submitted, as JSON.

    `witnessed` where the answer has waited for the quorum of the log's policy; `flags`
    are what a profile would have liked to see.
    """
    flagged = {"flags": [each._asdict() for each in flags]} if flags else {}
    return {
        "index": index,
        "size": size,
        "repeated": repeated,
        "witnessed": witnessed,
        "entry": base64_text(entry),
        "receipt": receipt.encode().decode(),
        **flagged,
    }


def read_record(data: bytes, content_type: str | None, demands: Demands) -> bytes:
    """The record in a body, as its media type says; without one, as it looks."""
    name = media_type(content_type, (*JSON_TYPES, *CBOR_TYPES), "a record")
    if name in CBOR_TYPES and is_json(data):
        raise Refused("form", f"it is JSON, and was sent as {name}")
    try:
        record = record_in(data, by_line=False, demands=demands)
    except Refused as error:
        raise as_problem(error, data) from None
    if name in JSON_TYPES and record is data:
        raise Refused("form", f"it is no JSON, and was sent as {name}")
    return record


def media_type(content_type: str | None, taken: Sequence[str], what: str) -> str:
    """The type of a body, without parameters, if it is one of `taken`; "" if unsaid."""
    name = (content_type or "").partition(";")[0].strip().lower()
    if name and name not in taken:
        says = f"{what} is one of {', '.join(taken)}, and not {name[:60]!a}"
        raise Problem(MEDIA, says)
    return name


def as_problem(error: Refused, data: bytes) -> Exception:
    """422 for what can be read and is no record; what cannot be read stays 400."""
    if error.check != "form":
        return error
    if _is_too_large(data):
        return Refused("size", str(error))
    if is_json(data, whole=True) or _is_cbor(data):
        return Problem(MEANING, str(error), check="form")
    return error


def _is_too_large(data: bytes) -> bool:
    """Whether it is a record, in JSON, of more bytes than one may have."""
    try:
        return len(cbor.encode(parse_record_json(data))) > MAX_BODY_BYTES
    except MalformedError:
        return False


def _is_cbor(data: bytes) -> bool:
    """Whether it is a CBOR map in its one encoding, whatever it says."""
    try:
        return isinstance(cbor.decode(data), dict)
    except MalformedError:
        return False


def entry_of(
    asked: Asked, admitted: Admitted, index: int, answer: Answer, *, repeated: bool
) -> bytes:
    """The entry as it stands in the log: who has it needs nothing else of ours."""
    if repeated:
        return asked.site.reading.entry(index)
    if asked.site.charter.kind != "record":
        return admitted.data
    return prefix_of(answer.head.at) + admitted.data


async def read_body(asked: Asked) -> bytes:
    """The body of one submission, paid for before it is looked at."""
    site, most = asked.site, asked.route.max_body_bytes or 0
    length = asked.request.content_length
    # Refused ones cost as well: else refusals would be a way to keep us busy.
    pay(site, asked.payer, entries=1, bytes_=length or 0)
    await bodies.invite(asked.request)
    try:
        held = most if length is None else length
        with site.memory.holding(held, holder_of(asked.payer)):
            data = await bodies.read(
                asked.request, most=most, within_s=site.config.body_timeout_s
            )
    except Unavailable:
        site.budgets.refund(asked.payer, entries=1, bytes_=length or 0, requests=1)
        raise
    if length is None:
        pay(site, asked.payer, bytes_=len(data))
    return data


def holder_of(payer: str) -> str:
    """In whose share bodies count: apart from large answers, which take longer."""
    return f"bodies of {payer}"


async def _logged(asked: Asked, admitted: Admitted, *, paid_bytes: int) -> Answer:
    """Have it logged; what was refused is raised."""
    site = asked.site
    outcome: Answer | Exception
    try:
        with site.memory.holding(len(admitted.data), holder_of(asked.payer)):
            outcome = await site.writer.hand_in([admitted])
    except (Unavailable, Held, Halted) as error:
        outcome = error
    return settled(site, asked.payer, outcome, paid_bytes=paid_bytes)


def settled(
    site: Site, payer: str, outcome: Answer | Exception, *, paid_bytes: int
) -> Answer:
    """The answer to one submission, which is counted; what was refused is raised."""
    if isinstance(outcome, Exception):
        if isinstance(outcome, Unavailable | Held | Halted):
            # What fails because of us does not use up anybody's share.
            site.budgets.refund(payer, entries=1, bytes_=paid_bytes)
        raise outcome
    for error in outcome.refused.values():
        site.counts.add(SUBMITTED, 1, "refused")
        raise error
    site.counts.add(SUBMITTED, 1, "repeated" if outcome.repeated else "new")
    return outcome


async def published_over(
    asked: Asked, size: int, wait_s: int, index: int | None = None
) -> tuple[int, bytes] | None:
    """The published checkpoint of at least `size` entries, if somebody waits for it.

    `index` is told where there is none in time, though it is logged.
    """
    site = asked.site
    must, witnessed = site.config.ack != "committed", site.config.ack == "witnessed"
    if not must and not wait_s:
        return None
    with suppress(TimeoutError):
        # Where it must be published, a wish to wait less would only hide the index.
        async with asyncio.timeout(site.config.answer_timeout_s if must else wait_s):
            published = await site.writer.until_published(size, witnessed=witnessed)
        return published.size, published.note
    if must:
        says = (
            f"it is logged, and not in a {'witnessed' if witnessed else 'published'} "
        )
        says += f"checkpoint of {size} entries yet"
        problem = Problem(UNKNOWN, says, check="outcome_unknown")
        if index is not None:
            problem.document["index"] = index
        raise problem
    return None


def _index(answer: Answer) -> int:
    (index,) = answer.indexes
    assert index is not None  # noqa: S101 - what is refused was raised
    return index


def _told(
    body: bytes, content_type: str, status: int, headers: dict[str, str]
) -> web.Response:
    return answering.answer(
        body, content_type=content_type, status=status, headers=headers
    )
