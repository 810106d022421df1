"""The entrance: who may come in, for what, and how often."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from aiohttp import web

from ledger.callers.tokens import Caller
from ledger.errors import Refused
from ledger.http.problems import ELSEWHERE, FORM, RATE, SCOPE, TOKEN, Problem
from ledger.http.routes import OPEN, READ, Route
from ledger.http.site import Site

_ONCE: Final = (
    "Authorization",
    "Content-Type",
    "Content-Encoding",
    "Host",
    "Accept",
    "Content-Length",
)
"""Headers that decide something: two of one kind would be read in two ways."""
_PROXIED: Final = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Real-IP",
    "Via",
)
"""What only a proxy says: who asks is behind it, and may be anybody."""
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(?::[0-9]{1,5})?")


def let_in(request: web.BaseRequest, route: Route, site: Site) -> tuple[Caller, str]:
    """Who calls and who pays, if the caller may have `route` now."""
    headers = request.headers
    for name in _ONCE:
        if len(headers.getall(name, ())) > 1:
            raise Problem(FORM, f"{name} is there twice", check="header")
    caller, payer = caller_of(headers, address_of(request), route, site)
    pay(site, payer, requests=1)  # entries and bytes, when it is known how many
    return caller, payer


def caller_of(
    headers: Mapping[str, str], address: str, route: Route, site: Site
) -> tuple[Caller, str]:
    """Who calls and who would pay, if the caller may have `route`."""
    authorization = headers.get("Authorization")
    if authorization is not None:
        caller = _bearer(authorization, site)
    elif _is_public(route, site):
        # Tokens that cannot be read just now keep nobody from what is public.
        caller = Caller(by="", scopes=frozenset(), token="")
    else:
        caller = site.anybody()
        if caller.scopes:
            _check_local(headers)
    _check_scope(caller, route, site)
    return caller, caller.by if caller.token else f"address {address}"


def pay_as_stranger(request: web.BaseRequest, site: Site) -> None:
    """Pay for a request that is turned away, whoever it says it is from.

    What is refused costs as well: else refusals would be a way to keep us busy.
    """
    pay(site, f"address {address_of(request)}", requests=1)


def pay(
    site: Site, payer: str, *, entries: int = 0, bytes_: int = 0, requests: int = 0
) -> None:
    """Take from the caller's share, and from that of all."""
    wait = site.budgets.spend(
        payer, entries=entries, bytes_=bytes_, requests=requests, now=site.clock()
    )
    if wait:
        says = f"the share is used up; it has room again in {wait:.1f} s"
        raise Problem(RATE, says, retry_after_s=wait)


def _bearer(authorization: str, site: Site) -> Caller:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("token", "Authorization is not of the form Bearer TOKEN")
    return site.tokens.caller(token.strip())


def _check_scope(caller: Caller, route: Route, site: Site) -> None:
    if _is_public(route, site) or _allows(caller, route.scope):
        return
    if not caller.token:
        raise Problem(
            TOKEN,
            f"this needs a token with the scope {route.scope}",
            headers={"WWW-Authenticate": 'Bearer realm="provlog"'},
        )
    raise Problem(SCOPE, f"the token does not have the scope {route.scope}")


def _is_public(route: Route, site: Site) -> bool:
    """Whether everybody may have it."""
    public = site.config.reads == "public"
    return route.cost == OPEN or (route.cost == READ and public)


def _allows(caller: Caller, scope: str) -> bool:
    if scope in caller.scopes or "admin" in caller.scopes:
        return True
    # Who may read every entry may read all that an auditor does.
    return scope == "audit" and "read" in caller.scopes


def _check_local(headers: Mapping[str, str]) -> None:
    """Return if a program of this machine can have asked this: no token tells it.

    A browser names the page in Origin, and a page that has its own name resolved to
    this machine is in Host. A proxy of this machine, of whom others ask, says so.
    """
    if "Origin" in headers:
        raise Problem(ELSEWHERE, "without tokens no web page may ask this")
    for name in _PROXIED:
        if name in headers:
            says = "without tokens nobody may ask this through a proxy"
            raise Problem(ELSEWHERE, says)
    found = _HOST.fullmatch(headers.get("Host", ""))
    name = found[1].strip("[]").lower() if found else ""
    if name != "localhost" and not is_loopback(name):
        raise Problem(ELSEWHERE, "without tokens only this machine is listened to")


@lru_cache(maxsize=1_024)
def is_loopback(address: str) -> bool:
    """Whether `address` is this machine, for everybody."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def address_of(request: web.BaseRequest) -> str:
    """Where a request comes from; of an IPv6 address its network, as one caller."""
    return network_of(request.remote or "unknown")


@lru_cache(maxsize=4_096)
def network_of(remote: str) -> str:
    """The address of one caller; of IPv6 its network, which is one household's."""
    if ":" not in remote:
        return remote
    try:
        address = ipaddress.IPv6Address(remote.partition("%")[0])
    except ValueError:
        return remote
    # Where both kinds come to one socket, each of IPv4 is still an address of its own.
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
