"""docs/mirror.md is true: what it shows at a prompt is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.shell import Shell, as_pattern, steps

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mirror.md"


def test_every_command_runs_and_prints_what_is_shown(tmp_path):
    shell = Shell(tmp_path)
    try:
        given = steps(PAGE.read_text())
        assert len(given) == 8
        for step in given:
            done = shell.give(step)
            assert done.status == 0, f"{step.line}\n{done.said}"
            assert re.fullmatch(as_pattern(step.shown), done.said), done.said
    finally:
        shell.close()
