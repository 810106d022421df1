"""What a record log enters itself: its beginning, its schema, its keys, its end.

Such an entry is by `log`, whose name nobody else can submit under. Its body is a
map in deterministic CBOR; `kind` says which, and what else there is. It is the
log's word, under the tree like everything: it cannot say one thing to you and
another to somebody else.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, TypeAlias

from verifier import cbor
from verifier.entry import LOG, Entry
from verifier.errors import MalformedError
from verifier.spelling import base64_text, digest_text

MEDIA_TYPE: Final = "application/vnd.provlog.log+cbor"
FORMAT: Final = "provlog/1"

GENESIS: Final = "genesis"
SCHEMA_PUBLISH: Final = "schema.publish"
PROFILE_PUBLISH: Final = "profile.publish"
RULES_APPLY: Final = "rules.apply"
KEY_ROTATE: Final = "key.rotate"
FREEZE: Final = "freeze"
PRODUCER_ADD: Final = "producer.add"
PRODUCER_ROTATE: Final = "producer.rotate"
PRODUCER_REVOKE: Final = "producer.revoke"
PRODUCERS: Final = (PRODUCER_ADD, PRODUCER_ROTATE, PRODUCER_REVOKE)
"""What is said of producers; each has a `number`, from 0 on and without a gap."""

PUBLISHED: Final = {SCHEMA_PUBLISH: "json_schema", PROFILE_PUBLISH: "toml"}
"""By what records are judged: a text, in this member, beside its digest."""

Own: TypeAlias = dict[str, Any]

_MEMBERS: Final[dict[str, dict[str, type]]] = {
    GENESIS: {
        "format": str,
        "origin": str,
        "genesis": bytes,
        "entries": str,
        "keys": list,
    },
    SCHEMA_PUBLISH: {"schema": str, "digest": str, "json_schema": str},
    PROFILE_PUBLISH: {"profile": str, "version": str, "digest": str, "toml": str},
    RULES_APPLY: {"number": int, "profiles": list},
    KEY_ROTATE: {"keys": list},
    FREEZE: {"reason": str},
    PRODUCER_ADD: {
        "number": int,
        "producer": str,
        "keys": list,
        "issuers": list,
        "threshold": int,
    },
    PRODUCER_ROTATE: {"number": int, "producer": str, "keys": list, "until": int},
    PRODUCER_REVOKE: {"number": int, "producer": str, "ids": list, "reason": str},
}
KINDS: Final = tuple(_MEMBERS)


def encode_own(own: Own) -> bytes:
    """Write the body of one of the log's own entries."""
    return cbor.encode(check_own(own))


def parse_own(entry: Entry) -> Own:
    """What the log says in `entry`, which it made itself."""
    if entry.by != LOG or entry.type != MEDIA_TYPE:
        raise MalformedError("not one of the log's own entries")
    return parse_members(entry.body)


def parse_members(body: bytes) -> Own:
    """What the log says, out of the bytes in which it says it."""
    return check_own(cbor.decode(body, text_keys=True))


def check_own(own: object) -> Own:
    """Return `own` if it is a map with a kind, and what its kind must have."""
    if not isinstance(own, dict) or type(own.get("kind")) is not str:
        raise MalformedError("one of the log's own entries is a map with a kind")
    # A kind that is not known is a newer log's; what it says is not for this verifier.
    for name, wanted in _MEMBERS.get(own["kind"], {}).items():
        if type(own.get(name)) is not wanted:
            raise MalformedError(f"{own['kind']} has no {name}, or not as it must be")
    if type(number := own.get("number")) is int and number < 0:
        raise MalformedError(f"{own['kind']} has a number below 0")
    if text := PUBLISHED.get(own["kind"]):
        _check_digest(own, own[text])
    return own


def _check_digest(own: Own, text: str) -> None:
    """Return if the digest by which a text is known is its own."""
    if own["digest"] != digest_text(sha256(text.encode()).digest()):
        raise MalformedError(f"{own['kind']}: the digest is not that of the text")


def in_json(value: Any) -> Any:
    """What CBOR says, in JSON: bytes as base64."""
    match value:
        case dict():
            return {name: in_json(each) for name, each in value.items()}
        case list():
            return [in_json(each) for each in value]
        case bytes():
            return base64_text(value)
    return value
