"""Producers over HTTP: who may sign statements, for those who ask and who decide."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from ledger.errors import Refused
from ledger.http import answering
from ledger.http.asked import Asked
from ledger.http.problems import NOT_FOUND, Problem
from ledger.http.receipts import newest_with
from ledger.http.sending import send_large
from ledger.http.submitting import media_type, read_body
from ledger.keys.registry import own_of_json
from ledger.log.reading import Reading
from verifier import cbor, entry
from verifier.document import parse_document
from verifier.errors import MalformedError
from verifier.producers.register import Register, Registered

MAX_BODY_BYTES: Final = 1 << 18


class Registration:
    """The handlers of /v1/producers."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._alone = asyncio.Semaphore(1)
        self._made: tuple[bytes, bytes] = (b"", b"")
        """The register, under the checkpoint that was newest when it was asked for."""

    async def listed(self, asked: Asked) -> web.StreamResponse:
        """GET /v1/producers: all that is entered about them, each with its proof."""
        newest = max(asked.site.registry.indexes(), default=0)
        # Or as many of them as may be shown.
        found = newest_with(asked.site, newest) or newest_with(asked.site, 0)
        if found is None:
            says = "no checkpoint is published yet that could show them"
            raise Problem(NOT_FOUND, says, check="index")
        size, checkpoint = found
        # Thousands of proofs, for a log of many producers: one at a time.
        async with self._alone:
            # Of one size there are several: one that witnesses have signed comes later.
            if self._made[0] != checkpoint:
                made = await asyncio.to_thread(self._register, asked, size, checkpoint)
                self._made = checkpoint, made
        told = answering.answer(self._made[1], content_type=answering.JSON)
        return await send_large(asked, told)

    def _register(self, asked: Asked, size: int, checkpoint: bytes) -> bytes:
        indexes = [each for each in asked.site.registry.indexes() if each < size]
        proofs = self._reading.inclusions(indexes, size) if indexes else []
        entries = tuple(
            Registered(
                index=index, entry=self._reading.entry(index), proof=tuple(proof)
            )
            for index, proof in zip(indexes, proofs, strict=True)
        )
        return Register(checkpoint=checkpoint, entries=entries).encode()

    async def change(self, asked: Asked) -> web.Response:
        """POST /v1/producers: enter what an administrator says about one."""
        media_type(asked.header("Content-Type"), (answering.JSON,), "this")
        body = await read_body(asked)
        try:
            document = parse_document(body, "the body", most=MAX_BODY_BYTES)
            own = own_of_json(document)
            size = len(cbor.encode(own))
        except MalformedError as error:
            raise Refused("form", str(error)) from None
        if size > entry.MAX_BODY_BYTES:
            # The writer would not even read it, and take us for mad.
            raise Refused("size", f"{size} bytes; enter fewer keys at a time")
        answer = await asked.site.writer.register(own)
        for refused in answer.refused.values():
            raise refused
        (index,) = answer.indexes
        return answering.document(
            {"index": index, "size": answer.head.size},
            status=201,
            headers={"Location": f"/v1/entries/{index}"},
        )
