"""What is read as tiles is what the newest checkpoint vouches for, or nothing."""

import pytest

from cli.tiles import Tiles
from ledger.errors import Refused
from tests.testlog import TestLog, policy_text, signer
from verifier.errors import VerificationError
from verifier.policy import Policy
from verifier.source import Directory

SIZE = 600
POLICY = Policy.parse(policy_text())
ALONE = Policy.parse(policy_text(witnesses=(), quorum=0))
STRANGERS = Policy.parse(policy_text(logs=[signer("log.example/other")]))


class Counting:
    """A folder, and what was read of it."""

    def __init__(self, folder):
        self.folder, self.paths = Directory(folder), []

    def read(self, path, most):
        self.paths.append(path)
        return self.folder.read(path, most)


@pytest.fixture
def log(tmp_path):
    made = TestLog(tmp_path)
    made.append(*(b"%d" % number for number in range(SIZE)))
    return made


@pytest.fixture
def tiles(log):
    return Tiles(Directory(log.folder), POLICY)


def spoil(log, path, at=0):
    """Flip a bit of the file at `path`."""
    data = bytearray((log.folder / path).read_bytes())
    data[at] ^= 1
    (log.folder / path).write_bytes(data)


def test_it_has_the_entries_roots_and_proofs_of_the_log(log, tiles):
    assert tiles.entries(250, 520) == log.entries[250:520]
    for size in (1, 255, 256, 257, 512, SIZE):
        assert tiles.root(size) == log.tree.mth(0, size)
        assert tiles.inclusion(0, size) == log.tree.path(0, size)
        assert tiles.consistency(1, size) == log.tree.consistency(1, size)


def test_no_tree_is_taken_from_a_log_that_is_not_in_the_policy(log):
    with pytest.raises(VerificationError, match="the policy lists"):
        _ = Tiles(Directory(log.folder), STRANGERS).tree


@pytest.mark.parametrize("policy", [ALONE, None], ids=["no_witness", "no_policy"])
def test_who_asks_for_less_gets_it(log, policy):
    assert Tiles(Directory(log.folder), policy).tree.size == SIZE


def test_there_is_one_tree_for_all_that_is_asked(log):
    source = Counting(log.folder)
    tiles = Tiles(source, POLICY)
    first = tiles.checkpoint()
    log.append(b"another")
    assert tiles.entries(0, SIZE)
    assert tiles.checkpoint() == first
    assert source.paths.count("checkpoint") == 1


def test_a_tile_of_hashes_is_read_once(log):
    source = Counting(log.folder)
    tiles = Tiles(source, POLICY)
    for index in range(0, 256, 16):
        tiles.entries(index, index + 16)
    assert source.paths.count("tile/1/000.p/2") == 1
    assert source.paths.count("tile/0/000") == 1


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 0), (5, 5), (5, 4), (0, SIZE + 1), (SIZE, SIZE + 1)]
)
def test_there_are_no_entries_outside_of_it(tiles, start, stop):
    with pytest.raises(Refused, match=f"from 0 up to {SIZE}"):
        tiles.entries(start, stop)


def test_nothing_is_said_of_a_larger_tree(tiles):
    for ask in (
        lambda: tiles.root(SIZE + 1),
        lambda: tiles.inclusion(0, SIZE + 1),
        lambda: tiles.consistency(1, SIZE + 1),
        lambda: tiles.consistency(4, 3),
        lambda: tiles.consistency(0, 3),
    ):
        with pytest.raises(Refused):
            ask()


@pytest.mark.parametrize(
    ("path", "size"),
    [("tile/0/000", 7), ("tile/0/001", 257), ("tile/1/000.p/2", 512)],
)
def test_a_root_that_the_newest_one_does_not_vouch_for_is_none(log, tiles, path, size):
    spoil(log, path)
    with pytest.raises(VerificationError):
        tiles.root(size)


def test_one_altered_entry_is_noticed_and_its_neighbours_are_read(log, tiles):
    spoil(log, "tile/entries/000", at=2)
    assert tiles.entries(1, 300) == log.entries[1:300]
    with pytest.raises(VerificationError, match="entry 0 of 600"):
        tiles.entries(0, 2)


@pytest.mark.parametrize("path", ["tile/entries/001", "tile/0/001"])
def test_what_is_missing_is_named(log, tiles, path):
    (log.folder / path).unlink()
    with pytest.raises(VerificationError, match=path):
        tiles.entries(256, 300)


def test_what_is_no_tile_proves_nothing(log, tiles):
    (log.folder / "tile/0/001").write_bytes(b"short")
    with pytest.raises(VerificationError):
        tiles.entries(256, 300)
