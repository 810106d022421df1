"""How answers look: types, caches, and who may read them in a browser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import formatdate
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"
TEXT: Final = "text/plain; charset=utf-8"

IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""For what can never be anything else."""
PACKED: Final = "private, max-age=31536000, immutable"
"""For what is packed for the one who asked: others may not be able to read it."""
LOOK_AGAIN: Final = "public, no-cache"
"""For what grows: it may be kept, and has to be asked for before it is used."""
NOT_KEPT: Final = "no-store"
"""For what more than the path decides, and for what is wrong."""
PRIVATE: Final = "private, no-cache"
"""For a log that only those may read who have a token."""

PLAIN_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
    "Server": "provlog",
}


def answer(
    body: bytes,
    *,
    content_type: str,
    cache: str = NOT_KEPT,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An answer with these bytes."""
    return web.Response(
        body=body,
        status=status,
        headers={
            **PLAIN_HEADERS,
            "Content-Type": content_type,
            "Cache-Control": cache,
            **(headers or {}),
        },
    )


def document(
    value: Mapping[str, Any],
    *,
    cache: str = NOT_KEPT,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An answer that is one JSON object."""
    return answer(
        json.dumps(value).encode(),
        content_type=JSON,
        cache=cache,
        status=status,
        headers=headers,
    )


def encode(response: web.Response, date: str) -> bytes:
    """An answer as HTTP/1.1 has it, for whom no request was made."""
    body = response.body
    assert isinstance(body, bytes)  # noqa: S101 - only what is whole comes here
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines += [f"Content-Length: {len(body)}", f"Date: {date}"]
    if response.keep_alive is False and "Connection" not in response.headers:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "\r\n"]).encode() + body


def http_date() -> str:
    """The time, as HTTP says it."""
    return formatdate(usegmt=True)


def tag_of(body: bytes) -> str:
    """The entity tag of these bytes."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def unless_known(
    request: web.BaseRequest,
    body: bytes,
    tag: str,
    *,
    content_type: str,
    cache: str,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """These bytes, or that who asks has them already."""
    more = {"ETag": tag, **(headers or {})}
    if knows(request.headers.get("If-None-Match"), tag):
        return web.Response(
            status=304, headers={**PLAIN_HEADERS, "Cache-Control": cache, **more}
        )
    return answer(body, content_type=content_type, cache=cache, headers=more)


def knows(header: str | None, tag: str) -> bool:
    """Whether who asks has what has this tag, by an If-None-Match."""
    if not header:
        return False
    known = [each.strip().removeprefix("W/") for each in header.split(",")]
    return tag in known or "*" in known
