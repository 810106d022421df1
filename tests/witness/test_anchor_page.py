"""docs/anchor.md is true: its commands run, and print what is shown."""

from pathlib import Path

import pytest

from cli.anchor import anchor
from tests.house.shell import carry_out

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "anchor.md").read_text()


@pytest.mark.exhaustive
def test_every_command_runs_and_prints_what_is_shown(tmp_path):
    assert carry_out(tmp_path, TEXT) > 7


def test_every_command_of_an_anchor_service_is_shown():
    shown = {each for each in anchor.commands if f"$ provlog anchor {each} " in TEXT}
    assert shown == set(anchor.commands)
