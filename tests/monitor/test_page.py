"""The page on monitoring says what is so: its commands run, its tables are complete."""

import re
import shlex
import shutil
from pathlib import Path

from cli.monitor import monitor
from ledger.monitor import rounds
from tests.cli.operating import done

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "monitor.md").read_text()


def test_its_commands_run(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "docs" / "sample", tmp_path / "docs" / "sample")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\$ provlog (.*)$", TEXT, re.MULTILINE)
    assert commands
    for each in commands:
        assert "holds" in done(*shlex.split(each))


def test_it_has_a_row_for_each_kind_of_alarm():
    kinds = {*rounds._ALL, *rounds._PLACES, "unreachable", "matched"}
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == kinds


def test_it_names_no_option_that_there_is_not():
    options = {name for each in monitor.params for name in each.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))
    assert named <= options | {"--misbehaviour"}
