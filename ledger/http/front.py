"""The front: every request comes in here, and every answer goes out."""

from __future__ import annotations

import asyncio
import secrets
import traceback
from typing import Final

from aiohttp import HttpVersion10, HttpVersion11, web

from ledger.callers.tokenfile import FORM as FORM_OF_TOKEN
from ledger.callers.tokenfile import PREFIX
from ledger.errors import Refused
from ledger.events import REQUEST_FAILED, emit
from ledger.http.answering import PLAIN_HEADERS
from ledger.http.asked import Asked
from ledger.http.bodies import check_head
from ledger.http.entrance import let_in, pay_as_stranger
from ledger.http.problems import (
    BUSY,
    FORM,
    INTERNAL,
    METHOD,
    NOT_FOUND,
    QUERY,
    RATE,
    Problem,
    problem_of,
)
from ledger.http.routes import Route, Table
from ledger.http.sending import cut_off
from ledger.http.site import Site
from ledger.metrics import REFUSALS, REQUEST_SECONDS, REQUESTS

_HEADERS: Final = "Accept, Authorization, Content-Type, If-None-Match, Prefer"
_BEGIN: Final = (
    "this is a log: /v1/openapi.json describes it, /v1/problems says what each refusal "
    "means, /checkpoint is its newest checkpoint"
)
_NOWHERE: Final = "none"
"""The name under which requests are counted that no route is for."""


class Front:
    """Answers requests; `handle` is what aiohttp calls."""

    def __init__(self, site: Site, table: Table) -> None:
        self.stopping = False
        """Set when the service ends: what is under way is finished, and no more."""
        self.under_way: set[int] = set()
        """The requests, by their identity in memory: they have no hash."""
        self._site = site
        self._table = table
        self._loop = asyncio.get_running_loop()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer, whatever happens."""
        self.under_way.add(id(request))
        try:
            return await self._answer(request)
        finally:
            self.under_way.discard(id(request))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        began = self._loop.time()
        route: Route | None = None
        response: web.StreamResponse
        try:
            routes, found = self._find(request)
            route = routes.get("GET" if request.method == "HEAD" else request.method)
            if route is None:
                pay_as_stranger(request, self._site)
                response = _preflight(routes)
            else:
                response = await self._carry_out(request, route, found)
        except (ConnectionResetError, asyncio.CancelledError):
            raise  # nobody is there any more
        except Exception as error:  # noqa: BLE001 - every fault has an answer
            response = self.told(error, route, request.raw_path)
            if request.writer.output_size:
                # Part of an answer has gone; another one behind it would be read as
                # what is left of it.
                cut_off(request)
        self.count(route, response.status, self._loop.time() - began)
        if self.stopping:
            response.force_close()
        return response

    def count(self, route: Route | None, status: int, seconds: float) -> None:
        """Count a request that was answered, after so long."""
        name = route.name if route else _NOWHERE
        self._site.counts.add(REQUESTS, 1, name, str(status))
        self._site.counts.observe(REQUEST_SECONDS, seconds, name)

    def _find(
        self, request: web.BaseRequest
    ) -> tuple[dict[str, Route], dict[str, str]]:
        """The routes at the path, and what it says; what is nowhere costs as well."""
        try:
            path = _path_of(request)
            routes, found = self._table.find(path)
            if not routes and (other := self._table.elsewhere(path)):
                kinds = " and ".join(other.kinds)
                raise Problem(NOT_FOUND, f"this address is there in {kinds} logs only")
            _check_found(request, routes, path)
        except Problem:
            pay_as_stranger(request, self._site)
            raise
        return routes, found

    async def _carry_out(
        self, request: web.BaseRequest, route: Route, path: dict[str, str]
    ) -> web.StreamResponse:
        if self.stopping and route.method == "POST":
            says = "the service is stopping; nothing was logged"
            raise Problem(BUSY, says, check="draining", retry_after_s=2)
        try:
            caller, payer = let_in(request, route, self._site)
            check_head(request, route.max_body_bytes)
        except (Problem, Refused) as error:
            # Who has used up a share of his own does not use up that of his address.
            if not (isinstance(error, Problem) and error.kind is RATE):
                pay_as_stranger(request, self._site)
            raise
        asked = Asked(
            request=request,
            site=self._site,
            route=route,
            caller=caller,
            payer=payer,
            path=path,
        )
        try:
            response: web.StreamResponse = await route.handle(asked)
        except Exception as error:
            self.give_back(payer, error)
            raise
        return response

    def give_back(self, payer: str, error: Exception) -> None:
        """What fails because of us does not use up anybody's share.

        Who goes away, or does not read, is not us.
        """
        if not isinstance(error, Refused | Problem | ConnectionError):
            self._site.budgets.refund(payer, requests=1)

    def told(self, error: Exception, route: Route | None, path: str) -> web.Response:
        """What is said of `error`; of a fault of ours, nothing but an id."""
        try:
            problem = problem_of(error)
        except Exception:  # noqa: BLE001 - it is the one that came in
            id_ = secrets.token_hex(8)
            where = traceback.extract_tb(error.__traceback__)[-1]
            emit(
                REQUEST_FAILED,
                id=id_,
                route=route.name if route else _NOWHERE,
                fault=type(error).__name__,
                line=f"{where.name}:{where.lineno}",
            )
            problem = Problem(INTERNAL, f"id {id_}")
        self._site.counts.add(REFUSALS, 1, problem.kind.name)
        # Also where no route is: SCITT's clients read nothing else at its addresses.
        concise = self._table.is_concise(path.partition("?")[0])
        response = problem.concise() if concise else problem.response()
        if "Connection" in problem.headers:
            response.force_close()  # aiohttp only says so
        return response


def _path_of(request: web.BaseRequest) -> str:
    """The path as it was sent; nothing of it is decoded, joined or left out."""
    if request.version not in (HttpVersion10, HttpVersion11):
        close = {"Connection": "close"}
        raise Problem(FORM, "this is not HTTP/1.1", check="http", headers=close)
    path = request.raw_path
    if "?" in path:
        raise Problem(QUERY, "leave out what begins with the question mark")
    return path


def _check_found(request: web.BaseRequest, routes: dict[str, Route], path: str) -> None:
    """Return if there is something at `path`, and the method is for it."""
    if path == "/":
        raise Problem(NOT_FOUND, _BEGIN)
    if not routes:
        # A token in a path is a mistake; it is not repeated, for who shows us this.
        shown = FORM_OF_TOKEN.sub(f"{PREFIX}...", path[:200])
        raise Problem(NOT_FOUND, f"there is nothing at {shown!a}")
    method = "GET" if request.method == "HEAD" else request.method
    if method not in routes and method != "OPTIONS":
        says = f"{request.method[:20]!a} is not for this address"
        raise Problem(METHOD, says, headers={"Allow": _methods(routes)})


def _methods(routes: dict[str, Route]) -> str:
    names = [*routes, *(["HEAD"] if "GET" in routes else []), "OPTIONS"]
    return ", ".join(sorted(names))


def _preflight(routes: dict[str, Route]) -> web.Response:
    """What a browser may send here: RFC 9110 OPTIONS, and the CORS protocol."""
    return web.Response(
        status=204,
        headers={
            **PLAIN_HEADERS,
            "Allow": _methods(routes),
            "Access-Control-Allow-Methods": _methods(routes),
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": "600",
            "Cache-Control": "no-store",
        },
    )
