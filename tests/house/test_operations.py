"""docs/operations.md is true: its commands, each setting, state, event and metric."""

import dataclasses
import itertools
import json
import logging
import re
import tomllib
from pathlib import Path

import pytest

from cli.main import main
from ledger.callers.tokenfile import SCOPES
from ledger.config import _CLIENTS as CLIENTS
from ledger.config import ENVIRONMENT, Config
from ledger.events import EVENTS
from ledger.log.states import MENDS
from ledger.metrics import METRICS
from ledger.upkeep.birth import SETTINGS_TEXT
from tests.house.shell import Shell, Step, as_pattern, steps
from tests.house.test_docs import anchors

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operations.md"
TEXT = PAGE.read_text()
ELSEWHERE = {"monitor", "inspect", "id", "mirror"}
"""What auditing.md shows, api.md, and the pages of those who watch and keep."""


def table(heading):
    """The rows under a header that begins with `heading`: their cells."""
    rows = TEXT.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def section(heading):
    return re.split(
        r"^##+ ", TEXT.split(f"\n### {heading}\n", 1)[1], flags=re.MULTILINE
    )[0]


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    yield shell
    shell.close()


@pytest.mark.exhaustive
def test_every_command_runs_and_prints_what_is_shown(shell):
    assert len(steps(TEXT)) > 50
    for step in steps(TEXT):
        done = shell.give(step)
        assert done.status == 0, f"{step.line}\n{done.said}"
        assert re.fullmatch(as_pattern(step.shown), done.said), done.said


def test_every_command_of_an_operator_is_shown():
    missing = {each for each in main.commands if f"provlog {each}" not in TEXT}
    assert missing == ELSEWHERE


def test_every_state_is_in_the_table_of_what_callers_see():
    rows = TEXT.split("\n| callers see | state |\n", 1)[1].split("\n\n", 1)[0]
    named = [re.findall(r"`(\w+)`", row.rsplit("|", 2)[1]) for row in rows.splitlines()]
    assert sorted(itertools.chain(*named)) == sorted(MENDS)


def test_every_scope_has_its_row():
    assert [row[0] for row in table("scope")] == [f"`{each}`" for each in SCOPES]


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


REFUSED_BESIDE = {
    "append": "append log run.json",
    "key rotate": "key rotate log",
    "freeze": "freeze log --yes",
    "restore": "restore log",
}
DONE_BESIDE = {
    "status": "status log",
    "export": "export log public",
    "backup": "backup log copy",
    "fsck": "fsck log",
    "token": "token list log",
}


@pytest.mark.exhaustive
def test_beside_a_service_can_be_done_what_the_page_says(shell):
    told = TEXT.split("Meanwhile no other process writes", 1)[1].split("\n\n", 1)[0]
    refused, done = told.split("[`locked`]", 1)
    assert all(f"`{each}`" in refused for each in REFUSED_BESIDE)
    assert all(f"`{each}`" in done for each in DONE_BESIDE)
    shell.give(Step("provlog init log --origin log.example/beside", []))
    began = shell.give(Step("provlog serve log &", ["…", "state       writes"]))
    assert "state       writes" in began.said
    shell.give(Step("echo '{}' > run.json", []))
    for command in REFUSED_BESIDE.values():
        ended = shell.give(Step(f"provlog {command}", []))
        assert "error: locked: " in ended.said, command
        assert ended.status, command
    for command in DONE_BESIDE.values():
        ended = shell.give(Step(f"provlog {command}", []))
        assert not ended.status, f"{command}\n{ended.said}"
