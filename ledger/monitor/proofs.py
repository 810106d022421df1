"""Proofs of misbehaviour, kept beside the state: a file for each fork."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from verifier.durable import write_atomically
from verifier.errors import Unavailable, VerificationError
from verifier.memory import said
from verifier.misbehaviour import MAX_BYTES, Misbehaviour
from verifier.monitor import Forked
from verifier.report import Report
from verifier.source import read_file

MAX_PROOFS: Final = 64
"""A log that signs a fork every minute is not to fill a disk."""


def keep_proof(state: Path, fork: Forked, report: Report) -> str:
    """Write the proof; one of another fork does not take the place of the first."""
    data = fork.misbehaviour.encode()
    path = state.with_name(f"{state.name}.misbehaviour")
    if os.path.lexists(path) and not _same_fork(path, fork.misbehaviour):
        others = list(path.parent.glob(f"{path.name}-*"))
        path = path.with_name(f"{path.name}-{_fork_name(fork.misbehaviour)}")
        if len(others) >= MAX_PROOFS and path not in others:
            report.notes("proof", f"not kept: there are {len(others)} beside it")
            return ""
    try:
        write_atomically(path, data)
    except Unavailable as error:
        report.notes("proof", f"it could not be kept: {error}")
        return ""
    report.notes("proof", f"{path} proves it to anybody", path=str(path))
    return str(path)


def _same_fork(path: Path, claim: Misbehaviour) -> bool:
    """Whether the proof at `path` is about the same two checkpoints."""
    try:
        there = Misbehaviour.parse(read_file(path, MAX_BYTES))
        return _fork_name(there) == _fork_name(claim)
    except (OSError, VerificationError):
        return False


def _fork_name(claim: Misbehaviour) -> str:
    # The same two trees, whichever is shown now and whoever has cosigned it.
    heads = sorted(
        (each.size, each.root) for each in map(said, (claim.first, claim.second))
    )
    return sha256(repr(heads).encode()).hexdigest()[:16]
