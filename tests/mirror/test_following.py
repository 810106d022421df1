"""A mirror has what the log has shown, to the byte, and never less than before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loopback import Server, folder, running
from tests.mirror.mirroring import (
    audited,
    entries,
    log_of,
    mirrored,
    tiles,
    without_old_partials,
)
from tests.testlog import TIME, TestLog
from verifier.errors import GrowthError, QuorumError
from verifier.source import Url

SIZES = (0, 1, 2, 255, 256, 257, 511, 513, 70_000)


@pytest.fixture
def where(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "log", tmp_path / "mirror"


@pytest.mark.parametrize("size", SIZES[:-1])
def test_a_log_of_any_size_is_mirrored_byte_for_byte(where, size):
    log = log_of(where[0], size)
    done = mirrored(*where, log)
    assert (done.before, done.checkpoint.size) == (0, size)
    assert audited(where[1], log) == size
    assert tiles(where[1]) == tiles(where[0])
    assert (where[1] / "checkpoint").read_bytes() == log.checkpoint()


@pytest.mark.exhaustive
def test_a_log_of_three_levels_is_mirrored_byte_for_byte(where):
    log = log_of(where[0], SIZES[-1])
    mirrored(*where, log)
    assert audited(where[1], log) == SIZES[-1]
    assert tiles(where[1]) == tiles(where[0])


def test_a_log_grows_and_so_does_its_mirror_which_drops_nothing(where):
    log = TestLog(where[0])
    for before, size in zip((0, *SIZES[:-2]), SIZES[:-1], strict=True):
        log.append(*entries(before, size))
        mirrored(*where, log)
        assert audited(where[1], log) == size
    # The operator's folder still has each partial tile that was ever shown.
    assert tiles(where[1]) == tiles(where[0])


def test_partial_tiles_may_be_gone_once_full_ones_exist(where):
    log = log_of(where[0], 300)
    mirrored(*where, log)
    old = (where[0] / "checkpoint").read_bytes()
    log.append(*entries(300, 700))
    without_old_partials(where[0])
    (where[0] / "checkpoint").write_bytes(old)
    assert mirrored(where[0], where[1].with_name("late"), log).checkpoint.size == 300
    log.write_file("checkpoint", log.checkpoint())
    mirrored(*where, log)
    assert audited(where[1], log) == 700
    assert "tile/entries/001.p/44" in tiles(where[1])


def test_answers_over_http_may_be_packed(where):
    log = log_of(where[0], 600)
    server = Server()
    server.behaviours = [folder(where[0])]
    with running(server):
        source = Url(server.prefix)
        mirrored(source, where[1], log)
        source.close()
    assert tiles(where[1]) == tiles(where[0])


def test_only_what_is_new_is_fetched(where):
    log = log_of(where[0], 600)
    mirrored(*where, log)
    for path in ("tile/entries/000", "tile/entries/001", "tile/0/000", "tile/0/001"):
        (where[0] / path).unlink()
    log.entries.extend(entries(600, 601))
    whole = TestLog(where[0].with_name("whole"))
    whole.append(*log.entries)
    for path in ("tile/entries/002.p/89", "tile/0/002.p/89", "tile/1/000.p/2"):
        log.write_file(path, (whole.folder / path).read_bytes())
    log.write_file("checkpoint", whole.checkpoint())
    mirrored(*where, log)
    assert audited(where[1], whole) == 601


def test_the_same_tree_with_newer_cosignatures_replaces_the_older_only(where):
    log = log_of(where[0], 5)
    log.write(TIME + 10)
    mirrored(*where, log)
    for time, shown in ((TIME + 20, TIME + 20), (TIME, TIME + 20)):
        log.write(time)
        mirrored(*where, log)
        expected = log.checkpoint(time=shown)
        assert (where[1] / "checkpoint").read_bytes() == expected


def test_a_smaller_tree_changes_nothing(where):
    log = log_of(where[0], 300)
    mirrored(*where, log)
    log.write_file("checkpoint", log.checkpoint(299))
    with pytest.raises(GrowthError):
        mirrored(*where, log)
    assert audited(where[1], log) == 300


def test_what_no_quorum_has_seen_is_not_mirrored(where):
    log = log_of(where[0], 3)
    alone = TestLog(where[0], log.entries, witnesses=log.witnesses[:1])
    log.write_file("checkpoint", alone.checkpoint())
    with pytest.raises(QuorumError):
        mirrored(*where, log)
    assert not (where[1] / "checkpoint").exists()


@pytest.mark.parametrize(
    "path", ["checkpoint", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000"]
)
def test_a_mirror_that_is_damaged_is_whole_again_after_the_next_growth(where, path):
    log = log_of(where[0], 300)
    mirrored(*where, log)
    (where[1] / path).write_bytes(b"broken")
    if path == "tile/entries/000":
        # Nobody looks at what is full and was shown; but who starts again does.
        (where[1] / "checkpoint").unlink()
    log.append(*entries(300, 301))
    mirrored(*where, log)
    assert audited(where[1], log) == 301
