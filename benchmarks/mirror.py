"""How fast a log is mirrored, beside a bare audit of the same log in the same run."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.biglog import opaque_entries, write_log
from benchmarks.measure import cores, in_turn, peak_mb, rate_text, ratio_text
from ledger.mirror.copying import copy_new
from ledger.mirror.folder import opened
from verifier.audit import audit
from verifier.checkpoint import Checkpoint
from verifier.meter import Meter
from verifier.source import Directory

ENTRY_BYTES = 300


def run(entries: int, rounds: int) -> None:
    """Print what was measured."""
    print(f"mirror of {entries:,} entries of {ENTRY_BYTES} bytes, {cores()} cores")
    with tempfile.TemporaryDirectory() as name:
        source, dest = Directory(Path(name) / "log"), Path(name) / "mirror"
        source.folder.mkdir()
        print("  writing the log …", file=sys.stderr)
        tree = write_log(source.folder, opaque_entries(entries, ENTRY_BYTES))
        bare, mirrored, again = in_turn(
            rounds,
            partial(_audit, source, tree),
            partial(_mirror, source, tree, dest, fresh=True),
            partial(_mirror, source, tree, dest, fresh=False),
        )
    print(f"  audit, one process          {rate_text(entries, bare)}")
    print(f"  mirror, durable             {rate_text(entries, mirrored)}")
    print(f"    of the audit's cost       {ratio_text(mirrored, bare)}")
    print(f"  the same, all fetched before {rate_text(entries, again)}")
    print(f"  peak memory of all of the above: {peak_mb()}")


def _audit(source: Directory, tree: Checkpoint) -> None:
    assert not audit(source, tree, kind="opaque").damage


def _mirror(source: Directory, tree: Checkpoint, dest: Path, *, fresh: bool) -> None:
    """Fetch, hash and write all of it; without the checkpoint, which nobody signed."""
    if fresh:
        shutil.rmtree(dest, ignore_errors=True)
    meter = Meter(sys.stderr, time.monotonic)
    with opened(dest, source) as mirror:
        copy_new(source, tree, mirror, meter)
    meter.clear()
