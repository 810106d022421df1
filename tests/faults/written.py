"""A log that is written to under strace, and every state that a crash could leave."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests import tools
from tests.faults.site import Site, writer
from tests.faults.trace import CALLS, OPTIONS

ROOT = Path(__file__).resolve().parents[2]
BEFORE = 300
"""Entries, so that a first export makes every folder there is."""
SECONDS = 1_500


class Written:
    """A log, what a writer did to it, and to the folder that it was exported to."""

    def __init__(self, folder: Path, out: str = "out") -> None:
        tools.need("strace")
        self.site = Site(folder / "log", before=BEFORE)
        self.public = folder / "public"
        self.out = out
        self.public.mkdir()
        self.traces: list[Path] = []

    def write(self, *options: str, preload: str = "") -> int:
        """Let a writer do its work, and trace it."""
        self.traces.append(self.public.with_name(f"trace{len(self.traces)}"))
        loaded = ["-E", f"LD_PRELOAD={preload}"] if preload else []
        command = ["strace", *OPTIONS, *loaded, "-o", str(self.traces[-1])]
        command += ["-e", f"trace={CALLS}"]
        command += writer(self.site.folder, "--export", str(self.public / self.out))
        ended = subprocess.run(
            [*command, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            timeout=60,
            check=False,
        )
        return ended.returncode

    def states(self, *options: str) -> dict:
        """Judge the states that a crash during all this could leave."""
        self.site.reset()
        shutil.rmtree(self.public)
        self.public.mkdir()
        command = [sys.executable, "-m", "tests.faults.crash_states"]
        command += [str(self.site.folder), str(self.public), *map(str, self.traces)]
        command += ["--out", self.out]
        ended = subprocess.run(
            [*command, *options],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            timeout=SECONDS,
            check=True,
        )
        found: dict = json.loads(ended.stdout)
        print(found)
        return found
