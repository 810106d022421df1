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
    # What `make demo` has left; the desk has its commands on the path already.
    (shell.desk / ".venv" / "bin").mkdir(parents=True)
    (shell.desk / ".venv" / "bin" / "activate").touch()
    shell.give(Step("export HOME=$PWD", []))
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def session(shell):
    """Every step of the page, in its order, with how it has ended."""
    return [(step, shell.give(step)) for step in SESSION]


@pytest.mark.exhaustive
def test_every_command_runs_and_prints_what_is_shown(session):
    for step, done in session:
        assert done.status == 0, f"{step.line}\n{done.said}"
        if step.shown:
            assert re.fullmatch(as_pattern(step.shown), done.said), done.said


@pytest.mark.exhaustive
def test_the_one_line_of_python_logs_a_record_and_has_its_receipt(session, shell):
    (said,) = [done.said for step, done in session if step.line.startswith("python -c")]
    assert said == "entry 2 of 3\n"
    assert (shell.desk / "try" / "first.bundle").is_file()


def test_what_is_installed_with_pip_is_a_package_of_ours():
    wanted = re.findall(r"`([^`]*)pip install ([^`]+)`", TEXT)
    assert {name for _, name in wanted} == {"./verifier", "."}
    assert all((ROOT / name / "pyproject.toml").is_file() for _, name in wanted)


def test_nothing_is_installed_into_the_environment_that_make_has_made():
    assert all(where == "v/bin/" for where, _ in re.findall(r"`([^`]*)(pip )", TEXT))
    assert not [step.line for step in SESSION if "pip " in step.line]


@pytest.mark.exhaustive
def test_all_that_a_newcomer_makes_lies_in_a_folder_of_its_own(session, shell):
    assert {each.name for each in shell.desk.iterdir()} == {"docs", ".venv", "try"}


@pytest.mark.exhaustive
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
