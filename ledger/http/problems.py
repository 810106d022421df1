"""Everything that can be wrong with a request, or with us: one table.

An answer that is no result is RFC 9457 `application/problem+json`. Its `type` is a
heading of docs/problems.md, which is made from this table and which the log itself
serves; `title` is constant, `detail` is about this occurrence and safe to paste
anywhere, `check` is the stable word that a program may rely on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aiohttp import web

from ledger.errors import Conflict, Halted, Held, Refused, Unavailable, WrongBytes
from ledger.http.answering import PLAIN_HEADERS
from ledger.schema.faults import Faulty
from verifier import cbor

MEDIA_TYPE: Final = "application/problem+json"
TYPES: Final = "/v1/problems"
"""Where the log serves the page with a heading for each type."""


CONCISE: Final = "application/concise-problem-details+cbor"
_TITLE, _DETAIL = -1, -2
"""The labels of RFC 9290; that of a response code is for codes of CoAP."""

_HELD_S: Final = 60
"""When to ask again where a person has to act first."""


class Kind(NamedTuple):
    """One row: the heading, the status, the title, and what to do about it."""

    name: str
    status: int
    title: str
    mend: str


QUERY: Final = Kind(
    "query",
    400,
    "This address takes no query",
    "Put everything into the path: what stands behind a question mark decides nothing.",
)
FORM: Final = Kind(
    "form",
    400,
    "It cannot be read as what is expected here",
    "See what the detail names. Repeating it changes nothing.",
)
TOKEN: Final = Kind(
    "token",
    401,
    "A token is missing, or is not valid any more",
    "Send `Authorization: Bearer provlog_…`. Who runs the log makes tokens with "
    "`provlog token create`. A token that has expired or was revoked is not valid.",
)
SCOPE: Final = Kind(
    "scope",
    403,
    "The token does not allow this",
    "Ask who runs the log for a token with the scope that the detail names.",
)
ELSEWHERE: Final = Kind(
    "elsewhere",
    403,
    "The request comes from a web page or through a proxy, or is for somebody else",
    "A log without tokens listens to programs of its own machine only. Make a token.",
)
PRODUCER: Final = Kind(
    "producer",
    403,
    "No producer that is registered here has signed it, or it may not",
    "Who runs the log registers producers with `provlog producer add`. The detail "
    "says whose key it was, and what is wrong with it; nothing was logged.",
)
NOT_FOUND: Final = Kind(
    "not-found",
    404,
    "There is nothing at this address",
    "Addresses have one spelling: no leading zeros, no `..`, no escapes. What the log "
    "does not have yet may be there later; such an answer is never kept in a cache.",
)
METHOD: Final = Kind(
    "method",
    405,
    "This address does not take this method",
    "`Allow` has those that it takes.",
)
NOT_ACCEPTABLE: Final = Kind(
    "not-acceptable",
    406,
    "None of the media types in Accept is offered here",
    "The detail has those that are.",
)
SLOW: Final = Kind(
    "slow",
    408,
    "The body came too slowly",
    "Send it faster, or less at once. Nothing of a single submission was logged; of a "
    "batch, what has a result was.",
)
CONFLICT: Final = Kind(
    "conflict",
    409,
    "This id was logged before, with other bytes",
    "A record that has changed is another record: give it a new id. `index` says "
    "where the first one stands.",
)
SIZE: Final = Kind(
    "size",
    413,
    "It is too large to be an entry",
    "Log what is large by its digest, and keep it where those who need it find it.",
)
MEDIA: Final = Kind(
    "media-type",
    415,
    "This media type or encoding is not taken here",
    "The detail has those that are. Bodies are never compressed.",
)
MEANING: Final = Kind(
    "meaning",
    422,
    "The body is no record and no statement that this log takes",
    "See what the detail names. Repeating it changes nothing.",
)
REGISTRATION: Final = Kind(
    "registration",
    422,
    "It does not follow from what is entered about producers",
    "See what the detail names; `provlog producer list` shows what is entered. Nothing "
    "was.",
)
RATE: Final = Kind(
    "rate",
    429,
    "This caller has used up its share",
    "Wait as long as `Retry-After` says. Others are not affected.",
)
INTERNAL: Final = Kind(
    "internal",
    500,
    "A fault of this program",
    "Tell who runs the log the id in `detail`; its own lines have the rest. A "
    "submission may be repeated: with the same id it is logged once.",
)
UNKNOWN: Final = Kind(
    "outcome-unknown",
    500,
    "It may or may not have been logged",
    "Submit the same again, with the same id: it has the same index if it was logged. "
    "In a log without identities, look whether it is there first.",
)
DAMAGED: Final = Kind(
    "damaged",
    500,
    "What is stored is not what the tree says, and is not served",
    "Ask a mirror. Who runs the log has been told, and finds the mend under "
    "`damaged` in the operations manual.",
)
BUSY: Final = Kind(
    "busy",
    503,
    "The log cannot take more just now",
    "Wait as long as `Retry-After` says, and a little at random. Nothing was logged.",
)
HELD: Final = Kind(
    "held",
    503,
    "The log does not write",
    "Nothing was logged. `state` is the name under which the operations manual says "
    "what has happened and what mends it. Reading goes on.",
)
FULL: Final = Kind(
    "full",
    507,
    "The log has no room left",
    "Nothing was logged. Who runs the log makes room. Reading goes on.",
)

KINDS: Final = tuple(
    sorted(
        (each for each in list(globals().values()) if isinstance(each, Kind)),
        key=lambda kind: (kind.status, kind.name),
    )
)


class Problem(Exception):
    """An answer that is no result."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        check: str = "",
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.headers = dict(headers or {})
        self.document = {
            "type": f"{TYPES}#{kind.name}",
            "title": kind.title,
            "status": kind.status,
            "detail": detail,
            "check": check or kind.name,
            **more,
        }
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))

    def response(self) -> web.Response:
        """The answer; it is never kept, for what is wrong now may be right later."""
        return web.Response(
            status=self.kind.status,
            body=json.dumps(self.document).encode(),
            content_type=MEDIA_TYPE,
            headers={**PLAIN_HEADERS, "Cache-Control": "no-store", **self.headers},
        )

    def concise(self) -> web.Response:
        """The same as RFC 9290 CBOR, which SCITT's clients read."""
        response = self.response()
        response.content_type = CONCISE
        response.body = cbor.encode(
            {_TITLE: self.document["title"], _DETAIL: self.document["detail"]}
        )
        return response


