"""A prover reads few tiles, each once, and of a grown log only what is its own."""

import pytest

from ledger.tree import Prover, prove
from ledger.tree import tiles as of_tiles
from tests.tree.definition import LARGE, EndlessTree, Tiles, large, places
from verifier.tile import levels_at, width_at

TREE = EndlessTree()


@pytest.mark.parametrize("size", [1, 5, 200, 255, 256, 257, 300, 511, 65_792, 65_801])
def test_when_the_log_has_grown_nothing_is_used_that_came_later(size):
    grown = Tiles(TREE, size + 70_000)

    def noise_after(level, index):
        tile = grown(level, index)
        mine = width_at(level, index, size) * 32
        return tile[:mine] + b"\xff" * (len(tile) - mine)

    for read in (grown, noise_after):
        proving = Prover(size, read)
        for index in places(size):
            assert proving.inclusion(index) == TREE.path(index, size)
            assert proving.consistency(index + 1) == TREE.consistency(index + 1, size)
        assert proving.root() == TREE.mth(0, size)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(44 * 32 - 1), bytes(257 * 32)])
def test_a_tile_with_other_than_its_hashes_is_refused(wrong):
    def spoiled(level, index):
        return wrong if (level, index) == (0, 1) else Tiles(TREE, 300)(level, index)

    with pytest.raises(ValueError, match=r"tile 1 of level 0 .* 44 hashes"):
        Prover(300, spoiled).inclusion(0)


def reads(tree, size, ask):
    """How many tiles were read to answer `ask`, of which none was read twice."""
    tiles = Tiles(tree, size)
    ask(Prover(size, tiles))
    assert len(tiles.asked) == len(set(tiles.asked))
    return len(tiles.asked)


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", [1, 255, 256, 300, 65_536, 65_792, *LARGE])
def test_no_proof_reads_more_than_two_tiles_a_level(size):
    tree = large(size)
    for index in places(size):
        for ask in (Prover.inclusion, Prover.consistency):
            at = index + 1 if ask is Prover.consistency else index
            found = reads(tree, size, lambda proving, ask=ask, at=at: ask(proving, at))
            assert found <= 2 * levels_at(size)
        assert reads(tree, size, Prover.root) <= levels_at(size)


def test_the_proofs_of_a_batch_read_each_of_their_tiles_once():
    def ask(proving):
        for index in range(65_000, 65_700):
            proving.inclusion(index)
            proving.consistency(index)

    # Tiles 253 to 257 of level 0, both of level 1, the only one of level 2.
    assert reads(TREE, 65_800, ask) == 5 + 2 + 1


def test_the_proofs_of_a_batch_hash_once_what_they_have_in_common(monkeypatch):
    hashed = []
    for module, name in ((of_tiles, "sha256"), (prove, "node_hash")):
        true = getattr(module, name)

        def counted(*data, true=true):
            hashed.append(data)
            return true(*data)

        monkeypatch.setattr(module, name, counted)
    proving = Prover(70_000, Tiles(TREE, 70_000))
    for index in range(65_536, 70_000):
        proving.inclusion(index)
    # In a tree over so many leaves there are as many nodes; then there is the edge.
    assert 4_000 < len(hashed) <= 4_464 + 17


def test_the_proofs_of_a_tile_hold_the_same_hashes_not_copies_of_them():
    proving = Prover(70_000, Tiles(TREE, 70_000))
    one, other = proving.inclusion(256)[8:], proving.inclusion(511)[8:]
    assert len(one) == 9
    assert all(mine is its for mine, its in zip(one, other, strict=True))


@pytest.mark.parametrize("size", [1, 255, 257, 70_000])
def test_a_known_edge_gives_the_same_proofs_and_reads_fewer_tiles(size):
    tree = large(size)
    first = Prover(size, Tiles(tree, size))
    path = first.inclusion(0)
    tiles = Tiles(tree, size)
    again = Prover(size, tiles, first.edge)
    assert again.inclusion(0) == path
    assert len(tiles.asked) <= levels_at(size)
