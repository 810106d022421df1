"""At a terminal: what is asked, what is answered, and the exit status.

The sessions are in tests/scripts: a command, then indented its exit status and
words that standard output (`out`) and standard error (`err`) have to contain, or
neither may (`not`). Each session has a desk of its own, laid out in desk.py.
"""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.cli.desk import lay_out

SCRIPTS = sorted((Path(__file__).parents[1] / "scripts").glob("*.txt"))


@dataclass
class Step:
    """A command and what is expected of it."""

    line: int
    command: str
    expected: list[str] = field(default_factory=list)


def steps(text):
    """The commands of a session."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("$ provlog "):
            found.append(Step(number, line.removeprefix("$ provlog ")))
        elif line.startswith("  "):
            found[-1].expected.append(line.strip())
        else:
            assert not line or line.startswith("#"), f"line {number}: {line}"
    return found


def play(step, values):
    """Carry out one command; return what is not as expected."""
    command = step.command.format(**values)
    result = CliRunner().invoke(main, shlex.split(command), prog_name="provlog")
    said = {"out": result.stdout, "err": result.stderr}
    status, *words = step.expected
    wrong = [] if str(result.exit_code) == status else [f"status {result.exit_code}"]
    for line in words:
        where, word = line.split(maxsplit=1)
        if where == "not":
            fits = all(word not in each for each in said.values())
        else:
            fits = spaced(word) in spaced(said[where])
        wrong += [] if fits else [line]
    return [f"line {step.line}: {command}", *wrong, result.output] if wrong else []


def spaced(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_session_goes_as_written(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = lay_out(tmp_path)
    wrong = [play(step, values) for step in steps(script.read_text())]
    assert not [each for each in wrong if each]


def test_a_session_that_goes_otherwise_is_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path)
    for expected in (
        ["1"],
        ["0", "out sealed"],
        ["0", "not holds"],
        ["0", "err holds"],
    ):
        step = Step(1, "verify --policy policy record.bundle", expected)
        assert play(step, {})