_OF_REFUSED: Final = {
    "size": SIZE,
    "index": NOT_FOUND,
    "producer": PRODUCER,
    "registration": REGISTRATION,
    "algorithm": MEANING,
    "payload": MEANING,
    "schema": MEANING,
}


def problem_of(error: Exception) -> Problem:
    """What somebody is told to whom `error` has happened; a fault is raised again."""
    match error:
        case Problem():
            return error
        case Refused():
            return _of_refused(error)
        case Unavailable():
            kind = FULL if error.reason == "full" else BUSY
            wait = error.retry_after_s
            return Problem(kind, str(error), check=error.reason, retry_after_s=wait)
        case Held():
            kind = FULL if error.state == "full" else HELD
            return Problem(
                kind,
                str(error),
                check=error.state,
                retry_after_s=_HELD_S,
                state=error.state,
            )
        case Halted() | ConnectionError():
            return Problem(UNKNOWN, str(error), check="outcome_unknown")
        case WrongBytes():
            return Problem(DAMAGED, str(error), check="damaged", where=error.where)
    raise error


def _of_refused(error: Refused) -> Problem:
    if isinstance(error, Conflict):
        return Problem(CONFLICT, str(error), index=error.index)
    if error.check == "token":
        challenge = {"WWW-Authenticate": 'Bearer realm="provlog"'}
        return Problem(TOKEN, str(error), headers=challenge)
    problem = Problem(_OF_REFUSED.get(error.check, FORM), str(error), check=error.check)
    if isinstance(error, Faulty):
        problem.document["faults"] = [each._asdict() for each in error.faults]
    return problem


def page() -> str:
    """docs/problems.md: the table, for people."""
    return _HEAD + "".join(
        f"\n## {kind.name}\n\n{kind.status}. {kind.title}.\n\n{kind.mend}\n"
        for kind in KINDS
    )


_HEAD: Final = """\
# Problems

What the log answers when it has no result: RFC 9457 problem details. The part of
`type` behind the `#` is a heading of this page; `check` is a word that programs may
rely on, and `detail` is about the one occurrence. Nothing of it is ever kept in a
cache. Where there is a `Retry-After`, the same request can be given again after so
many seconds.

This page is made from the table in `ledger/http/problems.py`.
"""
