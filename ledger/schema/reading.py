"""Reading records as they come, JSON or CBOR: strict, and quick where nothing is wrong.

What is plain is read and checked in C. Where C sees less than the rules say, or says
no, `ledger.schema.checking` looks at all of it; so what is accepted, and what is said
of the rest, never depends on which of the two has looked.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import MsgspecError, convert

from ledger.errors import Refused
from ledger.schema.checking import faults_in, has
from ledger.schema.demands import NOTHING, Demands
from ledger.schema.faults import Faulty
from ledger.schema.kinds import needs_of
from ledger.schema.plain import read_plain
from ledger.schema.record import Record
from verifier import cbor
from verifier.document import MAX_DEPTH, check_value, parse_json
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.record import Record as Object

MAX_JSON_BYTES: Final = 2 * MAX_BODY_BYTES
"""A record in JSON may be larger than it is when it is logged."""

_ARTIFACTS: Final = ("inputs", "outputs")


def read_json(data: bytes, demands: Demands = NOTHING) -> tuple[Object, bytes]:
    """The record in `data`, and its canonical form; Faulty has all that is wrong.

    MalformedError if it is no JSON, or more of it than is read. What is wrong only by
    `demands` is for who knows the log.
    """
    found = read_plain(data)
    if found and _holds_together(found[0]):
        return found
    record = parse_json(data, "the record", most=MAX_JSON_BYTES, depth=MAX_DEPTH)
    check(record, demands)
    return record, written(record)


def read_cbor(data: bytes, demands: Demands = NOTHING) -> Object:
    """The record in `data`, which has to be its canonical form; likewise."""
    record = cbor.decode(data, text_keys=True)
    try:
        convert(record, Record)
        check_value(record, "the record")
        quick = _holds_together(record)
    except (MsgspecError, MalformedError):
        quick = False
    if not quick:
        check(record, demands)
    return record  # type: ignore[return-value]


def check(record: Any, demands: Demands = NOTHING) -> None:
    """Return if `record` keeps every rule, or raise Faulty with what it lacks, too."""
    if faults := faults_in(record):
        lacks = demands.refusals(record) if isinstance(record, dict) else []
        raise Faulty(faults + lacks)


def written(record: Object) -> bytes:
    """The canonical form."""
    body = cbor.encode(record)
    if len(body) > MAX_BODY_BYTES:
        says = f"the record has {len(body)} bytes; log what is larger than"
        raise Refused("size", f"{says} {MAX_BODY_BYTES} by its digest")
    return body


def _holds_together(record: Any) -> bool:
    """Whether members that are right by themselves are so together, at a glance."""
    if "end_time" in record or "commitments" in record:
        return False
    for need in needs_of(record["kind"], record["phase"]):
        if not has(record, need):
            return False
    for name in _ARTIFACTS:
        for each in record.get(name, ()):
            if "digest" not in each:
                return False
    return True
