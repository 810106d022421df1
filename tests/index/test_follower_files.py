"""Whatever happens to its files, and whenever it ends, the answers are the same."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.index.follower import PIECE
from ledger.index.runs import About, write_run
from ledger.index.shelf import FAN, Shelf, mergeable
from tests import tools
from tests.faults.trace import CALLS, OPTIONS, Reader
from tests.index.following import (
    GENESIS,
    check_answers,
    files,
    follow,
    follower_of,
    settle,
    sixteen,
    spoil,
    widths,
)
from verifier.tile import WIDTH

ROOT = Path(__file__).parents[2]
SPOILED = ["", "", "", "gone", "short", "flipped", "foreign", "renamed"]
"""What happens to a file; to every third one or so, nothing."""


@pytest.mark.exhaustive
@settings(max_examples=30)
@given(st.data())
def test_it_comes_back_from_whatever_happens_to_its_files(tmp_path_factory, data):
    folder, size = tmp_path_factory.mktemp("index"), 0
    follower = follower_of(folder, PIECE + 600)
    for _ in range(data.draw(st.integers(1, 6), label="rounds")):
        size = data.draw(st.integers(size, PIECE + 600), label="size")
        follow(follower, size)
        for path in sorted(folder.iterdir()):
            spoil(path, data.draw(st.sampled_from(SPOILED), label=path.name))
        if data.draw(st.booleans(), label="another process"):
            follower = follower_of(folder, PIECE + 600)
    settle(follower, size)
    check_answers(folder, size)


# Merged


def test_what_can_be_merged_is_merged_before_more_is_read(tmp_path):
    sixteen(tmp_path)
    assert follower_of(tmp_path, PIECE + 300).step(PIECE + 300) == PIECE
    assert widths(tmp_path) == [PIECE]


def test_wide_runs_begin_where_they_have_to_however_the_log_grew(tmp_path):
    follow(follower_of(tmp_path, 9000), 700, 5000, 9000)
    assert widths(tmp_path) == [PIECE, PIECE, WIDTH, WIDTH, WIDTH, 40]


def test_sixteen_that_do_not_begin_where_a_wide_one_does_are_not_merged(tmp_path):
    for start in range(PIECE // 2, PIECE // 2 * 3, WIDTH):
        about = About(genesis=GENESIS, start=start, stop=start + WIDTH, rows=0)
        write_run(tmp_path, about, [])
    assert widths(tmp_path) == [WIDTH] * FAN
    assert mergeable(Shelf().look(tmp_path, GENESIS).runs) == []


# Damage


def test_a_spoiled_run_is_found_in_quiet_hours_and_read_from_the_log_again(tmp_path):
    follow(follower_of(tmp_path, 700), 700)
    true = files(tmp_path)
    for name in true:
        spoil(tmp_path / name, "flipped")
    follower = follower_of(tmp_path, 700)
    assert follower.covered == 700  # it looks right
    settle(follower, 700)
    assert set(follower.dropped) == set(true)
    assert files(tmp_path) == true


@pytest.mark.parametrize("how", ["short", "foreign"])
def test_a_file_that_is_no_run_of_this_log_is_named_and_made_again(tmp_path, how):
    follow(follower_of(tmp_path, 300), 300)
    true = files(tmp_path)
    spoil(tmp_path / min(true), how)
    follower = follower_of(tmp_path, 300)
    follow(follower, 300)
    assert list(follower.dropped) == [min(true)]
    assert files(tmp_path) == true


def test_a_spoiled_run_is_not_merged(tmp_path):
    sixteen(tmp_path)
    spoil(sorted(tmp_path.iterdir())[7], "flipped")
    follower = follower_of(tmp_path, PIECE)
    follow(follower, PIECE)
    assert len(follower.dropped) == 1
    check_answers(tmp_path, PIECE)


def test_what_is_left_inside_a_wider_run_is_deleted(tmp_path):
    before = files(sixteen(tmp_path))
    follow(follower_of(tmp_path, PIECE), PIECE)
    for name, data in before.items():
        (tmp_path / name).write_bytes(data)
    check_answers(tmp_path, PIECE)
    follower_of(tmp_path, PIECE).step(PIECE)
    assert widths(tmp_path) == [PIECE]


def test_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "README").write_text("mine")
    (tmp_path / "0000000000000000-0000000000000003.run").mkdir()
    follow(follower_of(tmp_path, 300), 300)
    check_answers(tmp_path, 300)
    assert (tmp_path / "README").read_text() == "mine"


# Ends


@pytest.mark.exhaustive
def test_it_may_end_before_any_change_it_makes_to_its_folder(tmp_path):
    true = sixteen(tmp_path / "before")
    command = [sys.executable, "-m", "tests.index.crashing"]
    ended = subprocess.run(
        [*command, str(tmp_path), str(PIECE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    # The new run gets its name first, and only then the others are deleted.
    runs = sorted(files(true))
    cuts = ended.stdout.splitlines()
    assert cuts[0] == "os.rename .new"
    assert sorted(cuts[1:]) == [f"os.remove {name}" for name in runs]
    (whole,) = files(tmp_path / str(len(cuts)))
    for number in range(len(cuts) + 1):
        folder = tmp_path / str(number)
        check_answers(folder, PIECE)
        follow(follower_of(folder, PIECE), PIECE)
        assert list(files(folder)) == [whole]
        check_answers(folder, PIECE)


STEP = """
import pathlib, sys
from tests.index.following import follower_of
follower_of(pathlib.Path(sys.argv[1]), 4096).step(4096)
"""


def test_nothing_is_deleted_before_what_replaces_it_is_on_the_disk(tmp_path):
    tools.need("strace")
    folder = sixteen(tmp_path / "index")
    command = [sys.executable, "-c", STEP, str(folder)]
    trace = ["strace", *OPTIONS, "-o", str(tmp_path / "trace"), "-e", f"trace={CALLS}"]
    subprocess.run([*trace, *command], cwd=ROOT, check=True)
    lines = (tmp_path / "trace").read_text().splitlines()
    acts = [act for act in Reader().acts(lines) if act.path.startswith(str(folder))]
    told = [(act.kind, Path(act.path).name) for act in acts]
    assert list(dict.fromkeys(told))[:5] == [
        ("make", ".new"),
        ("write", ".new"),
        ("sync", ".new"),
        ("move", ".new"),
        ("sync", "index"),
    ]
    last_write = max(at for at, act in enumerate(told) if act[0] == "write")
    assert last_write < told.index(("sync", ".new"))
    dropped = [at for at, act in enumerate(told) if act[0] == "drop"]
    assert len(dropped) == FAN
    assert min(dropped) > told.index(("sync", "index"))


@pytest.mark.parametrize("part", [0, 50, 96, 500, 5000])
def test_a_file_that_was_not_finished_is_in_nobodys_way(tmp_path, part):
    sixteen(tmp_path)
    first = min(tmp_path.iterdir())
    (tmp_path / ".new").write_bytes(first.read_bytes()[:part])
    check_answers(tmp_path, PIECE)
    follow(follower_of(tmp_path, PIECE), PIECE)
    assert widths(tmp_path) == [PIECE]


def test_it_is_deleted_also_where_nothing_is_to_be_done(tmp_path):
    follow(follower_of(tmp_path, 300), 300)
    before = files(tmp_path)
    (tmp_path / ".new").write_bytes(b"half")
    assert follower_of(tmp_path, 300).step(300) == 0
    assert files(tmp_path) == before


def test_one_that_was_deleted_is_made_again_the_same(tmp_path):
    follower = follower_of(tmp_path / "index", 5000)
    follow(follower, 5000)
    before = files(tmp_path / "index")
    shutil.rmtree(tmp_path / "index")
    follow(follower, 5000)
    assert files(tmp_path / "index") == before
