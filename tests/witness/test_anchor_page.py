"""docs/anchor.md is true: its commands run, and print what is shown."""

import re
from pathlib import Path

import pytest

from cli.anchor import anchor
from tests.house.shell import Shell, as_pattern, steps

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "anchor.md").read_text()


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    yield shell
    shell.close()


@pytest.mark.exhaustive
def test_every_command_runs_and_prints_what_is_shown(shell):
    assert len(steps(TEXT)) > 7
    for step in steps(TEXT):
        done = shell.give(step)
        assert done.status == 0, f"{step.line}\n{done.said}"
        assert re.fullmatch(as_pattern(step.shown), done.said), done.said


def test_every_command_of_an_anchor_service_is_shown():
    missing = {each for each in anchor.commands if f"provlog anchor {each}" not in TEXT}
    assert not missing
