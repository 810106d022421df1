"""What is public of a log, and what an auditor says of it."""

from __future__ import annotations

import subprocess
import sys

from tests.upkeep.spoil import (
    ROOT,
)
from verifier import verify_checkpoint, verify_log
from verifier.source import Directory


def files(dest):
    """The files in an exported folder, but for the checkpoint."""
    return {
        path.relative_to(dest).as_posix(): path.read_bytes()
        for path in dest.rglob("*")
        if path.is_file() and not path.name.startswith("checkpoint")
    }


def audited(dest, log, policy=None):
    """The tree in `dest`, every byte of which is right."""
    data = (dest / "checkpoint").read_bytes()
    tree = verify_checkpoint(data, policy or log.policy).checkpoint
    kind = "record" if log.charter.kind == "record" else "opaque"
    verify_log(Directory(dest), tree, kind=kind)
    return tree


def audit(dest, policy):
    """What the auditor's command says, and how it ends."""
    return subprocess.run(
        [sys.executable, "-m", "verifier", "audit", "--policy", policy, dest],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
