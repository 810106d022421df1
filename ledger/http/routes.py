"""Which addresses there are, and what each asks of who calls it.

Every address has one spelling, and everything that decides an answer stands in the
path: a cache that looks at nothing else cannot mistake one answer for another.
What is limited is the class of a route, never a name, so that none is forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from verifier.spelling import MAX_SIZE
from verifier.tile import MAX_ENTRY_BYTES

INDEX: Final = "(0|[1-9][0-9]{0,18})"
"""A number in its one spelling: ASCII, no sign, no zero before it."""

WRITE: Final = "write"
READ: Final = "read"
OPEN: Final = "open"
"""What a route costs: an entry, a read, or nothing that could be used up."""

MAX_BODY_BYTES: Final = 2 * MAX_ENTRY_BYTES + 1024
"""A record in JSON may be larger than it is when it is logged."""


class Parameter(NamedTuple):
    """A part of a path: what it is called, what it looks like there, what it is.

    `shown` is what OpenAPI says of it: a JSON schema.
    """

    name: str
    pattern: str
    says: str
    shown: Mapping[str, Any]


def number(
    name: str, says: str, *, pattern: str = INDEX, least: int = 0, most: int = MAX_SIZE
) -> Parameter:
    """A number in a path."""
    bounds = {"minimum": least, "maximum": most, "examples": [least]}
    return Parameter(name, pattern, says, {"type": "integer", **bounds})


def text(name: str, pattern: str, says: str) -> Parameter:
    """Anything else in a path."""
    return Parameter(name, pattern, says, {"type": "string", "pattern": f"^{pattern}$"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer that is a result.

    `media` has for each media type the name of its schema in `ledger.http.shapes`,
    `headers` are those that it has beside the ones of every answer.
    """

    says: str
    media: Mapping[str, str]
    status: int = 200
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One kind of address.

    `path` is its template, with `{names}`; `scope` is what a token must allow, where
    one is needed. `max_body_bytes` is 0 where there is no body, and None where it is
    read as it comes and its length does not matter.

    The rest is for who reads about it: `takes` are the bodies and `tells` the answers,
    `asks` the headers that make a difference.
    """

    method: str
    path: str
    name: str
    says: str
    scope: str
    cost: str
    handle: Callable[..., Awaitable[Any]]
    kinds: tuple[str, ...] = ("record", "statement", "opaque")
    max_body_bytes: int | None = 0
    parameters: tuple[Parameter, ...] = ()
    takes: Mapping[str, str] = field(default_factory=dict)
    tells: tuple[Told, ...] = ()
    asks: tuple[str, ...] = ()
    concise: bool = False
    """Whether what is wrong is said in CBOR (RFC 9290)."""

    def pattern(self) -> re.Pattern[str]:
        """What its raw path looks like, whole."""
        found = re.escape(self.path).replace(r"\{", "{").replace(r"\}", "}")
        for each in self.parameters:
            group = f"(?P<{each.name}>{each.pattern})"
            found = found.replace(f"{{{each.name}}}", group)
        return re.compile(found)


class Table:
    """The routes of one log, found by their raw path.

    `elsewhere` are those that logs of another kind have.
    """

    def __init__(
        self, routes: Iterable[Route], elsewhere: Iterable[Route] = ()
    ) -> None:
        self.routes = tuple(routes)
        others = tuple(elsewhere)
        self._elsewhere = Table(others) if others else None
        self._fixed: dict[str, dict[str, Route]] = {}
        self._concise: set[str] = set()
        self._others: list[tuple[re.Pattern[str], dict[str, Route]]] = []
        for route in self.routes:
            self._add(route)

    def find(self, path: str) -> tuple[dict[str, Route], dict[str, str]]:
        """The routes at `path`, by method, and what it says; none if there is none."""
        if path in self._fixed:
            return self._fixed[path], {}
        for pattern, routes in self._others:
            if found := pattern.fullmatch(path):
                return routes, found.groupdict()
        return {}, {}

    def elsewhere(self, path: str) -> Route | None:
        """A route at `path` in a log of another kind; None if no log has one."""
        routes, _ = self._elsewhere.find(path) if self._elsewhere else ({}, {})
        return next(iter(routes.values()), None)

    def is_concise(self, path: str) -> bool:
        """Whether what is wrong at `path` is said in CBOR, whatever was asked there.

        Also where nothing is, beside an address that has a parameter.
        """
        routes, _ = self.find(path)
        known = next(iter(routes.values()), None) or self.elsewhere(path)
        if known is not None:
            return known.concise
        return any(path.startswith(each) for each in self._concise)

    def _add(self, route: Route) -> None:
        if not route.parameters:
            self._fixed.setdefault(route.path, {})[route.method] = route
            return
        if route.concise:
            self._concise.add(route.path.partition("{")[0])
        pattern = route.pattern()
        for known, routes in self._others:
            if known.pattern == pattern.pattern:
                routes[route.method] = route
                return
        self._others.append((pattern, {route.method: route}))


def get(
    path: str,
    name: str,
    says: str,
    handle: Callable[..., Awaitable[Any]],
    media: Mapping[str, str],
    *parameters: Parameter,
    scope: str = "read",
    cost: str = READ,
    headers: tuple[str, ...] = (),
    kinds: tuple[str, ...] = ("record", "statement", "opaque"),
    concise: bool = False,
) -> Route:
    """An address that is read, and its one kind of answer."""
    asks = ("If-None-Match",) if "ETag" in headers else ()
    return Route(
        method="GET",
        path=path,
        name=name,
        says=says,
        scope=scope,
        cost=cost,
        handle=handle,
        kinds=kinds,
        parameters=parameters,
        tells=(Told(says=says, media=media, headers=headers),),
        asks=(*asks, *(("Accept-Encoding",) if "Content-Encoding" in headers else ())),
        concise=concise,
    )
