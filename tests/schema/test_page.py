"""docs/record.md and docs/record.schema.json are what the types say, and run."""

import json
import re
from pathlib import Path

import capture
from ledger.schema import jsonschema, page
from ledger.schema.checking import faults_in

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "record.md").read_text()
WRITE = """\
python -c "from pathlib import Path; from ledger.schema import page, jsonschema
at = Path('docs/record.md'); head = at.read_text().partition('## Kinds')[0]
at.write_text(head + page.page())
Path('docs/record.schema.json').write_bytes(jsonschema.text() + b'\\n')"
"""


def test_the_reference_is_made_from_the_types():
    _, mark, rest = PAGE.partition("## Kinds")
    assert mark + rest == page.page(), f"mend it: {WRITE}"


def test_the_json_schema_is_made_from_the_types():
    written = (DOCS / "record.schema.json").read_bytes()
    assert written == jsonschema.text() + b"\n", f"mend it: {WRITE}"


def test_the_python_of_the_page_makes_records_that_keep_every_rule():
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    made: dict[str, object] = {}
    exec(code, made)  # noqa: S102 - it is the page's own
    records = [
        each for each in made.values() if isinstance(each, dict) and "id" in each
    ]
    records = [each for each in records if "schema" in each]
    assert len({each["kind"] for each in records}) == 12
    assert [faults_in(each) for each in records] == [[]] * 12


def test_every_maker_of_a_recorder_is_on_the_page():
    makers = {
        name
        for name, each in vars(capture.Recorder).items()
        if callable(each) and not name.startswith("_")
    }
    assert {name for name in makers if f".{name}(" in PAGE} == makers


def test_every_example_of_the_page_keeps_every_rule():
    shown = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(shown) > 40
    assert [faults_in(json.loads(each)) for each in shown] == [[]] * len(shown)
