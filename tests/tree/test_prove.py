"""A prover finds the proofs of RFC 6962 in the tiles, and none where there is none."""

import json
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tree import Prover
from tests import foreign
from tests.tree.definition import LARGE, EndlessTree, Tiles, large, places
from verifier import verify_consistency, verify_inclusion
from verifier.hashing import EMPTY_ROOT

TREE = EndlessTree()


def prover(size, tree=TREE):
    return Prover(size, Tiles(tree, size))


def check_inclusion(proving, index, size, tree=TREE):
    proof = proving.inclusion(index)
    assert proof == tree.path(index, size)
    leaf, root = tree.mth(index, index + 1), tree.mth(0, size)
    verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)


def check_consistency(proving, first, size, tree=TREE):
    proof = proving.consistency(first)
    assert proof == tree.consistency(first, size)
    verify_consistency(
        first=first,
        first_root=tree.mth(0, first),
        second=size,
        second_root=tree.mth(0, size),
        proof=proof,
    )


def check_all(size):
    """Everything that can be asked of the tree of `size`, from one prover."""
    proving = prover(size)
    for index in range(size):
        check_inclusion(proving, index, size)
        check_consistency(proving, index + 1, size)
    assert [proving.root(at) for at in range(size + 1)] == [
        TREE.mth(0, at) for at in range(size + 1)
    ]


# Proofs


@pytest.mark.parametrize("size", [*range(18), 31, 32, 33, 255, 256, 257])
def test_every_proof_and_root_in_a_small_tree_is_that_of_the_definition(size):
    check_all(size)


@pytest.mark.exhaustive
@pytest.mark.parametrize("least", range(1, 301, 50))
def test_every_proof_and_root_to_size_300_is_that_of_the_definition(least):
    for size in range(least, least + 50):
        check_all(size)


@pytest.mark.parametrize("size", [511, 512, 513, 65_535, 65_536, 65_537, 65_792])
def test_around_full_tiles_proofs_are_those_of_the_definition(size):
    proving = prover(size)
    for index in places(size):
        check_inclusion(proving, index, size)
        check_consistency(proving, index + 1, size)


@given(st.integers(1, 66_500), st.data())
def test_any_proof_is_that_of_the_definition(size, data):
    index = data.draw(st.integers(0, size - 1), label="index")
    check_inclusion(prover(size), index, size)
    check_consistency(prover(size), index + 1, size)


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", LARGE)
def test_in_large_trees_proofs_are_those_of_the_definition(size):
    tree = large(size)
    proving = prover(size, tree)
    for index in places(size):
        check_inclusion(proving, index, size, tree)
        check_consistency(proving, index + 1, size, tree)
        assert proving.root(index) == tree.mth(0, index)


def test_a_tree_is_consistent_with_itself_without_a_proof():
    assert prover(300).consistency(300) == []


def test_the_root_is_that_of_the_whole_tree_unless_a_size_is_named():
    proving = prover(300)
    assert proving.root() == proving.root(300) == TREE.mth(0, 300)
    assert proving.root(0) == prover(0).root() == EMPTY_ROOT


def test_a_proof_is_the_callers_own():
    proving = prover(300)
    for _ in range(2):
        for index in range(300):
            proof = proving.inclusion(index)
            assert proof == TREE.path(index, 300)
            proof.clear()
            proof = proving.consistency(index + 1)
            assert proof == TREE.consistency(index + 1, 300)
            proof.clear()


# What there is no proof of


@pytest.mark.parametrize(("index", "size"), [(0, 0), (7, 7), (8, 7), (-1, 7)])
def test_an_entry_outside_the_tree_has_no_proof(index, size):
    with pytest.raises(ValueError, match=f"entry {index} is not in a tree of {size}"):
        prover(size).inclusion(index)


@pytest.mark.parametrize(("first", "size"), [(0, 0), (0, 7), (8, 7), (-1, 7)])
def test_from_nothing_or_from_a_larger_tree_no_proof_leads_here(first, size):
    with pytest.raises(ValueError, match=f"leads from {first} to {size} entries"):
        prover(size).consistency(first)


@pytest.mark.parametrize(("smaller", "size"), [(8, 7), (-1, 7), (1, 0)])
def test_a_larger_tree_has_no_root_here(smaller, size):
    with pytest.raises(ValueError, match=f"of {size} entries has no root of {smaller}"):
        prover(size).root(smaller)


def test_there_is_no_tree_of_less_than_no_entries():
    with pytest.raises(ValueError, match="cannot have -1 entries"):
        prover(-1)


# Strangers


def published():
    path = foreign.folder("transparency-dev-merkle") / "reference_tree.json"
    vector = json.loads(path.read_text())
    nodes = [
        [bytes.fromhex(each) for each in level]
        for level in vector["node_hashes_by_level_hex"]
    ]
    return nodes, [bytes.fromhex(each) for each in vector["root_by_size_hex"]]


def strangers_prover(size):
    nodes, _ = published()
    tile = b"".join(nodes[0])
    return Prover(size, lambda level, index: {(0, 0): tile}[level, index])


def test_proofs_from_the_published_tree_lead_to_its_published_roots():
    nodes, roots = published()
    for size in range(1, len(roots)):
        proving = strangers_prover(size)
        assert proving.root() == roots[size]
        for index in range(size):
            proof = proving.inclusion(index)
            verify_inclusion(
                nodes[0][index], index=index, size=size, proof=proof, root=roots[size]
            )
            verify_consistency(
                first=index + 1,
                first_root=roots[index + 1],
                second=size,
                second_root=roots[size],
                proof=proving.consistency(index + 1),
            )


def test_in_the_full_published_tree_every_proof_is_of_published_nodes():
    nodes, _ = published()
    for index in range(8):
        beside = [nodes[height][index >> height ^ 1] for height in range(3)]
        assert strangers_prover(8).inclusion(index) == beside


def test_what_is_made_is_never_a_published_proof_that_does_not_hold():
    nodes, roots = published()
    compared = 0
    folder = foreign.folder("transparency-dev-merkle") / "inclusion"
    for path in sorted(folder.rglob("*.json")):
        vector = json.loads(path.read_text())
        index, size = vector["leafIdx"], vector["treeSize"]
        if not (vector["wantErr"] and 0 <= index < size <= 8):
            continue
        leaf, root = b64decode(vector["leafHash"]), b64decode(vector["root"])
        if (leaf, root) == (nodes[0][index], roots[size]):
            proof = [b64decode(each) for each in vector["proof"] or []]
            assert strangers_prover(size).inclusion(index) != proof, path
            compared += 1
    assert compared > 5
