"""Somebody who has the verifier, files that were sent, and nothing else of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_ALONE = (
    "import runpy, sys; sys.modules |= dict.fromkeys(['ledger', 'capture', 'cli']);"
    "import verifier; print(verifier.__file__); sys.argv[0] = 'verifier';"
    "runpy.run_module('verifier', run_name='__main__')"
)
_LEFT_OUT = ("PYTHONPATH", "COVERAGE_PROCESS_START")


def verifies(folder: Path, files: Mapping[str, bytes], *words: str) -> tuple[int, str]:
    """What `python -m verifier` says in `folder`, in which only these files are."""
    made = folder / "verifier"
    if not made.exists():
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "verifier", made, ignore=skip)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    ended = subprocess.run(
        [sys.executable, "-c", _ALONE, *words],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k not in _LEFT_OUT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stderr
    whose, _, said = ended.stdout.partition("\n")
    assert Path(whose).is_relative_to(made), whose
    return ended.returncode, said
