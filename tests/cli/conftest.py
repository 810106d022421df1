"""What lies before an operator: files to log, and a log with copies of it."""

from pathlib import Path

import pytest

from tests.cli.operating import record_text
from tests.upkeep.holding import copies, copy, log
from verifier.record import encode_record, parse_record_json

__all__ = ["copies", "copy", "files", "log"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some files to log, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name, data in {
        "one": b"first",
        "two": b"second",
        "large": b"x" * 70_000,
        "run.json": record_text(1),
        "same.json": b" \n" + record_text(1) + b"\r\n",
        "other.json": record_text(1, note="changed"),
        "run.cbor": encode_record(parse_record_json(record_text(2))),
        "bad.json": b'{"id": 1}',
        "ev\x1b[2Kil": b"third",
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path
