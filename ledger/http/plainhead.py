"""The head of a plain request: what most producers send, read in one go.

What is read here aiohttp would read in the same way. What it would read in another,
or not at all, is not plain.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_HEAD: Final = re.compile(
    rb"POST (/[!->@-~]*) HTTP/1\.1\r\n((?:[A-Za-z-]+: ?[!-~][ -~]*\r\n){1,12})\r\n"
)
_USUAL: Final = frozenset(
    {
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "Connection",
        "Content-Length",
        "Content-Type",
    }
)
"""What has no say in how /add is answered, but for who asks and how much there is."""
_LENGTH: Final = re.compile("0|[1-9][0-9]{0,6}")


class Head(NamedTuple):
    """The head of a request: how many bytes it has, and how many come behind it."""

    path: str
    headers: dict[str, str]
    bytes_: int
    body_bytes: int


def plain_head(data: bytes) -> Head | None:
    """A head, if it is a plain one."""
    found = _HEAD.fullmatch(data)
    if found is None:
        return None
    path, lines = found[1].decode(), found[2].decode().split("\r\n")[:-1]
    pairs = [line.partition(":") for line in lines]
    headers = {name.title(): value.strip() for name, _, value in pairs}
    # One that is there twice would be read in two ways.
    if len(headers) != len(lines) or not headers.keys() <= _USUAL:
        return None
    length = headers.get("Content-Length", "")
    keeps = headers.get("Connection", "keep-alive").lower() == "keep-alive"
    if "Host" not in headers or not keeps or not _LENGTH.fullmatch(length):
        return None
    return Head(path, headers, len(data), int(length))
