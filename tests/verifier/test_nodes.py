"""Any hash and any consistency proof of a tree can be had from its tiles alone."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.testlog import TestLog
from verifier import MalformedError, verify_consistency
from verifier.errors import ConsistencyError
from verifier.nodes import TileReader
from verifier.source import Directory

SIZE = 66_000
"""One entry tile level above 256 · 256, so that three levels of tiles are read."""


@dataclass
class Counting:
    """A source that remembers what was asked of it."""

    source: Directory
    asked: list[str] = field(default_factory=list)
    parallel: int = 1

    def read(self, path: str, most: int) -> bytes | None:
        self.asked.append(path)
        return self.source.read(path, most)


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> TestLog:
    log = TestLog(tmp_path_factory.mktemp("log"))
    log.append(*(b"entry %d" % number for number in range(SIZE)))
    return log


def small(folder: Path, size: int) -> TestLog:
    log = TestLog(folder)
    log.append(*(b"entry %d" % number for number in range(size)))
    return log


def reader(log: TestLog, size: int) -> TileReader:
    return TileReader(Directory(log.folder), size)


def check_growth(log: TestLog, first: int, proof: list[bytes]) -> None:
    second = len(log.entries)
    verify_consistency(
        first=first,
        first_root=log.tree.mth(0, first),
        second=second,
        second_root=log.tree.mth(0, second),
        proof=proof,
    )


@given(size=st.integers(1, SIZE))
def test_the_root_of_every_earlier_tree_is_had_from_the_tiles_of_the_newest(log, size):
    assert reader(log, SIZE).range_hash(0, size) == log.tree.mth(0, size)


@given(height=st.integers(0, 16), data=st.data())
def test_the_hash_of_every_subtree_is_had(log, height, data):
    start = data.draw(st.integers(0, (SIZE - 1) >> height), label="at") << height
    most = min(1 << height, SIZE - start)
    end = start + data.draw(st.integers(most // 2 + 1, most), label="width")
    assert reader(log, SIZE).range_hash(start, end) == log.tree.mth(start, end)


@pytest.mark.parametrize("first", [1, 255, 256, 257, 65_535, 65_536, 65_537, SIZE])
def test_the_proof_from_an_earlier_size_is_that_of_the_definition(log, first):
    proof = reader(log, SIZE).consistency(first)
    assert proof == log.tree.consistency(first, SIZE)
    check_growth(log, first, proof)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300])
def test_every_earlier_size_of_a_small_log_has_its_proof(tmp_path, size):
    log = small(tmp_path, size)
    for first in range(1, size + 1):
        proof = reader(log, size).consistency(first)
        assert proof == log.tree.consistency(first, size)


def test_each_tile_is_asked_for_once(log):
    source = Counting(Directory(log.folder))
    tiles = TileReader(source, SIZE)
    tiles.range_hash(0, 65_535)
    tiles.consistency(65_535)
    assert len(source.asked) == len(set(source.asked)) <= 6


@pytest.mark.parametrize("size", [300, 65_600])
def test_where_the_partial_tiles_were_dropped_the_full_ones_serve(log, size):
    source = Counting(Directory(log.folder))
    proof = TileReader(source, size).consistency(size - 10)
    assert proof == log.tree.consistency(size - 10, size)
    dropped = [path for path in source.asked if not (log.folder / path).exists()]
    assert dropped
    for path in dropped:
        full, partial, _ = path.partition(".p/")
        assert partial
        assert full in source.asked


def test_a_tile_that_the_tree_needs_and_the_log_lacks_is_the_logs_fault(tmp_path):
    log = small(tmp_path, 300)
    (tmp_path / "tile/0/001.p/44").unlink()
    assert reader(log, 300).range_hash(0, 256) == log.tree.mth(0, 256)
    with pytest.raises(ConsistencyError, match=r"has no tile/0/001\.p/44"):
        reader(log, 300).range_hash(0, 300)


def test_a_tile_of_the_wrong_length_is_malformed(tmp_path):
    log = small(tmp_path, 300)
    log.write_file("tile/0/001.p/44", bytes(43 * 32))
    with pytest.raises(MalformedError, match="44 hashes are expected"):
        reader(log, 300).consistency(299)


def test_what_a_lying_tile_gives_is_no_proof(tmp_path):
    log = small(tmp_path, 300)
    path = tmp_path / "tile/0/001.p/44"
    tile = bytearray(path.read_bytes())
    tile[0] ^= 1
    path.write_bytes(tile)
    proof = reader(log, 300).consistency(256)
    with pytest.raises(ConsistencyError):
        check_growth(log, 256, proof)
