"""A memory limit for a command and all that it starts: a control group of its own."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_V1: Final = Path("/sys/fs/cgroup/memory")
_V2: Final = Path("/sys/fs/cgroup")


class Limited:
    """The control group: how to start a command in it, and what it has used."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        old = folder.is_relative_to(_V1)
        limit = folder / ("memory.limit_in_bytes" if old else "memory.max")
        self._peak = folder / ("memory.max_usage_in_bytes" if old else "memory.peak")
        self._oom = folder / ("memory.oom_control" if old else "memory.events")
        limit.write_text(str(limit_bytes))
        with suppress(OSError):  # where there is swap, none of it counts as room
            (folder / "memory.swap.max").write_text("0")

    @property
    def wrapper(self) -> tuple[str, ...]:
        """What stands before a command that is to run in it."""
        join = f'echo $$ > "{self.folder}/cgroup.procs"; exec "$@"'
        return "sh", "-c", join, "sh"

    def peak_bytes(self) -> int:
        """The most that was in use at once, the file cache included."""
        return int(self._peak.read_text())

    def killed(self) -> int:
        """How many processes the kernel has killed for want of memory."""
        for line in self._oom.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
        return 0

    def private_bytes(self) -> int:
        """What its processes hold that is no page of a file."""
        total = 0
        for pid in (self.folder / "cgroup.procs").read_text().split():
            with suppress(OSError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                found = re.search(r"^Anonymous:\s+(\d+) kB", text, re.MULTILINE)
                total += int(found[1]) << 10 if found else 0
        return total


def unavailable() -> str:
    """Why no control group can be made here, or nothing."""
    if os.getuid():
        return "a control group is made by root"
    if not (_V1.is_dir() or (_V2 / "memory.max").exists() or _has_v2()):
        return "there is no memory controller"
    return ""


@contextmanager
def limited(limit_bytes: int) -> Iterator[Limited]:
    """A control group that is gone afterwards, with all that ran in it."""
    folder = (_V1 if _V1.is_dir() else _V2) / f"provlog-{os.getpid()}"
    folder.mkdir()
    try:
        yield Limited(folder, limit_bytes)
    finally:
        for _ in range(100):
            for pid in (folder / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            with suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.05)  # who was killed ends in the kernel's own time


def _has_v2() -> bool:
    with suppress(OSError):
        return "memory" in (_V2 / "cgroup.subtree_control").read_text()
    return False
