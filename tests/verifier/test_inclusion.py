"""An inclusion proof shows that this entry stands at this index, and no more."""

import json
from base64 import b64decode
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from tests.reference.rfc6962 import Tree
from tests.sampled import one_in
from tests.spoiling import flipped, refusal_by
from verifier import MalformedError, leaf_hash, verify_inclusion
from verifier.errors import InclusionError
from verifier.hashing import EMPTY_ROOT, node_hash
from verifier.proof import root_from_inclusion
from verifier.spelling import MAX_SIZE

ENTRIES = [b"entry %d" % number for number in range(300)]
TREE = Tree(ENTRIES)


def claim(index: int, size: int) -> dict:
    """The arguments of a true claim, for a test to spoil."""
    return {
        "leaf": leaf_hash(ENTRIES[index]),
        "index": index,
        "size": size,
        "proof": TREE.path(index, size),
        "root": TREE.mth(0, size),
    }


refusal = partial(refusal_by, verify_inclusion)


def indexes_and_sizes(most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(1, most).flatmap(
        lambda size: st.tuples(st.integers(0, size - 1), st.just(size))
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("least", range(1, 301, 50))
def test_every_entry_of_every_tree_to_size_300_is_included(least):
    for size in range(least, least + 50):
        for index in range(size):
            verify_inclusion(**claim(index, size))


@pytest.mark.parametrize("size", range(1, 18))
def test_every_entry_of_every_small_tree_is_included(size):
    for index in range(size):
        verify_inclusion(**claim(index, size))


def test_the_only_entry_of_a_tree_is_its_root_and_needs_no_proof():
    true = claim(0, 1)
    assert (true["proof"], true["leaf"]) == ([], true["root"])
    verify_inclusion(**true)


@pytest.mark.parametrize("size", [3, 5, 6, 7, 9, 13, 129, 257, 300])
def test_the_last_entry_of_a_ragged_tree_has_a_short_path(size):
    true = claim(size - 1, size)
    assert len(true["proof"]) == (size - 1).bit_count()
    verify_inclusion(**true)


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", one_in(3, range(1, 33)))
def test_one_flipped_bit_of_any_hash_is_noticed_in_every_tree_to_size_32(size):
    for index in range(size):
        true = claim(index, size)
        proof = true["proof"]
        for bit in range(256):
            leaf, root = flipped(true["leaf"], bit), flipped(true["root"], bit)
            assert refusal(true | {"leaf": leaf}) is InclusionError
            assert refusal(true | {"root": root}) is InclusionError
            for at, node in enumerate(proof):
                spoiled = [*proof[:at], flipped(node, bit), *proof[at + 1 :]]
                assert refusal(true | {"proof": spoiled}) is InclusionError


@given(indexes_and_sizes(300), st.integers(0, 255))
def test_one_flipped_bit_of_any_hash_is_noticed_to_size_300(where, bit):
    true = claim(*where)
    proof = true["proof"]
    assert refusal(true | {"leaf": flipped(true["leaf"], bit)}) is InclusionError
    assert refusal(true | {"root": flipped(true["root"], bit)}) is InclusionError
    for at, node in enumerate(proof):
        spoiled = [*proof[:at], flipped(node, bit), *proof[at + 1 :]]
        assert refusal(true | {"proof": spoiled}) is InclusionError


@pytest.mark.parametrize("size", range(1, 34))
def test_a_missing_repeated_or_extra_hash_is_a_wrong_length(size):
    for index in range(size):
        true = claim(index, size)
        proof = true["proof"]
        for at in range(len(proof)):
            missing = proof[:at] + proof[at + 1 :]
            repeated = [*proof[:at], proof[at], *proof[at:]]
            assert refusal(true | {"proof": missing}) is MalformedError
            assert refusal(true | {"proof": repeated}) is MalformedError
        for extra in (true["root"], true["leaf"], EMPTY_ROOT, bytes(32)):
            assert refusal(true | {"proof": [*proof, extra]}) is MalformedError
            assert refusal(true | {"proof": [extra, *proof]}) is MalformedError


@given(indexes_and_sizes(300), st.data())
def test_two_hashes_in_each_others_place_are_noticed(where, data):
    true = claim(*where)
    swapped = list(true["proof"])
    if len(swapped) > 1:
        a = data.draw(st.integers(0, len(swapped) - 2), label="first")
        b = data.draw(st.integers(a + 1, len(swapped) - 1), label="second")
        swapped[a], swapped[b] = swapped[b], swapped[a]
        assert refusal(true | {"proof": swapped}) is InclusionError


def test_a_proof_that_is_too_short_or_too_long_says_so():
    true = claim(3, 7)
    with pytest.raises(MalformedError, match="too short"):
        verify_inclusion(**true | {"proof": true["proof"][:-1]})
    with pytest.raises(MalformedError, match="too long"):
        verify_inclusion(**true | {"proof": [*true["proof"], EMPTY_ROOT]})


@pytest.mark.parametrize("size", range(1, 65))
def test_a_proof_serves_one_index_only(size):
    for index in range(size):
        true = claim(index, size)
        for other in {index - 1, index + 1, index ^ 1, index ^ 2, 0, size - 1}:
            if other != index:
                assert refusal(true | {"index": other}) is not None


@pytest.mark.parametrize("size", range(1, 65))
def test_a_proof_does_not_lead_to_the_root_of_another_size(size):
    for index in range(size):
        for other in (size - 1, size + 1, 2 * size):
            lied = claim(index, size) | {"size": other, "root": TREE.mth(0, other)}
            assert refusal(lied) is not None


def sides(index: int, size: int) -> list[bool]:
    """On which side of the path each hash is, from the root down."""
    if size == 1:
        return []
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        return [False, *sides(index, split)]
    return [True, *sides(index - split, size - split)]


@pytest.mark.parametrize("size", range(1, 65))
def test_under_the_same_root_a_wrong_size_passes_only_where_the_path_cannot_tell(size):
    # Which is why the size is taken from the signed checkpoint, never from a proof.
    for index in range(size):
        for other in {index + 1, size - 1, size + 1, 2 * size} - {index}:
            refused = refusal(claim(index, size) | {"size": other}) is not None
            assert refused is (sides(index, size) != sides(index, other))


@pytest.mark.parametrize(
    ("index", "size"),
    [
        pytest.param(0, 0, id="an empty tree has no entries"),
        pytest.param(1, 1, id="index equal to size"),
        pytest.param(8, 7, id="index beyond size"),
        pytest.param(-1, 7, id="negative index"),
        pytest.param(0, -1, id="negative size"),
        pytest.param(0, MAX_SIZE + 1, id="size beyond 2^63-1"),
        pytest.param(2**64 - 1, 7, id="an index that wrapped around"),
    ],
)
def test_an_index_outside_the_tree_is_refused(index, size):
    with pytest.raises(MalformedError, match="outside"):
        verify_inclusion(**claim(0, 1) | {"index": index, "size": size})


@pytest.mark.parametrize("index", [0, 1, 2**62, MAX_SIZE - 1])
def test_the_largest_tree_there_is_has_proofs_like_any_other(index):
    leaf, size, proof, root = leaf_hash(b""), MAX_SIZE, [], leaf_hash(b"")
    first, last = index, size - 1
    while last:
        if first & 1 or first < last:
            sibling = leaf_hash(b"%d" % last)
            proof.append(sibling)
            root = node_hash(*((sibling, root) if first & 1 else (root, sibling)))
        first, last = first >> 1, last >> 1
    assert len(proof) <= 63
    verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
@pytest.mark.parametrize("which", ["leaf", "root", "proof"])
def test_a_hash_of_another_length_is_no_hash(which, length):
    true = claim(2, 7)
    wrong = bytes(length)
    spoiled = [true["proof"][0], wrong, *true["proof"][2:]]
    with pytest.raises(MalformedError, match="32 bytes"):
        verify_inclusion(**true | {which: spoiled if which == "proof" else wrong})


def test_an_empty_leaf_is_not_included_under_an_empty_root():
    with pytest.raises(MalformedError, match="32 bytes"):
        verify_inclusion(b"", index=0, size=1, proof=[], root=b"")


def test_the_root_that_a_proof_leads_to_can_be_had_without_one_to_compare():
    true = claim(5, 11)
    root = true.pop("root")
    assert root_from_inclusion(**true) == root


def test_the_published_proofs_hold_or_do_not_hold_as_they_say():
    folder = foreign.folder("transparency-dev-merkle") / "inclusion"
    paths = sorted(folder.rglob("*.json"))
    assert len(paths) > 20
    for path in paths:
        check_published(path)


def check_published(path: Path) -> None:
    vector = json.loads(path.read_text())
    case = {
        "leaf": b64decode(vector["leafHash"]),
        "index": vector["leafIdx"],
        "size": vector["treeSize"],
        "proof": [b64decode(each) for each in vector["proof"] or []],
        "root": b64decode(vector["root"]),
    }
    assert (refusal(case) is not None) is vector["wantErr"], path
