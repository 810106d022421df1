"""docs/statements.md is true: what it shows at a prompt is what happens."""

import re
from pathlib import Path

import pytest

from cli.main import main
from tests.house.shell import carry_out
from tests.house.test_docs import anchors
from verifier.arguments import options_of as options_of_auditor

PAGE = Path(__file__).resolve().parents[2] / "docs" / "statements.md"
TEXT = PAGE.read_text()


@pytest.mark.exhaustive
def test_every_command_runs_and_prints_what_is_shown(tmp_path):
    assert carry_out(tmp_path, TEXT) > 20


def test_every_command_about_producers_is_shown():
    shown = set(re.findall(r"^\$ .*provlog producer (\w+)", TEXT, re.MULTILINE))
    group = main.get_command(None, "producer")
    assert shown == set(group.commands)


def test_every_option_that_it_names_is_one():
    named = set(re.findall(r"(?<!\w)--[a-z]+(?:-[a-z]+)*", TEXT))
    known = set(options_of_auditor("verify"))
    for command in main.commands:
        known |= options_of(main.get_command(None, command))
    assert named <= known


def options_of(command):
    found = {option for each in command.params for option in each.opts}
    for each in getattr(command, "commands", {}).values():
        found |= options_of(each)
    return found


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([\w./]+)(?:#([\w-]+))?\)", TEXT)
    assert links
    for path, anchor in links:
        there = PAGE.parent / path
        assert there.exists(), path
        assert not anchor or anchor in anchors(there), anchor
