"""Both logs as services, each in a new folder."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.http import service, shown_size, started

BATCH: Final = ("-batch", "256", "-age", "1s", "-checkpoint", "1s")
"""As Tessera's own server for such measurements has it."""
SETTINGS: Final = "min_free_bytes = 0\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A log that is served: where, by which processes, in which folder."""

    name: str
    url: str
    pid: int
    folder: Path

    def resident(self) -> int:
        """The bytes that its processes hold; pages of files are cache, and left out."""
        return resident(self.pid)

    def size(self) -> int:
        """How large its published tree is, when that has come to rest."""
        found = -1
        while found != (now := shown_size(self.url)):
            found = now
            time.sleep(1.5)  # both publish each second: longer than that is at rest
        return found

    def on_disk(self) -> int:
        """The bytes of its files, as the disk has them."""
        files = (path.stat() for path in self.folder.rglob("*") if path.is_file())
        return sum(each.st_blocks * 512 for each in files)


@contextmanager
def ours(folder: Path, workers: int = 2) -> Iterator[Server]:
    """Ours, with two front ends if nothing else is said; durable when it answers."""
    with service(folder, "opaque", workers, SETTINGS) as (url, process):
        yield Server(name="ours", url=url, pid=process.pid, folder=folder / "served")


@contextmanager
def theirs(folder: Path, options: tuple[str, ...] = BATCH) -> Iterator[Server]:
    """Tessera on a POSIX file system."""
    log = folder / "peer"
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir(parents=True)
    program = Path(os.environ["PEERS"]) / "server"
    try:
        with started([f"{program}", "-folder", f"{log}", *options]) as (url, process):
            yield Server(name="tessera", url=url, pid=process.pid, folder=log)
    finally:
        shutil.rmtree(log, ignore_errors=True)


def resident(pid: int) -> int:
    """What a process and all that it has started hold, each shared page once."""
    return sum(_pss(each) for each in _tree(pid))


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _tree(int(child)))]


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) * 1024
    return 0
