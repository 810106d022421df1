"""A subtree proof ties any aligned range of entries to the tree's root."""

import json
from base64 import b64decode
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from tests.reference.rfc6962 import Tree
from tests.spoiling import flipped, refusal_by
from verifier import MalformedError
from verifier.errors import ConsistencyError
from verifier.hashing import EMPTY_ROOT
from verifier.proof import is_subtree, verify_subtree
from verifier.spelling import MAX_SIZE, parse_hash

TREE = Tree([b"entry %d" % number for number in range(300)])


def claim(start: int, end: int, size: int) -> dict:
    """The arguments of a true claim, for a test to spoil."""
    return {
        "start": start,
        "end": end,
        "node": TREE.mth(start, end),
        "size": size,
        "root": TREE.mth(0, size),
        "proof": TREE.subproof(start, end, size),
    }


refusal = partial(refusal_by, verify_subtree)


def subtrees(size: int) -> list[tuple[int, int]]:
    """By the draft's words: a multiple of the smallest power of two that holds it."""
    found = []
    for width in range(1, size + 1):
        power = 1
        while power < width:
            power *= 2
        found += [(at, at + width) for at in range(0, size - width + 1, power)]
    return found


@st.composite
def ranges(draw) -> tuple[int, int, int]:
    size = draw(st.integers(1, 300), label="size")
    start, end = draw(st.sampled_from(subtrees(size)), label="range")
    return start, end, size


@pytest.mark.exhaustive
@pytest.mark.parametrize("least", range(1, 129, 16))
def test_every_subtree_of_every_tree_to_size_128_is_in_it(least):
    for size in range(least, least + 16):
        for start, end in subtrees(size):
            verify_subtree(**claim(start, end, size))


@pytest.mark.parametrize("size", range(1, 34))
def test_every_subtree_of_every_small_tree_is_in_it(size):
    for start, end in subtrees(size):
        verify_subtree(**claim(start, end, size))


@given(ranges())
def test_subtrees_of_trees_to_size_300_are_in_them(where):
    verify_subtree(**claim(*where))


def test_which_ranges_are_subtrees_is_as_the_draft_says():
    for start in range(-2, 66):
        for end in range(-2, 66):
            valid = (start, end) in subtrees(65)
            assert is_subtree(start, end) is valid, (start, end)


@given(ranges(), st.integers(0, 255))
def test_one_flipped_bit_of_any_hash_is_noticed(where, bit):
    true = claim(*where)
    proof = true["proof"]
    for which in ("node", "root"):
        assert refusal(true | {which: flipped(true[which], bit)}) is ConsistencyError
    for at, node in enumerate(proof):
        spoiled = [*proof[:at], flipped(node, bit), *proof[at + 1 :]]
        assert refusal(true | {"proof": spoiled}) is ConsistencyError


@pytest.mark.parametrize("size", range(1, 34))
def test_a_missing_or_extra_hash_is_noticed(size):
    for start, end in subtrees(size):
        true = claim(start, end, size)
        proof = true["proof"]
        for at in range(len(proof)):
            assert refusal(true | {"proof": proof[:at] + proof[at + 1 :]}) is not None
        for extra in (true["node"], true["root"], EMPTY_ROOT):
            assert refusal(true | {"proof": [*proof, extra]}) is MalformedError
            assert refusal(true | {"proof": [extra, *proof]}) is not None


@given(ranges(), ranges())
def test_a_proof_is_of_one_range_only(where, other):
    start, end, size = where
    if other[1] <= size and other[:2] != (start, end):
        lied = claim(*where) | {"node": TREE.mth(*other[:2])}
        assert refusal(lied | {"start": other[0], "end": other[1]}) is not None


def test_the_whole_tree_is_a_subtree_that_needs_no_proof():
    for size in range(1, 65):
        true = claim(0, size, size)
        assert true["proof"] == []
        verify_subtree(**true)
        lied = true | {"root": EMPTY_ROOT}
        assert refusal(lied) is ConsistencyError


def test_the_message_says_which_end_of_the_proof_is_wrong():
    true = claim(8, 13, 27)
    with pytest.raises(ConsistencyError, match="starts from"):
        verify_subtree(**true | {"node": EMPTY_ROOT})
    with pytest.raises(ConsistencyError, match="leads to root"):
        verify_subtree(**true | {"root": EMPTY_ROOT})


@pytest.mark.parametrize(
    ("start", "end", "size"),
    [
        pytest.param(4, 4, 7, id="empty, which newer vectors allow and the text not"),
        pytest.param(5, 4, 7, id="backwards"),
        pytest.param(2, 5, 7, id="start is no multiple of the width"),
        pytest.param(-4, 4, 7, id="negative start"),
        pytest.param(0, 8, 7, id="end beyond the tree"),
        pytest.param(0, 1, MAX_SIZE + 1, id="size beyond 2^63-1"),
    ],
)
def test_a_range_that_is_no_subtree_of_the_tree_is_refused(start, end, size):
    true = claim(0, 4, 7) | {"start": start, "end": end, "size": size}
    with pytest.raises(MalformedError, match="not a subtree"):
        verify_subtree(**true)


@pytest.mark.parametrize("which", ["node", "root", "proof"])
def test_a_hash_of_another_length_is_no_hash(which):
    spoiled = [b""] if which == "proof" else b""
    with pytest.raises(MalformedError, match="32 bytes"):
        verify_subtree(**claim(0, 4, 7) | {which: spoiled})


def test_the_specifications_example_can_be_read_and_is_seen_not_to_hold():
    # Its hashes are placeholders: it shows the syntax of sign-subtree.
    path = foreign.folder("c2sp-spec-examples") / "examples.json"
    example = json.loads(path.read_text())["sign_subtree"]
    case = {
        "start": example["start"],
        "end": example["end"],
        "node": parse_hash(example["subtree_hash"], "the subtree's hash"),
        "size": example["size"],
        "root": parse_hash(example["root"], "the root"),
        "proof": [parse_hash(each, "a hash") for each in example["proof"]],
    }
    assert is_subtree(case["start"], case["end"])
    assert case["node"] == b64decode(example["subtree_hash"])
    assert refusal(case) is ConsistencyError
    assert example["verifies"] is False


def test_the_largest_tree_of_all_is_a_subtree_of_itself():
    root = bytes(32)
    verify_subtree(start=0, end=MAX_SIZE, node=root, size=MAX_SIZE, root=root, proof=[])
