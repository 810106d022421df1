"""What a log says of itself in an entry, in a log of either kind.

In a record log such an entry is by `log`. In a statement log it is a statement of the
type of the log's own entries: nobody else gets one like that past admission, and
under the tree it is the log's word. Its issuer is the name that the log had then.
"""

from __future__ import annotations

from verifier.cose import PREFIX as COSE_PREFIX
from verifier.cose import Sign1
from verifier.entry import LOG, Entry
from verifier.errors import MalformedError
from verifier.own import MEDIA_TYPE, Own, parse_members, parse_own
from verifier.statement.claims import Claims


def own_in(data: bytes, kind: str = "auto") -> Own | None:
    """What the log says of itself in the entry `data`; None if nothing.

    `auto` is for who has the log in hand, and knows that it is no opaque one.
    """
    bare = data.startswith(COSE_PREFIX)
    if kind not in ("auto", "statement" if bare else "record"):
        return None
    if bare:
        message = Sign1.parse(data, "the statement")
        if message.payload is None or not is_own(Claims.of(message)):
            return None
        return parse_members(message.payload)
    entry = Entry.parse(data)
    return parse_own(entry) if entry.by == LOG else None


def is_own(claims: Claims) -> bool:
    """Whether a statement says that it is the log's own."""
    return claims.content_type == MEDIA_TYPE


def check_not_own(claims: Claims, origin: str) -> None:
    """Return unless somebody hands in what only the log may say."""
    if claims.issuer == origin or is_own(claims):
        raise MalformedError(
            f"only the log itself issues statements as {origin!r}, or of the type "
            f"{MEDIA_TYPE}; name another issuer and content type"
        )
