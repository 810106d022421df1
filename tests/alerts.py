"""The alert rules of deploy/, as tests read them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml  # type: ignore[import-untyped]

RULES = Path(__file__).resolve().parents[1] / "deploy" / "alerts.yml"


class Alert(NamedTuple):
    """One rule."""

    name: str
    expr: str
    severity: str
    summary: str
    description: str
    runbook: str


ALERTS = {
    each["alert"]: Alert(
        each["alert"], each["expr"], **each["labels"], **each["annotations"]
    )
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for each in group["rules"]
}
