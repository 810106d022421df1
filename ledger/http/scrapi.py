"""SCITT's own addresses (draft-ietf-scitt-scrapi), over the same log.

What is registered is logged and proven before the answer, so that nothing is ever
pending: 201 with the receipt, never 202. What is wrong is said as RFC 9290 has it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any, Final

from aiohttp import web

from ledger.errors import Refused
from ledger.http import answering
from ledger.http.asked import Asked
from ledger.http.faces import COSE_RECEIPT, TRANSPARENT, face
from ledger.http.problems import MEANING, NOT_FOUND, PRODUCER, Problem
from ledger.http.receipts import newest_with
from ledger.http.submitting import Submitting, media_type, read_body
from ledger.log.reading import Reading
from verifier import cbor
from verifier.cosekey import cose_key, thumbprint
from verifier.keys import Algorithm, PublicKey
from verifier.receipt import Receipt

CBOR: Final = "application/cbor"
KID_PATTERN: Final = "[A-Za-z0-9_-]{43}"
"""The base64url of a thumbprint, without padding."""
_TAKEN: Final = ("application/cose", TRANSPARENT)
_KID: Final = 2
_DAY: Final = "public, max-age=3600"
_TITLES: Final = {
    "algorithm": "Bad Signature Algorithm",
    "payload": "Payload Missing",
    "producer": "Rejected",
    "form": "Rejected",
}


class Scrapi:
    """The handlers of SCITT's addresses."""

    def __init__(self, submitting: Submitting, reading: Reading) -> None:
        self._submitting = submitting
        self._reading = reading

    async def register(self, asked: Asked) -> web.Response:
        """POST /entries: register a signed statement, and get its receipt."""
        body = await read_body(asked)
        media_type(asked.header("Content-Type"), _TAKEN, "a statement")
        try:
            admitted = await self._submitting.looked_at(asked, body)
        except Refused as error:
            title = _TITLES.get(error.check)
            if title is None:
                raise
            raise Rejected(title, str(error), error.check) from None
        told = await self._submitting.answer(
            asked, admitted, COSE_RECEIPT, paid_bytes=len(body), where="/entries"
        )
        # Also for what was there before: SCITT's clients know no other success.
        told.set_status(201)
        return told

    async def receipt(self, asked: Asked) -> web.Response:
        """GET /entries/{index}: the receipt, under the newest checkpoint there is."""
        index = asked.number("index")
        found = newest_with(asked.site, index)
        if found is None:
            raise Problem(NOT_FOUND, f"there is no entry {index}", check="index")
        size, checkpoint = found
        proof = tuple(self._reading.inclusion(index, size))
        receipt = Receipt(index=index, proof=proof, checkpoint=checkpoint)
        body = face(asked, COSE_RECEIPT, receipt, self._reading.entry(index))
        return answering.answer(body, content_type=COSE_RECEIPT)

    async def keys(self, asked: Asked) -> web.Response:
        """GET /.well-known/scitt-keys: the keys that sign receipts, a COSE Key Set."""
        found = [_with_kid(each) for each in _keys(asked)]
        body = cbor.encode(found)
        return answering.answer(body, content_type=CBOR, cache=_DAY)

    async def key(self, asked: Asked) -> web.Response:
        """GET /.well-known/scitt-keys/{kid}: one of them."""
        for each in _keys(asked):
            if _name(each) == asked.path["kid"]:
                body = cbor.encode(_with_kid(each))
                return answering.answer(body, content_type=CBOR, cache=_DAY)
        raise Problem(NOT_FOUND, "No such key", check="index")


class Rejected(Problem):
    """A registration that was refused, under the title that SCRAPI has for it."""

    def __init__(self, title: str, says: str, check: str) -> None:
        kind = MEANING if check in ("form", "payload", "algorithm") else PRODUCER
        super().__init__(kind._replace(status=400, title=title), says, check=check)


def _keys(asked: Asked) -> list[PublicKey]:
    keys = [each.public_key for each in asked.site.keys]
    return [each for each in keys if each.algorithm is Algorithm.ED25519]


def _name(key: PublicKey) -> str:
    return urlsafe_b64encode(thumbprint(key)).decode().rstrip("=")


def _with_kid(key: PublicKey) -> dict[int, Any]:
    members = cbor.decode(cose_key(key))
    assert isinstance(members, dict)  # noqa: S101 - we have written it
    return {**members, _KID: thumbprint(key)}
