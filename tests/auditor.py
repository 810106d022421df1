"""An auditor at the command line, with the policy of tests/testlog.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.testlog import policy_text
from verifier.__main__ import main


class Auditor:
    """Runs the command line, and keeps what it said."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.out = self.err = ""

    def file(self, name: str, data: bytes) -> str:
        """The path of a file that holds `data`."""
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def run(self, *arguments: str) -> int:
        """Carry out a command and return its exit status."""
        status = main(arguments)
        self.out, self.err = self.capsys.readouterr()
        return status

    def verify(self, data: bytes, *options: str) -> int:
        """Verify a bundle or a receipt."""
        policy = self.file("policy", policy_text())
        return self.run(
            "verify", "--policy", policy, *options, self.file("bundle", data)
        )

    @property
    def document(self) -> Any:
        """The report, where it was asked for as JSON."""
        return json.loads(self.out)
