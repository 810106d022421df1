"""What it costs to read a record: checked, in canonical form, hashed.

Beside it stand the bare libraries: json to read it, cbor2 to write it, which look at
nothing, and the same hash.
"""

from __future__ import annotations

import json
from copy import deepcopy
from hashlib import sha256
from typing import Any, Final

import cbor2

from benchmarks.measure import in_turn, spread
from ledger.schema.examples import example
from ledger.schema.reading import read_json

_TIMES: Final = 20_000
_REPLACED: Final = "01a0c54a-0000-7000-8000-000000000000"


def typical() -> tuple[str, str]:
    """A typical inference record in JSON, what stands before its id and behind it."""
    record = deepcopy(example("inference")) | {"id": _REPLACED}
    for name in ("cost", "params"):
        del record[name]
    for each in (*record["inputs"], *record["outputs"]):
        del each["name"], each["media_type"]
    text = json.dumps(record, separators=(",", ":"))
    before, _, behind = text.partition(_REPLACED)
    return before, behind


def run(rounds: int) -> None:
    """Print what was measured."""
    data = _REPLACED.join(typical()).encode()
    value: dict[str, Any] = json.loads(data)
    ours, read, write, written = in_turn(
        rounds,
        _times(lambda: sha256(read_json(data)[1]).digest()),
        _times(lambda: json.loads(data)),
        _times(lambda: cbor2.dumps(value, canonical=True)),
        _times(lambda: sha256(cbor2.dumps(json.loads(data), canonical=True)).digest()),
    )
    print(f"an inference record of {len(data)} bytes in JSON, one core, us")
    for name, taken in (
        ("checked, canonical, hashed", ours),
        ("json alone", read),
        ("cbor2 alone, canonical", write),
        ("json, cbor2 and sha256", written),
    ):
        print(f"  {name:<28} {spread([each / _TIMES * 1e6 for each in taken], '.1f')}")
    ratios = [a / b for a, b in zip(ours, written, strict=True)]
    print(f"  ours / the bare libraries    {spread(ratios, '.2f')}")


def _times(work: Any) -> Any:
    def many() -> None:
        for _ in range(_TIMES):
            work()

    return many
