"""What docs/api.md says of Python is so: its examples run, its words are there."""

import re
from pathlib import Path

import capture
from tests.capture.live import policy_path

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
SECTION = PAGE.partition("\n## Python\n")[2].partition("\n## ")[0]


def test_the_examples_run_one_after_the_other(record_log, tmp_path, capsys):
    names = {"token": record_log.token}
    bundle, policy = tmp_path / "run.bundle", policy_path(record_log)
    for example in re.findall(
        r"^```python\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE
    ):
        code = example.replace("https://log.example", record_log.url)
        for name, path in {"policy.txt": policy, "run.bundle": bundle}.items():
            code = code.replace(name, str(path))
        exec(code, names)  # noqa: S102 - it is the page's own
    assert names["logged"].bundle() == bundle.read_bytes()
    assert names["logged"].record["id"] in capsys.readouterr().out


def test_every_error_is_in_its_table_and_none_that_is_not_there():
    listed = re.findall(r"^\| `(\w+)` \|", SECTION, re.MULTILINE)
    errors = {
        name
        for name in capture.__all__
        if isinstance(getattr(capture, name), type)
        and issubclass(getattr(capture, name), capture.ClientError)
    }
    assert {*listed, "ClientError"} == errors


def test_every_call_it_names_is_one_of_both_clients():
    for name in re.findall(r"`(submit\w*|get|receipt|checkpoint|wait\w+)`", SECTION):
        if name != "submitted":
            assert hasattr(capture.Client, name)
            assert hasattr(capture.AsyncClient, name)
