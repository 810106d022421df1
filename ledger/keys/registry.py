"""What is entered about producers, made: as the log's own entry, and out of JSON.

Nothing is decided here: what follows from what is there the log itself says, by the
verifier's rule (`verifier.producers`), when it enters it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from verifier.document import check_members, member
from verifier.errors import MalformedError
from verifier.own import PRODUCER_ADD, PRODUCER_REVOKE, PRODUCER_ROTATE, Own
from verifier.producers.credential import Credential
from verifier.spelling import base64_text, parse_base64

_MEMBERS: Final = {
    PRODUCER_ADD: frozenset({"kind", "producer", "keys", "issuers", "threshold"}),
    PRODUCER_ROTATE: frozenset({"kind", "producer", "keys", "until"}),
    PRODUCER_REVOKE: frozenset({"kind", "producer", "ids", "reason"}),
}
_BYTES: Final = ("key", "certificate")
_WHAT: Final = "what is said about a producer"
MAX_REASON: Final = 1_024


def add(
    producer: str,
    credentials: Sequence[Credential],
    *,
    issuers: Sequence[str] = (),
    threshold: int = 1,
) -> Own:
    """There is a producer, with these keys."""
    return {
        "kind": PRODUCER_ADD,
        "producer": producer,
        "keys": [each.document() for each in credentials],
        "issuers": [*issuers],
        "threshold": threshold,
    }


def rotate(producer: str, credentials: Sequence[Credential], *, until_ms: int) -> Own:
    """It has these keys, too; those that it had are good until then."""
    return {
        "kind": PRODUCER_ROTATE,
        "producer": producer,
        "keys": [each.document() for each in credentials],
        "until": until_ms,
    }


def revoke(producer: str, ids: Sequence[str], reason: str) -> Own:
    """These keys of it are good no more, from this entry on."""
    return {
        "kind": PRODUCER_REVOKE,
        "producer": producer,
        "ids": [*ids],
        "reason": reason,
    }


def own_of_json(document: dict[str, Any]) -> Own:
    """What somebody sends who administers a log: the same, with base64 for bytes."""
    kind = document.get("kind")
    if type(kind) is not str or kind not in _MEMBERS:
        raise MalformedError(f"{_WHAT} has the kind {', '.join(_MEMBERS)}")
    check_members(document, _MEMBERS[kind], _WHAT)
    if len(str(document.get("reason", ""))) > MAX_REASON:
        raise MalformedError(f"a reason has at most {MAX_REASON} characters")
    own = dict(document)
    if "keys" in document:
        keys = member(document, "keys", list, _WHAT)
        own["keys"] = [_decoded(each) for each in keys]
    return own


def json_of_own(own: Own) -> dict[str, Any]:
    """What is sent, of what is to be entered."""
    document = dict(own)
    if "keys" in own:
        document["keys"] = [
            {
                name: base64_text(value) if name in _BYTES else value
                for name, value in each.items()
            }
            for each in own["keys"]
        ]
    return document


def _decoded(key: object) -> dict[str, Any]:
    if not isinstance(key, dict):
        raise MalformedError("a producer's key is not an object")
    return {
        name: parse_base64(value, f"{name} of a producer's key")
        if name in _BYTES and type(value) is str
        else value
        for name, value in key.items()
    }
