"""docs/witness.md is true: its commands run, and print what is shown."""

from pathlib import Path

import pytest

from cli.witness import witness
from tests.house.shell import carry_out

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "witness.md").read_text()


@pytest.mark.exhaustive
def test_every_command_runs_and_prints_what_is_shown(tmp_path):
    assert carry_out(tmp_path, TEXT) > 7


def test_every_command_of_a_witness_is_shown():
    shown = {each for each in witness.commands if f"$ provlog witness {each} " in TEXT}
    assert shown == set(witness.commands)
