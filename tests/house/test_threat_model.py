"""Every known failure, promise and attack has a test that shows it, or says why not."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
# What has happened (F), what is promised, what strangers may try: submitters,
# readers, those with keys of their own, producers, operators and who is outside.
MANY = {"F": 36, "": 24, "S": 20, "R": 7, "K": 12, "P": 25, "O": 7}
NUMBERS = [f"{each}{n}" for each, most in MANY.items() for n in range(1, most + 1)]
ROW = re.compile(r"^\| ([FSRKPO]?\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

ROWS = {number: shown for number, _, shown in ROW.findall(PAGE.read_text())}


@cache
def names_in(path: str) -> set[str]:
    """The names of the test functions in a file."""
    names = ast.walk(ast.parse((ROOT / path).read_text()))
    return {node.name for node in names if isinstance(node, ast.FunctionDef)}


def test_every_failure_every_promise_and_every_attack_has_one_row():
    assert [number for number, _, _ in ROW.findall(PAGE.read_text())] == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_a_row_names_its_test_or_says_what_it_waits_for(number):
    shown = ROWS[number]
    assert shown.startswith("not yet: ") or re.fullmatch(
        f"{TEST.pattern}(, {TEST.pattern})*", shown
    )


@pytest.mark.parametrize("number", NUMBERS)
def test_a_test_that_is_named_is_there(number):
    for path, name in TEST.findall(ROWS[number]):
        assert name in names_in(path)
