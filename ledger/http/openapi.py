"""The OpenAPI description, made from the routes: there is no second one to keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ledger.http.routes import Route


def described(routes: Sequence[Route], *, kind: str, origin: str) -> bytes:
    """The description of these routes, as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = {
            "operationId": route.name,
            "summary": route.says,
            "responses": {"default": {"description": "see docs/api.md"}},
        }
    info = {"title": f"provlog: {origin}, {kind} entries", "version": "1"}
    return json.dumps({"openapi": "3.1.0", "info": info, "paths": paths}).encode()
