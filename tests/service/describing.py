"""What Schemathesis has to know of us: how CBOR and streams are written and read."""

import json
from typing import Any

import schemathesis

from ledger.http.submitting import STATEMENT_TYPES
from tests.records import SMALLEST
from tests.statements import sign1
from verifier import cbor
from verifier.errors import MalformedError

LINES = "application/x-ndjson"
ITEMS = "application/cbor-seq"


def right(context: Any, value: Any) -> Any:
    """A record that keeps all rules, where one is to be taken: no shape makes it so."""
    case = context.case
    if case.meta is not None and not case.meta.generation.mode.is_positive:
        return value
    if isinstance(value, list):
        return [right(context, each) for each in value]
    records = case.operation.path.startswith("/v1/records")
    if not records or not isinstance(value, dict) or "schema" not in value:
        return value
    return {**value, **SMALLEST}


def as_cbor(value: object) -> bytes:
    """`value`, if CBOR of ours can have it; else something that is none."""
    try:
        return cbor.encode(value)
    except MalformedError:
        return b"\xff"


def as_json(context: Any, value: Any) -> bytes:
    """`value`, in which a record is one that keeps all rules, if it is to be taken."""
    return json.dumps(right(context, value)).encode()


@schemathesis.serializer("application/cbor", "application/vnd.provlog.record+cbor")
def _record(context: Any, value: Any) -> bytes:
    return as_cbor(right(context, value))


@schemathesis.serializer(*STATEMENT_TYPES)
def _statement(context: Any, value: Any) -> bytes:
    """A statement that somebody has signed, for what no schema can make."""
    case = context.case
    positive = case.meta is None or case.meta.generation.mode.is_positive
    if positive and case.operation.path in ("/v1/statements", "/entries"):
        return sign1()
    return value if isinstance(value, bytes) else as_json(context, value)


@schemathesis.serializer("application/vnd.provlog.record+json")
def _record_in_json(context: Any, value: Any) -> bytes:
    return as_json(context, value)


@schemathesis.serializer(ITEMS)
def _items(context: Any, value: Any) -> bytes:
    return b"".join(map(as_cbor, right(context, value)))


@schemathesis.serializer(LINES)
def _lines(context: Any, value: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in right(context, value))


@schemathesis.deserializer(LINES)
def _results(_: object, response: Any) -> list[Any]:
    return [json.loads(line) for line in response.content.splitlines()]


@schemathesis.deserializer(
    "application/octet-stream",
    "text/*",
    "application/cbor",
    "application/concise-problem-details+cbor",
    "application/scitt-receipt+cose",
    "application/scitt-statement+cose",
)
def _text(_: object, response: Any) -> str:
    return str(response.content.decode("latin-1"))


def is_beyond_a_schema(value: object) -> bool:
    """Whether it is refused for a reason that no JSON schema can give.

    That is a number with a point, such as 1.0, and a commitment inside another one.
    """
    if isinstance(value, dict):
        sealed = value.get("commitments")
        twice = isinstance(sealed, list) and len(sealed) > 1
        return twice or any(map(is_beyond_a_schema, value.values()))
    if isinstance(value, list):
        return any(map(is_beyond_a_schema, value))
    return isinstance(value, float)


@schemathesis.hook
def filter_case(_: object, case: Any) -> bool:
    """Whether the description says what has to happen to `case`."""
    positive = case.meta is None or case.meta.generation.mode.is_positive
    if case.operation.path == "/v1/records:batch":
        return positive  # what is wrong in a batch is said in its results
    return not (positive and is_beyond_a_schema(case.body))
