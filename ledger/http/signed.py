"""The addresses of what is signed by its maker: statements, SCITT's, producers."""

from __future__ import annotations

from typing import Final

from ledger.http.answering import JSON
from ledger.http.faces import COSE_RECEIPT, SHAPES
from ledger.http.producers import MAX_BODY_BYTES as MAX_PRODUCER_BYTES
from ledger.http.producers import Registration
from ledger.http.receipts import Receipts
from ledger.http.routes import OPEN, WRITE, Route, Told, get, number, text
from ledger.http.scrapi import CBOR, KID_PATTERN, Scrapi
from ledger.http.site import Site
from ledger.http.submitting import INDEX, STATEMENT_TYPES, Submitting

SUBMITTED: Final = {JSON: "result", **SHAPES, INDEX: "index"}
"""What somebody may get who has submitted something."""
MAX_STATEMENT_BYTES: Final = 1 << 18
"""One that comes with receipts, or with certificates, is larger than what is logged."""

_STATEMENT: Final = dict.fromkeys(STATEMENT_TYPES, "bytes")
_INDEX: Final = number("index", "The index of an entry.")
_KID: Final = text("kid", KID_PATTERN, "The thumbprint of a key: RFC 9679, base64url.")


def routes(site: Site) -> list[Route]:
    """All of them."""
    one = Submitting(Receipts(site.reading))
    return [
        _statements(one),
        *_scitt(Scrapi(one, site.reading)),
        *_producers(Registration(site.reading)),
    ]


def _statements(one: Submitting) -> Route:
    where = ("Location", "Preference-Applied")
    return Route(
        method="POST",
        path="/v1/statements",
        name="statements",
        says="Log what a registered producer has signed: COSE_Sign1, or DSSE.",
        scope="submit",
        cost=WRITE,
        handle=one.statement,
        kinds=("record", "statement"),
        max_body_bytes=MAX_STATEMENT_BYTES,
        takes=_STATEMENT,
        tells=(
            Told(says="Logged.", media=SUBMITTED, status=201, headers=where),
            Told(says="It was there before.", media=SUBMITTED, headers=where),
        ),
        asks=("Prefer",),
    )


def _scitt(scrapi: Scrapi) -> list[Route]:
    receipt = {COSE_RECEIPT: "bytes"}
    return [
        Route(
            method="POST",
            path="/entries",
            name="scitt_register",
            says="Register a signed statement (SCITT), and get its receipt.",
            scope="submit",
            cost=WRITE,
            handle=scrapi.register,
            kinds=("statement",),
            max_body_bytes=MAX_STATEMENT_BYTES,
            takes={"application/cose": "bytes"},
            tells=(
                Told(
                    says="Registered, now or before.",
                    media=receipt,
                    status=201,
                    headers=("Location",),
                ),
            ),
            concise=True,
        ),
        get(
            "/entries/{index}",
            "scitt_receipt",
            "The receipt of a registered statement.",
            scrapi.receipt,
            receipt,
            _INDEX,
            kinds=("statement",),
            concise=True,
        ),
        get(
            "/.well-known/scitt-keys",
            "scitt_keys",
            "The keys that sign COSE receipts: a COSE Key Set.",
            scrapi.keys,
            {CBOR: "bytes"},
            cost=OPEN,
            concise=True,
        ),
        get(
            "/.well-known/scitt-keys/{kid}",
            "scitt_key",
            "One of these keys, by its thumbprint.",
            scrapi.key,
            {CBOR: "bytes"},
            _KID,
            cost=OPEN,
            concise=True,
        ),
    ]


def _producers(registration: Registration) -> list[Route]:
    kinds = ("record", "statement")
    return [
        get(
            "/v1/producers",
            "producers",
            "All that is entered about those who may sign, each with its proof.",
            registration.listed,
            {JSON: "register"},
            kinds=kinds,
        ),
        Route(
            method="POST",
            path="/v1/producers",
            name="register",
            says="Enter that a producer is added, has other keys, or has lost one.",
            scope="admin",
            cost=WRITE,
            handle=registration.change,
            kinds=kinds,
            max_body_bytes=MAX_PRODUCER_BYTES,
            takes={JSON: "producer"},
            tells=(
                Told(
                    says="Entered.",
                    media={JSON: "registered"},
                    status=201,
                    headers=("Location",),
                ),
            ),
        ),
    ]
