"""The schema as JSON Schema 2020-12, made from the types and the table of kinds.

It says all that JSON Schema can say. What members say against each other, and how a
number is spelled, it cannot: `ledger.schema.checking` says that.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final, get_args

import msgspec

from ledger.schema import words as words_of_records
from ledger.schema.kinds import DONE, KINDS
from ledger.schema.record import SCHEMA, Record
from verifier.document import MAX_INTEGER

_VALUE: Final = {
    "description": "What a record can have in it: no null, and no decimal number.",
    "anyOf": [
        {"type": "string"},
        {"type": "boolean"},
        {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER},
        {"type": "array", "items": {"$ref": "#/$defs/Value"}},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/Value"}},
    ],
}
_WORDS: Final = {
    rule.pattern: name
    for name, word in vars(words_of_records).items()
    for rule in get_args(word)[1:]
    if isinstance(rule, msgspec.Meta) and rule.pattern
}
"""The rules of texts by their patterns: each is written once, and referred to."""


def schema() -> dict[str, Any]:
    """The JSON Schema of a record."""
    found = msgspec.json.schema(Record)
    parts: dict[str, Any] = found["$defs"]
    record = parts.pop("Record")
    words: dict[str, str] = {}
    for part in [record, *parts.values()]:
        part["additionalProperties"] = {"$ref": "#/$defs/Value"}
        part.pop("title", None)
        part["properties"] = {
            name: _referring(_open(each), words)
            for name, each in part["properties"].items()
        }
    named = {name: json.loads(rule) for rule, name in words.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('/', ':')}",
        "title": SCHEMA,
        **record,
        "allOf": [*_by_kind()],
        "$defs": {**parts, **named, "Value": _VALUE},
    }


@lru_cache(maxsize=1)
def text() -> bytes:
    """The same as it is published: its bytes never change, nor does its digest."""
    return json.dumps(schema(), separators=(",", ":"), sort_keys=True).encode() + b"\n"


def _open(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule of a member; one that may be anything is still within the model."""
    return rule or {"$ref": "#/$defs/Value"}


def _referring(rule: Any, words: dict[str, str]) -> Any:
    """The same with long rules of texts replaced by references."""
    if isinstance(rule, list):
        return [_referring(each, words) for each in rule]
    if not isinstance(rule, dict):
        return rule
    if name := _WORDS.get(rule.get("pattern", "")):
        words[json.dumps(rule)] = name
        return {"$ref": f"#/$defs/{name}"}
    return {name: _referring(each, words) for name, each in rule.items()}


def _by_kind() -> list[dict[str, Any]]:
    """What each kind needs, always and when it has ended."""
    rules: list[dict[str, Any]] = []
    for name, kind in KINDS.items():
        if kind.needs:
            rules.append(_if({"kind": {"const": name}}, kind.needs))
        if kind.done:
            done = {"kind": {"const": name}, "phase": {"enum": list(DONE)}}
            rules.append(_if(done, kind.done))
    return rules


def _if(holds: dict[str, Any], needs: tuple[str, ...]) -> dict[str, Any]:
    return {
        "if": {"properties": holds, "required": list(holds)},
        "then": _needing([each.split(".") for each in needs]),
    }


def _needing(paths: list[list[str]]) -> dict[str, Any]:
    """That there is something at the end of each path."""
    names = list(dict.fromkeys(path[0] for path in paths))
    inside: dict[str, Any] = {}
    for name in names:
        deeper = [path[1:] for path in paths if path[0] == name and len(path) > 1]
        inside[name] = _needing(deeper) if deeper else {"minItems": 1}
    return {"required": names, "properties": inside}
