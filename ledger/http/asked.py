"""A request that was let in: who asks, and what the path says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from ledger.callers.tokens import Caller
from ledger.http.problems import NOT_FOUND, Problem
from ledger.http.routes import Route
from ledger.http.site import Site

MAX_INDEX: Final = (1 << 63) - 1
_WAIT: Final = re.compile(
    r"\s*wait\s*=\s*(?P<quote>\"?)(?P<s>[0-9]{1,6})(?P=quote)\s*(;.*)?",
    re.ASCII | re.IGNORECASE,
)
MAX_WAIT_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a handler gets. `payer` is whose share of the log's work it uses."""

    request: web.BaseRequest
    site: Site
    route: Route
    caller: Caller
    payer: str
    path: Mapping[str, str]

    def number(self, name: str) -> int:
        """A number of the path, which has one spelling and fits into a tree."""
        number = int(self.path[name])
        if number > MAX_INDEX:
            raise Problem(NOT_FOUND, f"{name} is larger than any tree")
        return number

    def wait_s(self) -> int:
        """How long the caller prefers to wait for a published checkpoint: RFC 7240."""
        for each in ",".join(self.request.headers.getall("Prefer", ())).split(","):
            if found := _WAIT.fullmatch(each):
                return min(int(found["s"]), MAX_WAIT_S)
        return 0

    def header(self, name: str) -> str | None:
        """A header that is there once, or not."""
        return self.request.headers.get(name)
