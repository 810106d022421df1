"""Records that keep every rule, and records that break one, on purpose or by chance."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from ledger.schema.examples import example
from ledger.schema.kinds import KINDS

TIME = "2026-11-30T12:00:00Z"
EXAMPLES = {kind: example(kind) for kind in KINDS}
INFERENCE = EXAMPLES["inference"]


def changed(path: str, value: Any, of: dict[str, Any] = INFERENCE) -> dict[str, Any]:
    """The record with another value at the end of `path`; an integer is a position."""
    record = deepcopy(of)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inside: Any = record
    for step in steps:
        inside = inside[step]
    inside[last] = value
    return record


def without(path: str, of: dict[str, Any] = INFERENCE) -> dict[str, Any]:
    """The record without the member at the end of `path`."""
    record = changed(path, None, of)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inside: Any = record
    for step in steps:
        inside = inside[step]
    del inside[last]
    return record


ODD_TIMES = [
    *("2026-11-30", "2026-11-30T12:00:00", "2026-11-30T12:00:00+00:00"),
    *("2026-11-30T12:00:00+01:00", "2026-11-30 12:00:00Z", "2026-11-30T12:00:00z"),
    *("2026-11-31T12:00:00Z", "2026-02-29T12:00:00Z", "2100-02-29T12:00:00Z"),
    *("2026-11-30T24:00:00Z", "2026-11-30T23:59:60Z", "2026-13-01T12:00:00Z"),
    *("2026-11-30T12:00:00.Z", "2026-11-30T12:00:00.1234567Z", f"{TIME}\n", ""),
    *("٢٠٢٦-11-30T12:00:00Z", "20261130T120000Z"),
]
ODD_TARGETS = [
    *("", "rec:", "rec:1", "sha256:00", "git:repo", "git:repo@abc", "ticket:PAY-7"),
    *("http://log.example", "oci:image@latest", "hf:model", "mlflow:name", "otel:1/2"),
    *("log:origin", "log:origin/01", "a2a:", "ol:namespace", "Rec:x", "ticket:a/b c"),
]
COUNTER_EXAMPLES = {
    **{f"time {each!r}": changed("time", each) for each in ODD_TIMES},
    **{
        f"target {each!r}": changed("links", [{"rel": "used", "target": each}])
        for each in ODD_TARGETS
    },
    **{
        f"without {path}": without(path)
        for path in (
            *("schema", "id", "kind", "phase", "time", "producer", "capture", "actor"),
            *("producer.id", "capture.mode", "capture.vantage", "actor.type"),
            *("model", "model.request_name", "inputs", "result", "result.status"),
        )
    },
    "another schema": changed("schema", "provlog/record/2"),
    "UUIDv4": changed("id", "01a0c54a-5ad0-4aa2-bf0c-000000000001"),
    "upper case id": changed("id", INFERENCE["id"].upper()),
    "unknown kind": changed("kind", "run"),
    "half a vendor's kind": changed("kind", "x-vendor"),
    "unknown phase": changed("phase", "later"),
    "no digest": changed("inputs.0.digest", "sha256:abc"),
    "another hash": changed("inputs.0.digest", "sha512:" + "0" * 64),
    "upper case digest": changed("inputs.0.digest", "sha256:" + "A" * 64),
    "a digest and more": changed("inputs.0.digest", f"sha256:{'0' * 64}\n"),
    "no inputs": changed("inputs", []),
    "inputs that are no list": changed("inputs", {}),
    "an input that is no object": changed("inputs", ["sha256:"]),
    "null": changed("env", None),
    "null where nobody looks": changed("extra", {"deep": [None]}),
    "a fraction where nobody looks": changed("extra", {"deep": [0.5]}),
    "a large number where nobody looks": changed("extra", 2**53),
    "temperature as a number": changed("params.temperature", 0.2),
    "no decimal": changed("params.temperature", "0,2"),
    "an exponent": changed("params.temperature", "1e3"),
    "a count below zero": changed("usage.input", -1),
    "a count as text": changed("usage.input", "812"),
    "true as a count": changed("usage.input", True),
    "a line feed in a name": changed("actor.id", "agent\n1"),
    "an escape in a name": changed("actor.id", "agent\x1b[2J"),
    "what turns words around": changed("actor.id", "agent\u202e1"),
    "an empty name": changed("actor.id", ""),
    "a long name": changed("actor.id", "a" * 257),
    "an unknown actor": changed("actor.type", "robot"),
    "an actor that is text": changed("actor", "agent"),
    "an unknown relation": changed("links", [{"rel": "x", "target": "a2a:1"}]),
    "a trace of zeros": changed("trace", {"trace_id": "0" * 32}),
    "no currency": changed("cost.currency", "euro"),
    "an empty path": changed(
        "commitments", [{"path": [], "digest": f"sha256:{'0' * 64}"}]
    ),
}
"""By what is wrong with them; JSON Schema can say each of it."""

BEYOND = {
    "an end before the beginning": changed("end_time", "2026-11-30T11:59:59Z"),
    "an input of which nothing is said": changed("inputs", [{"name": "messages"}]),
    "a commitment to what is said openly": changed(
        "commitments", [{"path": ["env"], "digest": f"sha256:{'0' * 64}"}]
    )
    | {"env": "test"},
    "two commitments to one value": changed(
        "commitments", 2 * [{"path": ["x"], "digest": f"sha256:{'0' * 64}"}]
    ),
}
"""What no JSON Schema can say is refused as well."""

_odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**54), 2**54),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from([[], {}, "", TIME, "sha256:" + "0" * 64, "ok", "\x7f", "a\u2028b"]),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=2),
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for step, each in items:
        found += _paths(each, (*path, step))
    return found


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """An example in which something was put, taken away, or nothing."""
    record: dict[str, Any] = deepcopy(draw(st.sampled_from([*EXAMPLES.values()])))
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(_paths(record)))
        inside: Any = record
        for step in path[:-1]:
            inside = inside[step]
        how = draw(st.sampled_from(["put", "take", "add"]))
        if how == "put":
            inside[path[-1]] = draw(_odd)
        elif how == "take":
            del inside[path[-1]]
        elif isinstance(inside, dict):
            inside[draw(st.text(max_size=4))] = draw(_odd)
    return record


def as_json(record: Any, *, spaced: bool = False, ascii_: bool = True) -> bytes:
    """The record as some program would write it."""
    separators = None if spaced else (",", ":")
    return json.dumps(record, separators=separators, ensure_ascii=ascii_).encode(
        "utf-8", "surrogatepass"
    )
