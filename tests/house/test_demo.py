"""The demo shows what it says, and the sample evidence is what its script makes."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from docs.sample import demo as script
from docs.sample import make
from docs.sample.storytelling import STORIES
from ledger.schema.checking import faults_in
from tests.house.shell import as_pattern, blocks
from verifier.record import parse_record

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "docs" / "sample"
LINES, COLUMNS = 75, 100


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the demo has its folder, for as long as it runs."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(place):
    """The demo, as it runs for somebody who has a log of his own already."""
    his = {"PROVLOG_LISTEN": "another.example:1", "PROVLOG_TOKEN": "x"}
    return subprocess.run(
        [sys.executable, SAMPLE / "demo.py"],
        env={**os.environ, **his, "TMPDIR": str(place)},
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


def commands_in(shown: str) -> list[str]:
    """The commands at the prompt, by their first two words."""
    return [
        " ".join(line.split()[1:3])
        for line in shown.splitlines()
        if line.startswith("$ ")
    ]


@pytest.mark.exhaustive
def test_the_demo_ends_as_it_should(demo):
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert not demo.stderr


@pytest.mark.exhaustive
def test_the_demo_fits_on_two_screens(demo):
    lines = demo.stdout.splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.exhaustive
def test_the_demo_goes_from_the_first_day_to_the_byte_that_is_refused(demo):
    assert commands_in(demo.stdout) == [
        "provlog init",
        *["provlog witness", "provlog witness", "provlog witness", "provlog policy"]
        * 2,
        *["sed -i", "sed -i", "provlog export", "provlog serve"],
        "provlog submit",
        "provlog get",
        "provlog list",
        "provlog show",
        "provlog show",
        "kill %3",
        "provlog verify",
        "provlog audit",
        "sed -i",
        "provlog audit",
    ]


@pytest.mark.exhaustive
def test_the_demo_shows_the_quorum_the_chain_the_proof_and_the_place(demo):
    for words in [
        "now         all of w1, w2, who have to have cosigned",
        "review      approved (team lead)",
        "link        reviews rec:01a0c54a-5ad0-7aa2-bf0c-000100000005",
        "quorum      holds   cosigned by w1 at ",
        "inclusion   holds   it is entry 9 of 13",
        "tree        holds   13 record entries, re-hashed",
        "entry       BROKEN  tile/entries/000.p/13, entry 6: ",
    ]:
        assert f"\n{words}" in demo.stdout


@pytest.mark.exhaustive
def test_the_demo_leaves_nothing_behind(demo, place):
    assert demo.returncode == 0
    assert not list(place.iterdir())


@pytest.mark.exhaustive
def test_the_first_screen_of_the_readme_is_what_matters_of_the_demo(demo):
    (shown,) = [
        lines
        for _, lines in blocks((ROOT / "README.md").read_text())
        if lines[:1] == ["$ make demo"]
    ]
    assert re.fullmatch(as_pattern(shown[1:]), demo.stdout), demo.stdout
    assert commands_in("\n".join(shown[1:])) == [
        "provlog submit",
        "provlog list",
        "provlog show",
        "provlog verify",
        "sed -i",
        "provlog audit",
    ]


@pytest.fixture
def shell(tmp_path):
    return script.Demo(str(tmp_path))


def test_a_step_that_should_have_held_ends_the_demo(shell):
    with pytest.raises(SystemExit, match="ended with exit status 1, not 0"):
        shell.run("provlog", "status", "not-there")


def test_a_step_that_should_have_been_refused_ends_the_demo(shell):
    with pytest.raises(SystemExit, match="ended with exit status 0, not 1"):
        shell.run("true", expected=script.BROKEN)


def test_a_change_of_more_than_one_byte_ends_the_demo(shell, tmp_path):
    (tmp_path / "file").write_text("0.2\n0.2\n")
    with pytest.raises(SystemExit, match="2 bytes were changed"):
        script.spoil(shell, "file")


def test_a_server_that_fails_ends_the_demo_and_is_not_left_running(shell):
    began = time.monotonic()
    line = (
        "trap 'exit 3' TERM; echo serves here; echo state; while :; do sleep 0.1; done"
    )
    with (
        pytest.raises(SystemExit, match="server ended with exit status 3"),
        shell.serving("sh", "-c", line) as url,
    ):
        assert url == "here"
    assert time.monotonic() - began < script.PATIENCE_S


def test_every_record_of_the_sample_keeps_to_the_schema():
    for index in range(len(make.OWN), make.SIZE):
        _, _, body = make.body(index)
        assert not faults_in(parse_record(body))


def test_the_files_of_the_sample_are_those_that_the_script_makes(made):
    kept = {path.relative_to(SAMPLE) for path in SAMPLE.rglob("*") if path.is_file()}
    scripts = {path for path in kept if path.suffix in {".py", ".md", ".pyc"}}
    # The stories have a script of their own, and a test that they are what it makes.
    stories = {path for path in kept if path.parts[:-2] == ("stories",)}
    assert {path.parts[1] for path in stories} == set(STORIES)
    assert kept - scripts - stories == {
        path.relative_to(made) for path in made.rglob("*") if path.is_file()
    }


def test_the_sample_is_what_the_script_makes_but_for_ml_dsa_signatures(made):
    for path in made.rglob("*"):
        if path.is_file() and path.name != "record.bundle":
            kept = (SAMPLE / path.relative_to(made)).read_bytes()
            assert without_ml_dsa(kept) == without_ml_dsa(path.read_bytes()), path
