"""The log's own entries: genesis, its schema, rotations of its keys, the end.

Only a record log has them, for only its entries say who made them. What a reader
needs in order to believe the rest is under the tree, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from ledger.log.identity import (
    is_of_log,
    published_identity,
    register_identity,
    rules_identity,
)
from ledger.log.pool import Admitted
from ledger.schema import jsonschema
from ledger.schema.profile import Profile
from ledger.schema.record import SCHEMA
from ledger.store import Charter
from verifier import cbor
from verifier.checkpoint import Checkpoint
from verifier.entry import LOG, untimed
from verifier.errors import MalformedError
from verifier.keys import VerifierKey
from verifier.own import (
    FORMAT,
    FREEZE,
    GENESIS,
    KEY_ROTATE,
    MEDIA_TYPE,
    PROFILE_PUBLISH,
    RULES_APPLY,
    SCHEMA_PUBLISH,
    Own,
    encode_own,
)
from verifier.spelling import digest_text
from verifier.statement.own import own_in

_BY_LOG: Final = cbor.encode("by") + cbor.encode(LOG)
"""With what the log's own entry of a record log begins, behind its time."""


def genesis(
    charter: Charter,
    keys: Iterable[VerifierKey],
    continues: Checkpoint | None = None,
) -> Admitted:
    """Entry 0: which log this is, its keys, and how to read what follows.

    Where a log goes on under a new origin it is written again, and says which tree
    it `continues`.
    """
    members: dict[str, Any] = {
        "kind": GENESIS,
        "format": FORMAT,
        "origin": charter.origin,
        "genesis": charter.genesis,
        "entries": charter.kind,
        "keys": [key.text() for key in keys],
    }
    if continues:
        members["continues"] = {
            "origin": continues.origin,
            "size": continues.size,
            "root": continues.root,
        }
    return _own(members)


def schema_publish() -> Admitted:
    """By which schema records are judged from now on: so it can be read for ever."""
    text = jsonschema.text()
    digest = digest_text(sha256(text).digest())
    own = {"schema": SCHEMA, "digest": digest, "json_schema": text.decode()}
    return _published(SCHEMA_PUBLISH, own)


def profile_publish(profile: Profile) -> Admitted:
    """By which profile they are judged, too."""
    own = {
        "profile": profile.name,
        "version": profile.version,
        "digest": profile.digest,
        "toml": profile.text.decode(),
    }
    return _published(PROFILE_PUBLISH, own)


def rules_apply(number: int, profiles: Sequence[str]) -> Admitted:
    """From here on these profiles are demanded, by their digests, and no others."""
    own = {"kind": RULES_APPLY, "number": number, "profiles": list(profiles)}
    identity = rules_identity(number)
    return Admitted(identity, untimed(LOG, MEDIA_TYPE, encode_own(own)))


def _published(kind: str, members: Own) -> Admitted:
    """It is known by its digest, and there once, however often it is handed in."""
    body = encode_own({"kind": kind, **members})
    identity = published_identity(members["digest"])
    return Admitted(identity, untimed(LOG, MEDIA_TYPE, body))


def key_rotate(keys: Iterable[VerifierKey]) -> Admitted:
    """From here on checkpoints are signed by these keys, the oldest first."""
    return _own({"kind": KEY_ROTATE, "keys": [key.text() for key in keys]})


def freeze(reason: str) -> Admitted:
    """The last entry there is."""
    return _own({"kind": FREEZE, "reason": reason})


def is_own(each: Admitted, kind: str) -> bool:
    """Whether it would be one of the log's own entries, or take the place of one."""
    if each.identity is not None and is_of_log(each.identity):
        return True
    if kind == "record":
        return each.data.startswith(_BY_LOG)
    if kind != "statement" or MEDIA_TYPE.encode() not in each.data:
        return False
    try:
        return own_in(each.data) is not None
    except MalformedError:
        return True  # it says so, and is none that the log would write


def producer_entry(own: Own, signed: bytes | None) -> Admitted:
    """What the log enters about a producer; `signed` in a statement log."""
    identity = register_identity(own["number"])
    if signed is not None:
        return Admitted(identity, signed)
    return Admitted(identity, untimed(LOG, MEDIA_TYPE, encode_own(own)))


def _own(members: dict[str, Any]) -> Admitted:
    return Admitted(None, untimed(LOG, MEDIA_TYPE, encode_own(members)))
