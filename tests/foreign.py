"""Vectors that strangers made: read where they lie, never copied into the project.

They are what keeps us from agreeing with our own mistakes. A developer without
them sees a skipped test and the reason; the integration machine (`CI=true`) has
to have them, because there a skipped test would look like a passed one.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """Return the folder of foreign vectors called `name`, or skip the caller.

    May be called in a test, or while a module is being collected.
    """
    home = os.environ.get("FOREIGN_VECTORS", "../shared/vectors")
    path = (ROOT / home / name).resolve()
    if path.is_dir():
        return path
    reason = (
        f"foreign vectors '{name}' are not in {home}; "
        "FOREIGN_VECTORS can name the folder that holds them"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
