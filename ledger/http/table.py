"""All addresses of a log, as design and manual list them; OpenAPI is made from this."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from ledger.http import answering, problems
from ledger.http.asked import Asked
from ledger.http.batches import Batches
from ledger.http.entries import Entries
from ledger.http.lookups import DIGEST_PATTERN, RECORD_PATTERN, Lookups
from ledger.http.openapi import described
from ledger.http.receipts import Receipts
from ledger.http.routes import INDEX, MAX_BODY_BYTES, OPEN, READ, WRITE, Route, Table
from ledger.http.site import Site
from ledger.http.submitting import Submitting
from ledger.http.tiles import LEVEL, NUMBER, Tiles
from verifier.tile import MAX_ENTRY_BYTES

_INDEX: Final = (("index", INDEX),)
_SIZED: Final = (("index", INDEX), ("size", INDEX))


def table_of(site: Site) -> Table:
    """The routes that the log of `site` has."""
    routes = [each for each in _routes(site) if site.charter.kind in each.kinds]
    openapi = described(routes, kind=site.charter.kind, origin=site.charter.origin)

    async def description(asked: Asked) -> web.Response:
        """GET /v1/openapi.json."""
        return _page(asked, openapi, answering.JSON)

    routes.append(
        Route(
            method="GET",
            path="/v1/openapi.json",
            name="openapi",
            says="This description.",
            scope="read",
            cost=OPEN,
            handle=description,
        )
    )
    return Table(routes)


def _routes(site: Site) -> list[Route]:
    return [
        *_submits(Receipts(site.reading)),
        *_tiles(Tiles(site.reading)),
        *_entries(Entries(site.reading)),
        *_lookups(Lookups(site.reading, site.lookup)),
        Route(
            method="GET",
            path=problems.TYPES,
            name="problems",
            says="What each problem is, and what to do about it.",
            scope="read",
            cost=OPEN,
            handle=_problems,
        ),
    ]


def _submits(receipts: Receipts) -> list[Route]:
    one, many = Submitting(receipts), Batches(receipts)
    write: dict[str, Any] = {"method": "POST", "scope": "submit", "cost": WRITE}
    return [
        Route(
            path="/add",
            name="add",
            says="Log the body as one entry; the answer is its index.",
            handle=one.add,
            kinds=("opaque",),
            max_body_bytes=MAX_ENTRY_BYTES,
            **write,
        ),
        Route(
            path="/v1/records",
            name="records",
            says="Log one record, and get its receipt.",
            handle=one.record,
            kinds=("record", "opaque"),
            max_body_bytes=MAX_BODY_BYTES,
            **write,
        ),
        Route(
            path="/v1/records:batch",
            name="batch",
            says="Log a stream of records; a result for each, in their order.",
            handle=many.handle,
            kinds=("record", "opaque"),
            max_body_bytes=None,
            **write,
        ),
    ]


def _tiles(tiles: Tiles) -> list[Route]:
    read: dict[str, Any] = {"method": "GET", "scope": "audit", "cost": READ}
    return [
        Route(
            path="/checkpoint",
            name="checkpoint",
            says="The newest published checkpoint.",
            handle=tiles.checkpoint,
            **read,
        ),
        Route(
            path="/tile/{level}/{tile}",
            name="tile",
            says="A tile of hashes, full or partial.",
            handle=tiles.tile,
            patterns=(("level", LEVEL), ("tile", NUMBER)),
            **read,
        ),
        Route(
            path="/tile/entries/{tile}",
            name="entry_tile",
            says="A tile of entries, full or partial.",
            handle=tiles.tile,
            patterns=(("tile", NUMBER),),
            **read,
        ),
    ]


def _entries(entries: Entries) -> list[Route]:
    read: dict[str, Any] = {"method": "GET", "scope": "read", "cost": READ}
    return [
        Route(
            path="/v1/entries/{index}",
            name="entry",
            says="An entry: its bytes, or for people what it says.",
            handle=entries.entry,
            patterns=_INDEX,
            **read,
        ),
        Route(
            path="/v1/receipts/{index}",
            name="newest_receipt",
            says="A receipt under the newest published checkpoint.",
            handle=entries.newest_receipt,
            patterns=_INDEX,
            **read,
        ),
        Route(
            path="/v1/receipts/{index}/{size}",
            name="receipt",
            says="A receipt under a checkpoint of this size that was signed.",
            handle=entries.receipt,
            patterns=_SIZED,
            **read,
        ),
        Route(
            path="/v1/proofs/inclusion/{index}/{size}",
            name="inclusion",
            says="That an entry is in the tree of this size: bare hashes.",
            handle=entries.inclusion,
            patterns=_SIZED,
            **read,
        ),
        Route(
            path="/v1/proofs/consistency/{first}/{second}",
            name="consistency",
            says="That one tree is the beginning of another: bare hashes.",
            handle=entries.consistency,
            patterns=(("first", INDEX), ("second", INDEX)),
            **read,
        ),
    ]


def _lookups(lookups: Lookups) -> list[Route]:
    read: dict[str, Any] = {"method": "GET", "scope": "read", "cost": READ}
    return [
        Route(
            path="/v1/lookup/record/{id}",
            name="lookup_record",
            says="The entries whose record has this id.",
            handle=lookups.record,
            kinds=("record",),
            patterns=(("id", RECORD_PATTERN),),
            **read,
        ),
        Route(
            path="/v1/lookup/digest/{sha256}",
            name="lookup_digest",
            says="The entries that have these bytes, or name their digest.",
            handle=lookups.digest,
            patterns=(("sha256", DIGEST_PATTERN),),
            **read,
        ),
    ]


async def _problems(asked: Asked) -> web.Response:
    return _page(asked, problems.page().encode(), "text/markdown; charset=utf-8")


def _page(asked: Asked, body: bytes, content_type: str) -> web.Response:
    return answering.unless_known(
        asked.request,
        body,
        answering.tag_of(body),
        content_type=content_type,
        cache=answering.LOOK_AGAIN,
    )
