"""The demo shows what it says, and the sample evidence is what its script makes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.sample import make

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "docs" / "sample"


@pytest.fixture(scope="module")
def demo():
    return subprocess.run(
        [sys.executable, SAMPLE / "demo.py"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    make.make(folder)
    return folder


def without_ml_dsa(data: bytes) -> bytes:
    """`data` without what differs in every run: signatures of 3,000 letters."""
    return re.sub(rb"[A-Za-z0-9+/=]{3000,}", b"", data)


def test_the_demo_ends_as_it_should(demo):
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert not demo.stderr


def test_the_demo_shows_each_command_and_how_it_ended(demo):
    lines = demo.stdout.splitlines()
    commands = [line.split()[4] for line in lines if line.startswith("$ python -m ")]
    assert commands == ["inspect", "verify", "audit", "verify"]
    ends = [line for line in lines if line.startswith("(exit status")]
    assert ends == ["(exit status 0)"] * 3 + ["(exit status 1)"]


def test_the_demo_shows_what_is_known_and_what_is_not(demo):
    for words in [
        "nothing here was verified",
        "artifact    holds",
        "instruction/text is ",
        "review/reviewer/email is withheld or erased",
        "had not seen it at 2026-09-21T18:22:46Z",
        "had seen it at 2026-09-21T19:12:46Z",
        "300 record entries",
        "error: inclusion: ",
    ]:
        assert words in demo.stdout


def test_the_files_of_the_sample_are_those_that_the_script_makes(made):
    kept = {path.relative_to(SAMPLE) for path in SAMPLE.rglob("*") if path.is_file()}
    scripts = {path for path in kept if path.suffix in {".py", ".md", ".pyc"}}
    assert kept - scripts == {
        path.relative_to(made) for path in made.rglob("*") if path.is_file()
    }


def test_the_sample_is_what_the_script_makes_but_for_ml_dsa_signatures(made):
    for path in made.rglob("*"):
        if path.is_file() and path.name != "record.bundle":
            kept = (SAMPLE / path.relative_to(made)).read_bytes()
            assert without_ml_dsa(kept) == without_ml_dsa(path.read_bytes()), path
