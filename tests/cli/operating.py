"""Giving the operator's commands: in this process, or in one of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli.main import main
from ledger.log.home import Home
from ledger.upkeep.source import StoreSource
from tests.recordlog import record_id
from tests.records import SMALLEST
from verifier import Checkpoint, verify_log

ROOT = Path(__file__).parents[2]
# Who runs the tests in the background has Ctrl-C ignored, and that is inherited.
SCRIPT = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from cli.main import run; run()"
)
PROVLOG = [sys.executable, "-c", SCRIPT]
SHELL = f"{sys.executable} -c '{SCRIPT}'"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def provlog(*words: object) -> Result:
    """Give a command, in this process."""
    given = CliRunner().invoke(main, [str(each) for each in words], prog_name="provlog")
    assert "fault of this program" not in given.stderr
    return given


def done(*words: object) -> str:
    """Give a command that has to succeed; return what it says."""
    given = provlog(*words)
    assert given.exit_code == 0, given.output
    return given.stdout


def said(*words: object) -> Any:
    """The one JSON object that a command says."""
    return json.loads(done(*words, "--json"))


def shell(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Carry out a line of shell, in which PROVLOG stands for the script."""
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", text.replace("PROVLOG", SHELL)],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    return ended


def start(*words: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command, with pipes to talk to it."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*PROVLOG, *map(str, words)],
        env=ENVIRONMENT,
        **{"stdin": pipe, "stdout": pipe, "stderr": pipe, **options},
    )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """While this lasts, another process writes to the log in `folder`."""
    with start("append", folder, "--lines", "-") as writer:
        assert writer.stdin
        assert writer.stdout
        writer.stdin.write(b"a line\n")
        writer.stdin.flush()
        assert writer.stdout.readline()
        yield
        writer.stdin.close()
        assert writer.wait(30) == 0


def entries_of(folder: Path) -> list[bytes]:
    """The entries of the log in `folder`, when all of it has been audited."""
    store = Home.at(folder).open_store(readonly=True)
    try:
        with store.snapshot() as snapshot:
            head = snapshot.head()
            entries = snapshot.entries(0, head.size)
        tree = Checkpoint(origin=store.charter.origin, size=head.size, root=head.root)
        verify_log(StoreSource(store), tree)
    finally:
        store.close()
    return entries


def record_text(number: int, **members: Any) -> bytes:
    """A record in JSON, in one line."""
    record = {**SMALLEST, "id": record_id(number), **members}
    return json.dumps(record).encode()
