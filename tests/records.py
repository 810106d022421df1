"""The smallest record there is, for tests that are about something else."""

from __future__ import annotations

import json
from typing import Any, Final

SMALLEST: Final[dict[str, Any]] = {
    "schema": "provlog/record/1",
    "kind": "capture.heartbeat",
    "phase": "instant",
    "time": "2026-11-30T12:00:00Z",
    "producer": {"id": "p"},
    "capture": {"vantage": "self", "mode": "full"},
    "actor": {"id": "a", "type": "service"},
}
"""One without an id; whoever submits it gives it one."""

ID: Final = "01a0c54a-5ad0-7aa2-bf0c-%012d"
TEXT: Final = json.dumps(
    {"id": ID, **SMALLEST, "note": "run"}, separators=(",", ":")
).encode()
"""The same and a note as a line of JSON; its number is to be filled in with %."""


def record(number: int, **members: Any) -> dict[str, Any]:
    """Record `number`, with more members."""
    return {"id": ID % number, **SMALLEST, **members}
