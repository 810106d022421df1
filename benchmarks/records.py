"""What the schema costs over HTTP: records beside opaque entries of the same length.

Two services stand beside each other and have the load in turn, one record a request
with the receipt in the answer, and then batches. The ratios are within a round.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.http import BATCH, batch_script, service
from benchmarks.measure import cores, spread
from benchmarks.schema import typical
from benchmarks.wrk import ONE, UNIQUE, answered

CONNECTIONS: Final = (16, 64, 256)
_RECORD: Final = (
    UNIQUE
    + """
local headers = {["Content-Type"] = "application/json"}
function request()
  n = n + 1
  local id = string.format("01a0c54a-5ad0-7%%03x-8%%03x-%%04x%%08x",
    r %% 4096, math.floor(r / 4096) %% 4096, tid, n)
  return wrk.format("POST", "/v1/records", headers, '%s' .. id .. '%s')
end
"""
)
_ID_BYTES: Final = 36


def run(folder: Path, rounds: int, *, quick: bool = False) -> None:
    """Print what was measured."""
    seconds = 4 if quick else 10
    size = sum(map(len, typical())) + _ID_BYTES
    print(f"records of {size} bytes beside opaque entries of as many, {cores()} cores")
    with ExitStack() as stack:
        for kind in ("record", "opaque"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        urls = {
            kind: stack.enter_context(service(folder / kind, kind, 2))[0]
            for kind in ("record", "opaque")
        }
        opaque = ONE % (size, "/v1/records", "nil")
        scripts = {"record": _RECORD % typical(), "opaque": opaque}
        print("  POST /v1/records, a receipt in each answer, 2 front ends")
        for connections in CONNECTIONS[-1:] if quick else CONNECTIONS:
            _compare(
                f"{connections} connections",
                urls,
                scripts,
                connections,
                rounds,
                seconds,
            )
        print(f"  POST /v1/records:batch, {BATCH} a request, 16 connections, entries/s")
        for accept in ("text/plain", "application/x-ndjson"):
            scripts = {kind: batch_script(kind, accept, size) for kind in urls}
            _compare(accept, urls, scripts, 16, rounds, seconds, each=BATCH)


def _compare(
    what: str,
    urls: dict[str, str],
    scripts: dict[str, str],
    connections: int,
    rounds: int,
    seconds: int,
    *,
    each: int = 1,
) -> None:
    found: dict[str, list[float]] = {kind: [] for kind in urls}
    for _ in range(rounds):
        for kind, url in urls.items():
            rate = answered(url, scripts[kind], connections, seconds)
            found[kind].append(rate * each)
    ratios = [a / b for a, b in zip(found["record"], found["opaque"], strict=True)]
    rates = {kind: f"{statistics.median(some):,.0f}/s" for kind, some in found.items()}
    print(
        f"    {what:<22} records {rates['record']}, opaque {rates['opaque']}, "
        f"ratio {spread(ratios, '.2f')}"
    )
