"""The README is true: a newcomer gets from a clone to a verified receipt with it."""

import re
import shutil
from pathlib import Path

import pytest

from tests.house.shell import Shell, Step, as_pattern, steps
from tests.house.test_docs import anchors

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "README.md"
TEXT = PAGE.read_text()
DEMO = re.compile(r"^```\n\$ make demo\n.*?^```$", re.DOTALL | re.MULTILINE)
SESSION = steps(DEMO.sub("", TEXT, count=1))


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    shell = Shell(tmp_path_factory.mktemp("readme"))
    shutil.copytree(ROOT / "docs" / "sample", shell.desk / "docs" / "sample")
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def session(shell):
    """Every step of the page, in its order, with how it has ended."""
    told = [step for step in SESSION if not step.line.startswith("pip ")]
    return [(step, shell.give(step)) for step in told]


def test_every_command_runs_and_prints_what_is_shown(session):
    for step, done in session:
        assert done.status == 0, f"{step.line}\n{done.said}"
        if step.shown:
            assert re.fullmatch(as_pattern(step.shown), done.said), done.said


def test_the_one_line_of_python_logs_a_record_and_has_its_receipt(session, shell):
    (said,) = [done.said for step, done in session if step.line.startswith("python -c")]
    assert said == "entry 1 of 2\n"
    assert (shell.desk / "first.bundle").is_file()


def test_what_is_installed_with_pip_is_a_package_of_ours():
    lines = [step.line.split() for step in SESSION if step.line.startswith("pip ")]
    assert [words[:2] for words in lines] == [["pip", "install"]] * 2
    assert all((ROOT / words[2] / "pyproject.toml").is_file() for words in lines)


def test_a_page_that_shows_something_else_is_noticed(shell):
    done = shell.give(Step("echo one; (exit 3)", []))
    assert done.status == 3
    assert re.fullmatch(as_pattern(["one"]), done.said)
    assert not re.fullmatch(as_pattern(["two"]), done.said)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        there = ROOT / path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target
