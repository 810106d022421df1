"""How fast a whole log is audited, beside the bare cost of the hashes that it takes."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

from benchmarks.biglog import opaque_entries, wrapped_entries, write_log
from benchmarks.measure import cores, in_turn, peak_mb, rate_text, ratio_text
from verifier.audit import audit
from verifier.checkpoint import Checkpoint
from verifier.meter import Meter
from verifier.source import Directory

ENTRY_BYTES = 300
SAMPLE = 100_000


def run(entries: int, rounds: int) -> None:
    """Print what was measured."""
    print(
        f"audit of {entries:,} entries of {ENTRY_BYTES} bytes, {cores()} cores, folder"
    )
    _measure("opaque", opaque_entries(entries, ENTRY_BYTES), entries, rounds)
    _measure("record", wrapped_entries(entries, ENTRY_BYTES), entries, rounds)
    print(f"  peak memory of all of the above: {peak_mb()}")


def _measure(kind: str, content: Iterator[bytes], entries: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        source = Directory(Path(name))
        print(f"  writing the {kind} log …", file=sys.stderr)
        checkpoint = write_log(source.folder, content)
        one = partial(_audit, source, checkpoint, 1)
        many = partial(_audit, source, checkpoint, cores())
        strict = partial(_audit, source, checkpoint, cores(), strict=True)
        works: list[Callable[[], object]] = [partial(_bare, entries), one, many]
        if kind == "record":
            works.append(strict)
        bare, alone, together, *rest = in_turn(rounds, *works)
        shutil.rmtree(source.folder, ignore_errors=True)
        source.folder.mkdir()
    print(f"  {kind}: bare SHA-256, one core  {rate_text(entries, bare)}")
    print(f"  {kind}: audit, one process      {rate_text(entries, alone)}")
    print(f"  {kind}:   of the bare cost      {ratio_text(alone, bare)}")
    print(f"  {kind}: audit, {cores()} processes     {rate_text(entries, together)}")
    for times in rest:
        print(f"  {kind}: the same, --strict      {rate_text(entries, times)}")


def _audit(
    source: Directory, checkpoint: Checkpoint, processes: int, *, strict: bool = False
) -> None:
    meter = Meter(sys.stderr, time.monotonic)
    outcome = audit(source, checkpoint, strict=strict, processes=processes, watch=meter)
    meter.clear()
    assert not outcome.damage


def _bare(entries: int) -> None:
    """The calls of SHA-256 that a tree takes: a leaf and a node for each entry."""
    leaves = [b"\x00" + each for each in opaque_entries(SAMPLE, ENTRY_BYTES)]
    node = bytes(65)
    for _ in range(entries // SAMPLE):
        for leaf in leaves:
            sha256(leaf).digest()
        for _ in range(SAMPLE):
            sha256(node).digest()
