"""An exported log is a static tlog-tiles tree: whole at every moment, never going back.

What is in it is held against tests/testlog.py, which makes the same files by the
recursive definitions, and against the auditor's own command line.
"""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.log.look import look
from ledger.publish.export import export
from ledger.publish.feeding import new_tiles
from tests.loopback import Server, folder, running
from tests.testlog import TestLog
from tests.upkeep.published import audit, audited, files
from tests.upkeep.spoil import (
    TIME,
    another_process,
    entries,
    fill,
    public,
    records,
)
from verifier import Policy
from verifier.tile import tiles_of

SIZE = 300


# What is written


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, SIZE])
def test_the_files_are_those_that_the_specification_asks_for(new_log, tmp_path, size):
    log = new_log()
    log.append(*entries(size))
    done = public(log, tmp_path / "public")
    assert (done.before, done.checkpoint.size) == (0, size)
    served = files(tmp_path / "public")
    assert set(served) == {each.path() for each in tiles_of(size)}
    TestLog(tmp_path / "expected").append(*entries(size))
    assert served == files(tmp_path / "expected")
    assert audited(tmp_path / "public", log) == log.check()


@pytest.mark.exhaustive
def test_so_are_those_of_a_large_log(new_log, tmp_path):
    log = new_log()
    fill(log, 70_000)
    public(log, tmp_path / "public")
    served = files(tmp_path / "public")
    assert set(served) == {each.path() for each in tiles_of(70_000)}
    TestLog(tmp_path / "expected").append(*entries(70_000))
    assert served == files(tmp_path / "expected")


def test_a_log_without_entries_is_a_checkpoint(new_log, tmp_path):
    log = new_log()
    public(log, tmp_path / "public")
    assert files(tmp_path / "public") == {}
    assert audited(tmp_path / "public", log).size == 0
    log.append(*entries(SIZE))
    assert public(log, tmp_path / "public").checkpoint.size == SIZE


@pytest.mark.parametrize("kind", ["record", "opaque"])
def test_the_auditor_accepts_it_with_the_logs_policy(new_log, tmp_path, kind):
    log = new_log(kind=kind)
    log.append(*(records if kind == "record" else entries)(SIZE))
    public(log, tmp_path / "public")
    done = audit(tmp_path / "public", log.folder / "policy.txt")
    assert done.returncode == 0, done.stderr
    assert f"{kind} entries, re-hashed" in done.stdout


def test_who_believes_the_ml_dsa_key_alone_accepts_it(log, tmp_path):
    public(log, tmp_path / "public")
    text = (log.folder / "policy.txt").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("log ")]
    later = "\n".join(lines).replace("#log ", "log ") + "\n"
    (tmp_path / "later.txt").write_text(later)
    done = audit(tmp_path / "public", tmp_path / "later.txt")
    assert done.returncode == 0, done.stderr
    assert audited(tmp_path / "public", log, Policy.parse(later.encode())).size == SIZE


def test_any_web_server_can_serve_it(log, tmp_path):
    public(log, tmp_path / "public")
    with running(Server()) as server:
        server.behaviours = [folder(tmp_path / "public")]
        assert audit(server.prefix, log.folder / "policy.txt").returncode == 0
    mode = (tmp_path / "public/checkpoint").stat().st_mode
    assert mode & 0o044 == 0o044


def test_it_says_how_far_it_is(log, tmp_path):
    told = []
    public(log, tmp_path / "public", watch=lambda *done: told.append(done))
    number = len(list(tiles_of(SIZE)))
    assert told == [(each, number) for each in range(1, number + 1)]


# Again


@given(st.lists(st.integers(0, 700), min_size=2, max_size=6).map(sorted))
def test_what_is_new_is_what_is_asked_for_and_was_not_before(sizes):
    for before, size in pairwise(sizes):
        new = set(tiles_of(size)) - set(tiles_of(before))
        assert set(new_tiles(before, size)) == new


@pytest.mark.exhaustive
@given(steps=st.lists(st.integers(1, 300), min_size=2, max_size=4))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_growing_it_is_like_writing_it_anew(new_log, tmp_path_factory, steps):
    tmp_path = tmp_path_factory.mktemp("growing")
    log = new_log(str(tmp_path / "log"))
    size = 0
    for step in steps:
        log.append(*entries(step, size))
        done = public(log, tmp_path / "grown")
        assert done.before == size
        size += step
        assert audited(tmp_path / "grown", log).size == size
    public(log, tmp_path / "anew")
    grown, anew = files(tmp_path / "grown"), files(tmp_path / "anew")
    assert grown.items() >= anew.items()
    # What is more are narrower tiles, which older checkpoints ask for.
    assert all(".p/" in path for path in grown.keys() - anew.keys())


def test_full_tiles_are_never_written_again(log, tmp_path):
    public(log, tmp_path / "public")
    full = tmp_path / "public/tile/entries/000"
    before = full.stat()
    log.append(*entries(SIZE, SIZE))
    public(log, tmp_path / "public")
    after = full.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_an_unchanged_tree_is_signed_again(log, tmp_path):
    with look(log.folder) as seen:
        export(seen, tmp_path / "public", time=TIME)
        first = (tmp_path / "public/checkpoint").read_bytes()
        done = export(seen, tmp_path / "public", time=TIME + 600)
    assert done.before == SIZE
    assert (tmp_path / "public/checkpoint").read_bytes() != first
    assert audited(tmp_path / "public", log).size == SIZE


def test_a_log_that_grows_can_be_exported(log, tmp_path):
    log.given_up = True  # what the other process logged is not remembered here
    with another_process(log.folder):
        for _ in range(5):
            public(log, tmp_path / "public")
            audited(tmp_path / "public", log)
    log.check()
