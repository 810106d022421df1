"""docs/operations.md is true: its commands, each setting, state, event and metric."""

import dataclasses
import json
import logging
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.main import main
from ledger.config import _CLIENTS as CLIENTS
from ledger.config import ENVIRONMENT, Config
from ledger.events import EVENTS
from ledger.log.states import MENDS
from ledger.metrics import METRICS
from ledger.upkeep.birth import SETTINGS_TEXT
from tests.house.test_docs import anchors, as_pattern

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operations.md"
TEXT = PAGE.read_text()


def session():
    """The lines of shell that the page shows, in order, each with its output."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def table(heading):
    """The rows under a header that begins with `heading`: their cells."""
    rows = TEXT.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def section(heading):
    return re.split(
        r"^##+ ", TEXT.split(f"\n### {heading}\n", 1)[1], flags=re.MULTILINE
    )[0]


@pytest.fixture
def prompt(tmp_path):
    """Carries out a line of shell, as somebody would who has provlog installed."""
    script = tmp_path / "bin" / "provlog"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nfrom cli.main import run\nrun()\n")
    script.chmod(0o755)
    (tmp_path / "desk").mkdir()
    path = f"{script.parent}:{os.environ['PATH']}"

    def give(line):
        return subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path / "desk",
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return give


@pytest.mark.exhaustive
def test_every_command_runs_and_prints_what_is_shown(prompt):
    assert len(session()) > 15
    for line, shown in session():
        given = prompt(line)
        assert given.returncode == 0, f"{line}\n{given.stdout}"
        assert re.fullmatch(as_pattern(shown), given.stdout), given.stdout


def test_every_command_of_an_operator_is_shown(prompt):
    assert "  append " in prompt("provlog --help").stdout
    missing = {each for each in main.commands if f"provlog {each}" not in TEXT}
    assert missing == {"verify", "monitor", "inspect"}  # auditing.md has these


def test_every_setting_has_its_row_with_its_default_and_its_reason():
    assert table("setting") == [
        [f"`{each.name}`", f"`{json.dumps(each.default)}`", each.metadata["says"]]
        for each in dataclasses.fields(Config)
    ]


def test_every_variable_that_is_no_setting_is_named():
    settings = TEXT.split("\n## Settings\n", 1)[1].split("\n## ", 1)[0]
    names = {each.name for each in dataclasses.fields(Config)}
    named = {
        each
        for each in re.findall(rf"`({ENVIRONMENT}\w+)[`=]", settings)
        if each.removeprefix(ENVIRONMENT).lower() not in names
    }
    assert named == set(CLIENTS)


def test_the_settings_that_a_new_log_lists_are_the_defaults():
    listed = re.sub(rb"^# (?=\w+ =)", b"", SETTINGS_TEXT, flags=re.MULTILINE).decode()
    for name, value in tomllib.loads(listed).items():
        default = getattr(Config(), name)
        assert value == (list(default) if isinstance(default, tuple) else default), name


def test_every_state_has_its_heading_and_every_heading_its_state():
    states = TEXT.split("\n## States\n", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^### (\w+)$", states, re.MULTILINE) == sorted(MENDS)


@pytest.mark.parametrize("state", MENDS)
def test_a_state_is_told_with_the_command_that_mends_it(state):
    mends = set(re.findall(r"provlog (\w+)", MENDS[state])) & set(main.commands)
    assert all(f"provlog {each}" in section(state) for each in mends)
    options = re.findall(r"(--[a-z]+)", MENDS[state])
    assert all(each in section(state) for each in options if each != "--origin")


def test_every_event_has_its_row_with_its_level_and_its_sentence():
    assert table("event") == [
        [f"`{each.name}`", logging.getLevelName(each.level).lower(), each.says]
        for each in EVENTS
    ]


def test_every_metric_has_its_row_with_its_kind_its_labels_and_its_sentence():
    assert table("metric") == [
        [
            f"`{each.name}`",
            each.kind,
            ", ".join(f"`{label}`" for label in each.labels),
            each.says,
        ]
        for each in METRICS
    ]


def test_every_metric_that_is_spoken_of_is_one():
    spoken = set(re.findall(r"`(provlog_\w+)`", TEXT))
    assert spoken == {each.name for each in METRICS}


def test_links_lead_somewhere():
    for path, anchor in re.findall(r"\]\(([\w./]+)(?:#([\w-]+))?\)", TEXT):
        there = PAGE.parent / path
        assert there.exists(), path
        assert not anchor or anchor in anchors(there), anchor
