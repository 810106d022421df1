"""A log to be mirrored, by a writer of its own, and a look at it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ledger.mirror.folder import opened
from ledger.mirror.following import Mirrored, look_once
from tests.testlog import TIME, TestLog
from verifier import verify_checkpoint, verify_log
from verifier.source import Directory, Source
from verifier.trust import Limits


def entries(start: int, stop: int) -> list[bytes]:
    """Entries that are just bytes, each another one; the first is empty."""
    return [(b"%d," % number) * (number % 9) for number in range(start, stop)]


def log_of(folder: Path, size: int) -> TestLog:
    """A log of `size` entries, as its operator shows it in `folder`."""
    log = TestLog(folder)
    log.append(*entries(0, size))
    return log


def mirrored(source: Source | Path, dest: Path, log: TestLog, **given: Any) -> Mirrored:
    """One look at `source`, under the policy of `log`, by the mirror in `dest`."""
    source = Directory(source) if isinstance(source, Path) else source
    options: dict[str, Any] = {
        "now": TIME + 60,
        "limits": Limits(now=TIME + 60),
        "watch": lambda *_: None,
    }
    with opened(dest, source) as mirror:
        return look_once(source, log.policy, mirror, **options | given)


def audited(dest: Path, log: TestLog) -> int:
    """The size of the mirror in `dest`, all of which an auditor has looked at."""
    data = (dest / "checkpoint").read_bytes()
    tree = verify_checkpoint(data, log.policy).checkpoint
    verify_log(Directory(dest), tree, kind="opaque")
    return tree.size


def tiles(folder: Path, but: Iterable[str] = ()) -> dict[str, bytes]:
    """The tiles in `folder`, by their path."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder / "tile").rglob("*")
        if path.is_file()
    }
    return {path: data for path, data in found.items() if path not in but}


def without_old_partials(folder: Path) -> None:
    """Drop the partial tiles whose full ones are there, as logs may."""
    for path in (folder / "tile").rglob("*.p/*"):
        if path.parent.with_suffix("").is_file():
            path.unlink()
