"""What bodies and headers look like, as JSON schemas: the words of the description.

Each is named once here, and routes name them. They say what is always so; a member
that is not `required` is there where it makes sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from ledger.http.asked import MAX_WAIT_S
from ledger.http.problems import KINDS, TYPES
from ledger.index.lookup import MOST
from ledger.schema.examples import example
from ledger.schema.record import SCHEMA as RECORD
from verifier.bundle import SCHEMA as BUNDLE
from verifier.document import MAX_INTEGER
from verifier.own import PRODUCERS
from verifier.producers.register import SCHEMA as REGISTER
from verifier.record import MAX_PATH
from verifier.spelling import MAX_SIZE

Schema: TypeAlias = dict[str, Any]

_TEXT: Final = {"type": "string"}
_BASE64: Final = {"type": "string", "contentEncoding": "base64"}
_HASH: Final = {"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"}
_NUMBER: Final = {"type": "integer", "minimum": 0, "maximum": MAX_SIZE}
_HEX: Final = "[0-9a-f]"
_UUID7: Final = f"^{_HEX}{{8}}-{_HEX}{{4}}-7{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}$"


def _object(required: Schema, **more: Any) -> Schema:
    """An object that has all of `required`, and maybe `more`."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **more},
    }


def _list(of: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": of, **more}


_PART: Final = {"type": "object"}
_ANY: Final = {"$ref": "#/components/schemas/value"}
_RECORD: Final = {"$ref": "#/components/schemas/record"}
_PROBLEM: Final = {"$ref": "#/components/schemas/problem"}
_RECEIVED: Final = {
    "index": _NUMBER,
    "size": _NUMBER,
    "entry": _BASE64,
    "receipt": {"type": "string", "pattern": r"^c2sp\.org/tlog-proof@v1\n"},
}
_FAULTS: Final = _list(_object(dict.fromkeys(("path", "rule", "mend"), _TEXT)))
_RESULT: Final = _RECEIVED | {
    "repeated": {"type": "boolean"},
    "witnessed": {"type": "boolean"},
}
_COMMITMENT: Final = _object(
    {
        "path": _list(
            {"anyOf": [_TEXT, _NUMBER | {"maximum": MAX_INTEGER}]},
            minItems=1,
            maxItems=MAX_PATH,
        ),
        "digest": {"type": "string", "pattern": f"^sha256:{_HEX}{{64}}$"},
    }
)

SCHEMAS: Final[Mapping[str, Schema]] = {
    "bytes": {},
    "index": {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"},
    "text": _TEXT,
    "value": {
        "description": "JSON without floats and null; decimals are texts.",
        "anyOf": [
            _TEXT,
            {"type": "boolean"},
            {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER},
            _list(_ANY),
            {"type": "object", "additionalProperties": _ANY},
        ],
    },
    "record": _object(
        {
            "schema": {"const": RECORD},
            "id": {"type": "string", "pattern": _UUID7},
            **dict.fromkeys(("kind", "phase", "time"), _TEXT),
            **dict.fromkeys(("producer", "capture", "actor"), _PART),
        },
        commitments=_list(_COMMITMENT | {"additionalProperties": False}),
    )
    | {
        "description": "All of it is in docs/record.md, and as JSON Schema beside it.",
        "additionalProperties": _ANY,
        "examples": [example("inference")],
    },
    "records": _list(_RECORD),
    "entries": _list({}),
    "result": _object(_RESULT, flags=_FAULTS),
    "results": _list(
        {
            "anyOf": [
                _object(_RESULT | {"status": {"enum": [200, 201]}}, flags=_FAULTS),
                _PROBLEM,
            ]
        }
    ),
    "receipt": _object(_RECEIVED),
    "bundle": _object(
        {"schema": {"const": BUNDLE}, "entry": _BASE64, "receipt": _BASE64}
    ),
    "entry": _object(
        {"index": _NUMBER, "entry": _BASE64},
        at=_NUMBER | {"description": "milliseconds since 1970"},
        by=_TEXT,
        type=_TEXT,
        record=_RECORD,
        own={"type": "object"},
        statement=_list({"type": "object"}),
    ),
    "register": _object(
        {
            "schema": {"const": REGISTER},
            "checkpoint": _BASE64,
            "entries": _list(
                _object({"index": _NUMBER, "entry": _BASE64, "proof": _list(_HASH)})
            ),
        }
    ),
    "producer": _object(
        {
            "kind": {"enum": list(PRODUCERS)},
            "producer": _TEXT,
        },
        keys=_list({"type": "object"}),
        issuers=_list(_TEXT),
        threshold=_NUMBER,
        until=_NUMBER,
        ids=_list(_TEXT),
        reason=_TEXT,
    ),
    "registered": _object({"index": _NUMBER, "size": _NUMBER}),
    "inclusion": _object({"index": _NUMBER, "size": _NUMBER, "proof": _list(_HASH)}),
    "consistency": _object(
        {"first": _NUMBER, "second": _NUMBER, "proof": _list(_HASH)}
    ),
    "found": _object(
        {
            "indexes": _list(_NUMBER, minItems=1, maxItems=MOST),
            "covered": _NUMBER,
            "more": {"type": "boolean"},
        }
    ),
    "description": _object(
        {"openapi": _TEXT, "info": {"type": "object"}, "paths": {"type": "object"}}
    ),
    "problem": _object(
        {
            "type": {"enum": [f"{TYPES}#{kind.name}" for kind in KINDS]},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "check": _TEXT,
        },
        index=_NUMBER,
        faults=_FAULTS,
        state=_TEXT,
        where=_TEXT,
        covered=_NUMBER,
        size=_NUMBER,
        retry_after_s={"type": "integer", "description": "in a batch, for one of it"},
    ),
}

HEADERS: Final[Mapping[str, Schema]] = {
    "Allow": {"description": "The methods of this address.", "schema": _TEXT},
    "Cache-Control": {"description": "For how long.", "schema": _TEXT},
    "Content-Encoding": {"description": "gzip, or not there.", "schema": _TEXT},
    "ETag": {"description": "Changes with the bytes.", "schema": _TEXT},
    "Location": {"description": "Where the entry is.", "schema": _TEXT},
    "Preference-Applied": {
        "description": "The receipt is under a published checkpoint.",
        "schema": _TEXT,
    },
    "Retry-After": {"description": "In so many seconds.", "schema": _TEXT},
    "Vary": {"description": "What else decides the answer.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "Bearer.", "schema": _TEXT},
}
"""The headers of answers."""
NOT_ALWAYS: Final = ("Content-Encoding", "Preference-Applied")

ASKED: Final[Mapping[str, str]] = {
    "Accept-Encoding": "gzip, to have it packed.",
    "If-None-Match": "The ETag of what is there already: 304 if that is still it.",
    "Prefer": f"wait=SECONDS, up to {MAX_WAIT_S}, for a published checkpoint.",
}
"""The headers that somebody may send."""
