"""Single entries, their receipts, and bare proofs."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from ledger.errors import WrongBytes
from ledger.http import answering
from ledger.http.accept import choose
from ledger.http.asked import Asked
from ledger.http.faces import COSE_RECEIPT, FACES, PROOF, face
from ledger.http.problems import NOT_FOUND, Problem
from ledger.http.sending import send_large
from ledger.http.tiles import shared
from ledger.log.reading import Reading
from verifier.entry import LOG, Entry
from verifier.errors import MalformedError
from verifier.note import Note
from verifier.own import in_json, parse_own
from verifier.receipt import Receipt
from verifier.receipt.cose import encode_consistency
from verifier.receipt.line import find_line
from verifier.record import MEDIA_TYPE, parse_record
from verifier.spelling import base64_text
from verifier.statement import Statement, check_bare, is_statement
from verifier.statement.telling import told

_PLAIN: Final = "text/plain"
RECEIPTS: Final = (_PLAIN, *FACES, answering.JSON)


class Entries:
    """The handlers of what is asked for by index."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def entry(self, asked: Asked) -> web.StreamResponse:
        """GET /v1/entries/{index}: its bytes, or for a person what they say."""
        wanted = choose(asked.header("Accept"), (answering.BYTES, answering.JSON))
        index = asked.number("index")
        entry = self._reading.entry(index)
        if wanted == answering.JSON:
            value = explained(index, entry, asked.site.charter.kind)
            told = answering.document(value, headers={"Vary": "Accept"})
            return await send_large(asked, told)
        return answering.answer(
            entry,
            content_type=answering.BYTES,
            headers={
                "Vary": "Accept",
                # A browser never shows it as a page, whatever somebody has logged.
                "Content-Disposition": f'attachment; filename="entry-{index}"',
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    async def newest_receipt(self, asked: Asked) -> web.StreamResponse:
        """GET /v1/receipts/{index}: under the newest published checkpoint."""
        index, published = asked.number("index"), asked.site.writer.published
        if published is None or index >= published.size:
            says = f"no published checkpoint has entry {index} in it yet"
            raise Problem(NOT_FOUND, says, check="index")
        told = self._receipt(asked, index, published.size, published.note)
        return await send_large(asked, told)

    async def receipt(self, asked: Asked) -> web.StreamResponse:
        """GET /v1/receipts/{index}/{size}: under a checkpoint that was signed."""
        index, size = asked.number("index"), asked.number("size")
        checkpoint = self._checkpoint(asked, size)
        if checkpoint is None or index >= size:
            says = f"no checkpoint of size {size} with entry {index} in it is known"
            raise Problem(NOT_FOUND, says, check="index")
        return await send_large(asked, self._receipt(asked, index, size, checkpoint))

    async def growth(self, asked: Asked) -> web.Response:
        """GET /v1/receipts/consistency/{first}/{second}: that it only grew, in COSE."""
        first, second = asked.number("first"), asked.number("second")
        checkpoint = self._checkpoint(asked, second)
        line = checkpoint and find_line(Note.parse(checkpoint), asked.site.keys)
        if not line or not 0 < first <= second:
            says = f"no checkpoint of size {second} is known that shows it"
            raise Problem(NOT_FOUND, says, check="index")
        made = encode_consistency(
            protected=line.protected,
            signature=line.signature,
            first=first,
            second=second,
            hashes=self._reading.consistency(first, second),
        )
        return answering.answer(made, content_type=COSE_RECEIPT)

    def _checkpoint(self, asked: Asked, size: int) -> bytes | None:
        """The checkpoint that was signed for this size, if it may be given out."""
        writer = asked.site.writer
        published = writer.published
        if published and published.size == size:
            return published.note
        return None if size > self._most(asked) else writer.checkpoint_of(size)

    def _most(self, asked: Asked) -> int:
        """Up to which size signed checkpoints are given out.

        Where a submission waits until somebody outside has its tree, no signature of
        a larger one may get around that.
        """
        writer = asked.site.writer
        if asked.site.config.ack == "committed":
            return writer.head.size
        return writer.published.size if writer.published else 0

    async def inclusion(self, asked: Asked) -> web.Response:
        """GET /v1/proofs/inclusion/{index}/{size}: the bare proof."""
        index, size = asked.number("index"), asked.number("size")
        proof = self._reading.inclusion(index, size)
        return _proof(asked, proof, index=index, size=size)

    async def consistency(self, asked: Asked) -> web.Response:
        """GET /v1/proofs/consistency/{first}/{second}: the bare proof."""
        first, second = asked.number("first"), asked.number("second")
        if first == 0 and second <= asked.site.writer.head.size:
            return _proof(asked, [], first=first, second=second)
        proof = self._reading.consistency(first, second)
        return _proof(asked, proof, first=first, second=second)

    def _receipt(
        self, asked: Asked, index: int, size: int, checkpoint: bytes
    ) -> web.Response:
        wanted = choose(asked.header("Accept"), RECEIPTS)
        proof = tuple(self._reading.inclusion(index, size))
        receipt = Receipt(index=index, proof=proof, checkpoint=checkpoint)
        headers = {"Vary": "Accept"}
        if wanted in (_PLAIN, PROOF):
            type_ = f"{wanted}; charset=utf-8"
            return answering.answer(
                receipt.encode(), content_type=type_, headers=headers
            )
        entry = self._reading.entry(index)
        if wanted in FACES:
            body = face(asked, wanted, receipt, entry)
            return answering.answer(body, content_type=wanted, headers=headers)
        value = {
            "index": index,
            "size": size,
            "entry": base64_text(entry),
            "receipt": receipt.encode().decode(),
        }
        return answering.document(value, headers=headers)


def explained(index: int, data: bytes, kind: str) -> dict[str, Any]:
    """What an entry says, as far as it is not just bytes."""
    plain = {"index": index, "entry": base64_text(data)}
    if kind == "opaque":
        return plain
    try:
        if kind == "statement":
            return plain | {"statement": told(check_bare(data))}
        entry = Entry.parse(data)
        said = {"at": entry.at, "by": entry.by, "type": entry.type}
        if entry.by == LOG:
            return plain | said | {"own": in_json(parse_own(entry))}
        if entry.type == MEDIA_TYPE:
            return plain | said | {"record": parse_record(entry.body)}
        if is_statement(entry.type):
            statement = Statement.parse(entry.body)
            return plain | said | {"statement": told(statement)}
    except MalformedError as error:
        where = f"entry {index}"
        raise WrongBytes(where, f"it is no entry of a {kind} log: {error}") from None
    return plain | said


def _proof(asked: Asked, proof: list[bytes], **said: int) -> web.Response:
    """A bare proof: all that decides it is in the path, so it is kept for ever."""
    value = {**said, "proof": [base64_text(each) for each in proof]}
    return answering.document(value, cache=shared(asked, answering.IMMUTABLE))
