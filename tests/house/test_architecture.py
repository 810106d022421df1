"""docs/architecture.md draws the house that is there: its floors and its libraries."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text()
FILE = re.compile(r"`((?:ledger|verifier|capture|server|http)/[\w/.]+)`")
NAMED = sorted(set(FILE.findall(TEXT)))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def section(heading):
    return TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def floors():
    """The rooms on each floor in the import contracts, empty ones among them."""
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (layers,) = [
        each["layers"] for each in contracts if each.get("containers") == ["ledger"]
    ]
    return [re.findall(r"\w+", each) for each in layers]


def is_there(room):
    place = ROOT / "ledger" / room
    return place.is_dir() or place.with_suffix(".py").is_file()


def test_every_floor_is_drawn_and_the_empty_ones_are_in_brackets():
    drawing = section("Four packages for four people").split("```")[1]
    *above, _ = floors()  # what lies below all of them is drawn further down
    rooms = {each for floor in above for each in floor}
    empty = {each for each in rooms if not is_there(each)}
    bracketed = set(re.findall(r"\w+", " ".join(re.findall(r"\[(.*?)\]", drawing))))
    assert bracketed == empty
    assert rooms - empty <= set(re.findall(r"\w+", drawing))


def test_every_room_is_among_the_floors():
    drawing = section("The ledger's floors").split("```")[1]
    rooms = {each for floor in floors() for each in floor if is_there(each)}
    assert rooms <= set(re.findall(r"\w+", drawing))


@pytest.mark.parametrize("path", NAMED)
def test_a_file_that_is_named_is_there(path):
    assert (ROOT / path).exists() or (ROOT / "ledger" / path).exists()


def test_every_library_has_its_row_and_every_row_its_library():
    table = section("Why the dependencies")
    rows = re.findall(r"^\| ([A-Za-z0-9-]+) \|", table, re.MULTILINE)
    asked = [
        re.match(r"[\w-]+", each)[0] for each in PROJECT["project"]["dependencies"]
    ]
    assert sorted(map(str.lower, rows[1:])) == sorted(asked)
