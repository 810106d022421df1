"""The programs that were built of other people's code, and how they are asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.liveservice import LiveService

_BUILT = Path(os.environ.get("STRANGERS", Path(sys.prefix) / "strangers"))
STRANGER, HAMMER, INTEGRATION = "stranger", "hammer", "integration"
PATIENCE_S = 150


class Theirs(NamedTuple):
    """A log that is not ours: its folder, its key, and a policy that believes it."""

    folder: Path
    vkey: str
    policy: Path


def path_of(name: str) -> Path:
    """Where a program is; without it the test says what is missing."""
    path = _BUILT / name
    if path.exists():
        return path
    why = f"{name} is not built: it needs Go, and `make interop` builds it"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


class Ask:
    """Runs one of them to its end."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ended(self, *words: object) -> subprocess.CompletedProcess[str]:
        """However it ends."""
        command = [str(path_of(self.name)), *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )

    def __call__(self, *words: object) -> str:
        """What it says; it has to end well."""
        done = self.ended(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def size_of(service: LiveService) -> int:
    """How large the tree is that everybody can see."""
    return service.live.saw(service.get("/checkpoint").body).size


def key_of(service: LiveService) -> str:
    """The log's key, as a verifier of notes has it."""
    return service.live.policy.logs[0].text()
