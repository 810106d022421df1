"""The OpenAPI description, made from the routes: there is no second one to keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from ledger.http.problems import CONCISE, KINDS, MEDIA_TYPE
from ledger.http.routes import OPEN, READ, WRITE, Route, Told
from ledger.http.shapes import ASKED, HEADERS, NOT_ALWAYS, SCHEMAS

VERSION: Final = "3.1.0"
_SAYS: Final = (
    "Every address has one spelling and takes no query. What takes GET takes HEAD, "
    "what is answered may be read by any web page. docs/api.md says more."
)
_BEARER: Final = "bearer"
_MORE: Final = {401: ["WWW-Authenticate"], 405: ["Allow"]}
_ON_WRITE: Final = (408, 413, 507)


def described(
    routes: Sequence[Route], *, kind: str, origin: str, public: bool, open_to_all: bool
) -> bytes:
    """The description of these routes, as JSON.

    `public` says that reading needs no token, `open_to_all` that nothing does.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        security: list[Any] = [{_BEARER: [route.scope]}]
        if route.cost == OPEN or (route.cost == READ and public):
            security = []
        elif open_to_all:
            security.append({})
        operation = _operation(route, kind) | {"security": security}
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    document = {
        "openapi": VERSION,
        "info": {
            "title": f"provlog: {origin}, {kind} entries",
            "version": "1",
            "description": _SAYS,
        },
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "responses": {str(each.status): _problem(each.status) for each in KINDS},
            "headers": {
                name: {**each, "required": name not in NOT_ALWAYS}
                for name, each in HEADERS.items()
            },
            "securitySchemes": {_BEARER: {"type": "http", "scheme": _BEARER}},
        },
    }
    return json.dumps(document).encode()


def _operation(route: Route, kind: str) -> dict[str, Any]:
    """One route."""
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.says,
        "parameters": [
            {
                "name": each.name,
                "in": "path",
                "required": True,
                "description": each.says,
                "schema": dict(each.shown),
            }
            for each in route.parameters
        ]
        + [
            {
                "name": name,
                "in": "header",
                "description": ASKED[name],
                "schema": {"type": "string"},
            }
            for name in route.asks
        ],
        "responses": {str(each.status): _told(each) for each in route.tells}
        | {str(status): _refused(status, route) for status in problems_of(route, kind)},
    }
    if "If-None-Match" in route.asks:
        found["responses"]["304"] = {"description": "You have it already."}
    if route.takes:
        found["requestBody"] = {
            # Where any bytes are taken, none at all are an entry as well.
            "required": kind != "opaque" or "bytes" not in route.takes.values(),
            "content": _content(route.takes),
        }
    return found


def problems_of(route: Route, kind: str) -> list[int]:
    """The statuses of all that can be wrong at `route` in a log of this kind."""
    found = {400, 401, 405, 500, 503}
    if route.parameters:
        found.add(404)
    if route.cost != OPEN:
        found |= {403, 429}
    if any(len(each.media) > 1 for each in route.tells):
        found.add(406)
    if route.cost == WRITE:
        found.add(415)
    if route.cost == WRITE and route.max_body_bytes is not None:
        # A batch has these in its results, one for each that they are about.
        found.update(_ON_WRITE, (409, 422) if kind != "opaque" else ())
    return sorted(found)


def _told(told: Told) -> dict[str, Any]:
    """An answer that is a result."""
    return {
        "description": told.says,
        "headers": _headers("Cache-Control", *told.headers),
        "content": _content(told.media),
    }


def _refused(status: int, route: Route) -> dict[str, Any]:
    """All that has the same status, in the form that this route has it in."""
    if route.concise:
        return _problem(status, {CONCISE: "bytes"})
    return {"$ref": f"#/components/responses/{status}"}


def _problem(
    status: int, media: Mapping[str, str] = MappingProxyType({MEDIA_TYPE: "problem"})
) -> dict[str, Any]:
    """All that has the same status."""
    kinds = [kind for kind in KINDS if kind.status == status]
    more = ["Retry-After"] if status in (429, 503, 507) else _MORE.get(status, [])
    return {
        "description": ". ".join(kind.title for kind in kinds) + ".",
        "headers": _headers("Cache-Control", *more),
        "content": _content(media),
    }


def _content(media: Mapping[str, str]) -> dict[str, Any]:
    return {
        type_: {"schema": {"$ref": f"#/components/schemas/{name}"}}
        for type_, name in media.items()
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
