"""A tree's root is the one that RFC 6962 defines, however it is computed."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from tests.reference.rfc6962 import Tree
from verifier import Checkpoint
from verifier.hashing import EMPTY_ROOT, leaf_hash, node_hash, parents, root_over

ENTRIES = [b"entry %d" % number for number in range(300)]
TREE = Tree(ENTRIES)
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def published() -> Any:
    path = foreign.folder("transparency-dev-merkle") / "reference_tree.json"
    return json.loads(path.read_text())


def test_the_empty_tree_has_the_hash_of_nothing():
    assert EMPTY_ROOT == sha256(b"").digest() == root_over(b"")


def test_an_empty_entry_is_an_entry():
    assert leaf_hash(b"") == sha256(b"\x00").digest() != EMPTY_ROOT


def test_the_root_over_one_leaf_is_the_leaf():
    assert root_over(LEAVES[0]) == LEAVES[0] == TREE.mth(0, 1)


def test_a_leaf_is_never_a_node():
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


def test_left_and_right_are_not_interchangeable():
    assert node_hash(LEAVES[0], LEAVES[1]) != node_hash(LEAVES[1], LEAVES[0])


def test_an_odd_hash_at_the_right_edge_is_carried_up_and_not_repeated():
    assert parents(b"".join(LEAVES[:3])) == TREE.mth(0, 2) + LEAVES[2]
    assert root_over(b"".join(LEAVES[:3])) != root_over(
        b"".join([*LEAVES[:3], LEAVES[2]])
    )


def test_every_root_to_size_300_is_that_of_the_definition():
    for size in range(301):
        assert root_over(b"".join(LEAVES[:size])) == TREE.mth(0, size), size


@given(size=st.integers(1, 300), height=st.integers(0, 8))
def test_the_root_over_full_trees_of_one_size_is_the_root_of_all_their_leaves(
    size, height
):
    width = 1 << height
    roots = [
        root_over(b"".join(LEAVES[at : min(at + width, size)]))
        for at in range(0, size, width)
    ]
    assert root_over(b"".join(roots)) == TREE.mth(0, size)


def test_the_published_reference_tree_has_our_leaves_nodes_and_roots():
    vector = published()
    leaves, *levels = [
        [bytes.fromhex(each) for each in level]
        for level in vector["node_hashes_by_level_hex"]
    ]
    inputs = [bytes.fromhex(each) for each in vector["leaf_inputs_hex"]]
    assert [leaf_hash(each) for each in inputs] == leaves
    below = leaves
    for level in levels:
        assert parents(b"".join(below)) == b"".join(level)
        below = level
    for size, root in enumerate(vector["root_by_size_hex"]):
        assert root_over(b"".join(leaves[:size])).hex() == root


def test_the_reference_that_judges_us_agrees_with_the_published_tree():
    vector = published()
    tree = Tree([bytes.fromhex(each) for each in vector["leaf_inputs_hex"]])
    roots = [tree.mth(0, size).hex() for size in range(9)]
    assert roots == vector["root_by_size_hex"]


def test_go_writes_the_same_leaf_and_the_same_checkpoint():
    path = foreign.folder("golang-xmod") / "tlog_vectors.json"
    vector = json.loads(path.read_text())["format_tree"]
    checkpoint = Checkpoint(
        origin=vector["origin"],
        size=vector["size"],
        root=leaf_hash(vector["root_of_record"].encode()),
    )
    assert checkpoint.text() == vector["want"]
    assert Checkpoint.parse(vector["want"]) == checkpoint


@pytest.mark.parametrize("wrong", [0, 31, 63])
def test_one_changed_entry_changes_the_root(wrong):
    leaves = list(LEAVES[:64])
    leaves[wrong] = leaf_hash(b"another")
    assert root_over(b"".join(leaves)) != TREE.mth(0, 64)
