"""All addresses of a log, as design and manual list them; OpenAPI is made from this."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from ledger.http import answering, groups, problems, signed
from ledger.http.answering import BYTES, JSON
from ledger.http.asked import Asked
from ledger.http.batches import Batches
from ledger.http.entries import RECEIPTS, Entries
from ledger.http.faces import COSE_RECEIPT, SHAPES
from ledger.http.lookups import DIGEST_PATTERN, RECORD_PATTERN, Lookups
from ledger.http.openapi import described
from ledger.http.receipts import Receipts
from ledger.http.routes import (
    MAX_BODY_BYTES,
    OPEN,
    WRITE,
    Parameter,
    Route,
    Table,
    Told,
    get,
    number,
    text,
)
from ledger.http.signed import SUBMITTED
from ledger.http.site import Site
from ledger.http.submitting import (
    CBOR_TYPES,
    INDEX,
    JSON_TYPES,
    Submitting,
)
from ledger.http.tiles import LEVEL, NUMBER, PART, Tiles
from verifier.tile import MAX_ENTRY_BYTES, MAX_LEVEL, WIDTH

_PAGE: Final = "text/markdown"
_BYTES: Final = {BYTES: "bytes"}
_RECORD: Final = dict.fromkeys((*JSON_TYPES, *CBOR_TYPES), "record")
_RECEIPT: Final = {**dict.fromkeys(RECEIPTS, "text"), **SHAPES, JSON: "receipt"}

_INDEX: Final = number("index", "The index of an entry.")
_SIZE: Final = number("size", "The size of a tree: how many entries it has.")
_DIGEST: Final = text("sha256", DIGEST_PATTERN, "A SHA-256 hash in hex.")
_RECORD_ID: Final = text("id", RECORD_PATTERN, "The id of a record.")
_FIRST: Final = number("first", "The index to look from.")
_LEVEL: Final = number("level", "0 for the leaves.", pattern=LEVEL, most=MAX_LEVEL)
_WIDTH: Final = number("width", "Of 256.", pattern=PART, least=1, most=WIDTH - 1)
_TILE: Final = Parameter(
    "tile",
    NUMBER,
    "Its number. From 1000 on it has several segments, such as x001/234.",
    {"type": "string", "pattern": "^[0-9]{3}$", "examples": ["000"]},
)
_TAGGED: Final = ("ETag",)
_PACKED: Final = ("ETag", "Vary", "Content-Encoding")


def table_of(site: Site) -> Table:
    """The routes that the log of `site` has."""
    routes: list[Route] = []
    elsewhere: list[Route] = []
    for each in _routes(site):
        (routes if site.charter.kind in each.kinds else elsewhere).append(each)

    async def description(asked: Asked) -> web.Response:
        """GET /v1/openapi.json: how it is now, for tokens may have been made since."""
        page = described(
            routes,
            kind=site.charter.kind,
            origin=site.charter.origin,
            public=site.config.reads == "public",
            open_to_all=bool(site.anybody().scopes),
        )
        return _page(asked, page, JSON)

    routes.append(
        get(
            "/v1/openapi.json",
            "openapi",
            "This description.",
            description,
            {JSON: "description"},
            cost=OPEN,
            headers=_TAGGED,
        )
    )
    return Table(routes, elsewhere)


def _routes(site: Site) -> list[Route]:
    return [
        *_submits(Receipts(site.reading), site.charter.kind),
        *signed.routes(site),
        *_tiles(Tiles(site.reading)),
        *_entries(Entries(site.reading)),
        *_lookups(Lookups(site.reading, site.lookup)),
        get(
            problems.TYPES,
            "problems",
            "What each problem is, and what to do about it.",
            _problems,
            {_PAGE: "text"},
            cost=OPEN,
            headers=_TAGGED,
        ),
    ]


def _submits(receipts: Receipts, kind: str) -> list[Route]:
    one, many = Submitting(receipts), Batches(receipts)
    many_of = "records" if kind == "record" else "entries"
    write: dict[str, Any] = {"method": "POST", "scope": "submit", "cost": WRITE}
    where = ("Location", "Preference-Applied")
    return [
        Route(
            path="/add",
            name="add",
            says="Log the body as one entry; the answer is its index.",
            handle=one.add,
            kinds=("opaque",),
            max_body_bytes=MAX_ENTRY_BYTES,
            takes=_BYTES,
            tells=(Told(says="The index.", media={INDEX: "index"}),),
            **write,
        ),
        Route(
            path="/v1/records",
            name="records",
            says="Log one record, and get its receipt.",
            handle=one.record,
            kinds=("record", "opaque"),
            max_body_bytes=MAX_BODY_BYTES,
            takes=_RECORD if kind == "record" else _BYTES,
            tells=(
                Told(says="Logged.", media=SUBMITTED, status=201, headers=where),
                Told(says="It was there before.", media=SUBMITTED, headers=where),
            ),
            asks=("Prefer",),
            **write,
        ),
        Route(
            path="/v1/records:batch",
            name="batch",
            says="Log a stream of records; a result for each, in their order. Who "
            "sends much has to read the results while sending.",
            handle=many.handle,
            kinds=("record", "opaque"),
            max_body_bytes=None,
            takes=dict.fromkeys((groups.LINES, groups.ITEMS), many_of),
            tells=(
                Told(
                    says="A line for each: a result or a problem, and its status.",
                    media={groups.LINES: "results", INDEX: "text"},
                ),
            ),
            **write,
        ),
    ]


def _tiles(tiles: Tiles) -> list[Route]:
    audit: dict[str, Any] = {"scope": "audit", "headers": _TAGGED}
    packed = audit | {"headers": _PACKED}
    return [
        get(
            "/checkpoint",
            "checkpoint",
            "The newest published checkpoint.",
            tiles.checkpoint,
            {INDEX: "text"},
            **audit,
        ),
        get(
            "/tile/{level}/{tile}",
            "tile",
            "A full tile of hashes: c2sp.org/tlog-tiles.",
            tiles.tile,
            _BYTES,
            _LEVEL,
            _TILE,
            **audit,
        ),
        get(
            "/tile/{level}/{tile}.p/{width}",
            "partial_tile",
            "The beginning of a tile of hashes.",
            tiles.tile,
            _BYTES,
            _LEVEL,
            _TILE,
            _WIDTH,
            **audit,
        ),
        get(
            "/tile/entries/{tile}",
            "entry_tile",
            "A full tile of entries.",
            tiles.tile,
            _BYTES,
            _TILE,
            **packed,
        ),
        get(
            "/tile/entries/{tile}.p/{width}",
            "partial_entry_tile",
            "The beginning of a tile of entries.",
            tiles.tile,
            _BYTES,
            _TILE,
            _WIDTH,
            **packed,
        ),
    ]


def _entries(entries: Entries) -> list[Route]:
    return [
        get(
            "/v1/entries/{index}",
            "entry",
            "An entry: its bytes, or for people what it says.",
            entries.entry,
            {BYTES: "bytes", JSON: "entry"},
            _INDEX,
            headers=("Vary",),
        ),
        get(
            "/v1/receipts/{index}",
            "newest_receipt",
            "A receipt under the newest published checkpoint.",
            entries.newest_receipt,
            _RECEIPT,
            _INDEX,
            headers=("Vary",),
        ),
        get(
            "/v1/receipts/{index}/{size}",
            "receipt",
            "A receipt under a checkpoint of this size that was signed.",
            entries.receipt,
            _RECEIPT,
            _INDEX,
            _SIZE,
            headers=("Vary",),
        ),
        get(
            "/v1/receipts/consistency/{first}/{second}",
            "growth",
            "That one tree is the beginning of another that was signed, in COSE.",
            entries.growth,
            {COSE_RECEIPT: "bytes"},
            number("first", "The size of the one."),
            number("second", "The size of the other."),
        ),
        get(
            "/v1/proofs/inclusion/{index}/{size}",
            "inclusion",
            "That an entry is in the tree of this size: bare hashes.",
            entries.inclusion,
            {JSON: "inclusion"},
            _INDEX,
            _SIZE,
        ),
        get(
            "/v1/proofs/consistency/{first}/{second}",
            "consistency",
            "That one tree is the beginning of another: bare hashes.",
            entries.consistency,
            {JSON: "consistency"},
            number("first", "The size of the one."),
            number("second", "The size of the other."),
        ),
    ]


def _lookups(lookups: Lookups) -> list[Route]:
    return [
        get(
            "/v1/lookup/record/{id}",
            "lookup_record",
            "The entries whose record has this id.",
            lookups.record,
            {JSON: "found"},
            _RECORD_ID,
            kinds=("record",),
        ),
        get(
            "/v1/lookup/record/{id}/{first}",
            "lookup_record_on",
            "The same, of the entries from one on.",
            lookups.record,
            {JSON: "found"},
            _RECORD_ID,
            _FIRST,
            kinds=("record",),
        ),
        get(
            "/v1/lookup/digest/{sha256}",
            "lookup_digest",
            "The entries that have these bytes, or name their digest.",
            lookups.digest,
            {JSON: "found"},
            _DIGEST,
        ),
        get(
            "/v1/lookup/digest/{sha256}/{first}",
            "lookup_digest_on",
            "The same, of the entries from one on.",
            lookups.digest,
            {JSON: "found"},
            _DIGEST,
            _FIRST,
        ),
    ]


async def _problems(asked: Asked) -> web.Response:
    return _page(asked, problems.page().encode(), f"{_PAGE}; charset=utf-8")


def _page(asked: Asked, body: bytes, content_type: str) -> web.Response:
    return answering.unless_known(
        asked.request,
        body,
        answering.tag_of(body),
        content_type=content_type,
        cache=answering.LOOK_AGAIN,
    )
