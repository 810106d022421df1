"""docs/record.md and docs/record.schema.json are what the types say, and run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import capture
from docs.sample import kinds
from ledger.schema import jsonschema, page
from ledger.schema.checking import faults_in
from ledger.schema.kinds import KINDS
from ledger.schema.profile import NAMES, Profile
from tests.house.shell import carry_out

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "record.md").read_text()
HEAD, MARK, REST = PAGE.partition("## Kinds")
KINDS_ON = MARK + REST
PYTHON = r"^```python\n(.*?)^```$"
WRITE = """\
python -c "from pathlib import Path; from ledger.schema import page, jsonschema
from docs.sample.kinds import begin, code
at = Path('docs/record.md'); head = at.read_text().partition('## Kinds')[0]
at.write_text(head + page.page(begin(), code))
Path('docs/record.schema.json').write_bytes(jsonschema.text())"
"""


def test_the_reference_is_made_from_the_types():
    assert page.page(kinds.begin(), kinds.code) == KINDS_ON, f"mend it: {WRITE}"


def test_the_json_schema_is_made_from_the_types():
    written = (DOCS / "record.schema.json").read_bytes()
    assert written == jsonschema.text(), f"mend it: {WRITE}"


def test_the_python_of_the_page_makes_records_that_keep_every_rule():
    (code,) = re.findall(PYTHON, HEAD, re.DOTALL | re.MULTILINE)
    made: dict[str, object] = {}
    exec(code, made)  # noqa: S102 - it is the page's own
    records = [
        each for each in made.values() if isinstance(each, dict) and "id" in each
    ]
    records = [each for each in records if "schema" in each]
    assert len({each["kind"] for each in records}) == 12
    assert [faults_in(each) for each in records] == [[]] * 12


@pytest.mark.parametrize("kind", KINDS)
def test_the_python_of_each_kind_makes_one_that_keeps_every_rule(kind):
    begin, *others = re.findall(PYTHON, KINDS_ON, re.DOTALL | re.MULTILINE)
    made: dict[str, Any] = {}
    exec(begin, made)  # noqa: S102 - it is the page's own
    exec(others[list(KINDS).index(kind)], made)  # noqa: S102 - likewise
    assert made["record"]["kind"] == kind
    assert faults_in(made["record"]) == []


def test_every_maker_of_a_recorder_is_on_the_page():
    makers = {
        name
        for name, each in vars(capture.Recorder).items()
        if callable(each) and not name.startswith("_")
    }
    assert {name for name in makers if f".{name}(" in PAGE} == makers


def test_the_profile_of_the_page_is_one():
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(Profile.parse(text.encode()).demands) == 3
    assert {each for each in NAMES if f"| `{each}` |" in PAGE} == set(NAMES)


@pytest.mark.exhaustive
@pytest.mark.parametrize("page", ["record.md", "sample/README.md"])
def test_every_command_runs_and_prints_what_is_shown(tmp_path, page):
    beside = f"```\n$ ln -s {DOCS} docs\n```\n"
    by_hand, *_ = (DOCS / page).read_text().partition("## Kinds")
    assert carry_out(tmp_path, beside + by_hand) > 8


def test_every_example_of_the_page_keeps_every_rule():
    shown = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(shown) > 40
    assert [faults_in(json.loads(each)) for each in shown] == [[]] * len(shown)
