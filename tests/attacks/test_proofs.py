"""Whoever makes the proofs cannot make them say what the tree does not.

Each test is the attack, as somebody would carry it out who has every entry,
every hash and all the time in the world, and lacks only a second SHA-256.
"""

import pytest

from tests.reference.rfc6962 import Tree
from tests.testlog import LOG, checkpoint_text, note, policy_text, receipt_text
from verifier import (
    MalformedError,
    Policy,
    Receipt,
    Report,
    VerificationError,
    leaf_hash,
    node_hash,
    verify_checkpoint,
    verify_consistency,
    verify_evidence,
    verify_inclusion,
)
from verifier.errors import ConsistencyError, InclusionError
from verifier.hashing import EMPTY_ROOT
from verifier.proof import root_from_inclusion, verify_subtree
from verifier.trust import Limits

ENTRIES = [b"entry %d" % number for number in range(64)]
TREE = Tree(ENTRIES)


def inclusion(index: int, size: int) -> dict:
    """The arguments of a true claim, for an attacker to bend."""
    return {
        "leaf": leaf_hash(ENTRIES[index]),
        "index": index,
        "size": size,
        "proof": TREE.path(index, size),
        "root": TREE.mth(0, size),
    }


def growth(first: int, second: int, before: Tree = TREE, after: Tree = TREE) -> dict:
    """That `after` begins with `before`, with the proof that `after` has for it."""
    return {
        "first": first,
        "first_root": before.mth(0, first),
        "second": second,
        "second_root": after.mth(0, second),
        "proof": after.consistency(first, second),
    }


def test_an_inner_node_is_no_entry_in_a_tree_of_half_the_size():
    # The second preimage: 64 bytes of two children, said to be what was logged.
    for at in range(0, 64, 2):
        forged = leaf_hash(ENTRIES[at]) + leaf_hash(ENTRIES[at + 1])
        upper = inclusion(at, 64)["proof"][1:]
        with pytest.raises(InclusionError):
            verify_inclusion(
                leaf_hash(forged),
                index=at // 2,
                size=32,
                proof=upper,
                root=TREE.mth(0, 64),
            )


def test_the_bytes_of_a_node_with_their_prefix_are_no_entry_either():
    forged = b"\x01" + leaf_hash(ENTRIES[0]) + leaf_hash(ENTRIES[1])
    with pytest.raises(InclusionError):
        verify_inclusion(
            leaf_hash(forged), index=0, size=1, proof=[], root=TREE.mth(0, 2)
        )


def test_the_hash_of_a_node_passes_for_a_leaf_only_if_nobody_hashes_the_entry():
    # verify_inclusion takes a leaf: who takes it from the prover has lost already.
    # A receipt has no leaf in it, and evidence is verified from the entry's bytes.
    root = TREE.mth(0, 2)
    verify_inclusion(root, index=0, size=1, proof=[], root=root)
    text = checkpoint_text(1, root)
    receipt = Receipt.parse(receipt_text(0, [], note(text, LOG.line(text))))
    policy = Policy.parse(policy_text(quorum=0))
    for forged in (root, leaf_hash(ENTRIES[0]) + leaf_hash(ENTRIES[1]), b""):
        with pytest.raises(InclusionError):
            verify_evidence(receipt, policy, Limits(), Report(), entry=forged)


def test_the_prover_cannot_choose_on_which_side_a_hash_is():
    # Where each hash brings its own direction, entry 0 can be shown at index 1.
    left, right = leaf_hash(ENTRIES[0]), leaf_hash(ENTRIES[1])
    verify_inclusion(left, index=0, size=2, proof=[right], root=TREE.mth(0, 2))
    with pytest.raises(InclusionError):
        verify_inclusion(left, index=1, size=2, proof=[right], root=TREE.mth(0, 2))
    swapped = root_from_inclusion(left, index=1, size=2, proof=[right])
    assert swapped == node_hash(right, left) != TREE.mth(0, 2)


@pytest.mark.parametrize("size", [2, 7, 8, 13, 33, 64])
def test_a_proof_replayed_for_any_other_entry_or_index_is_refused(size):
    for index in range(size):
        true = inclusion(index, size)
        for other in set(range(size)) - {index}:
            with pytest.raises(VerificationError):
                verify_inclusion(**true | {"index": other})
            with pytest.raises(VerificationError):
                verify_inclusion(**true | {"leaf": leaf_hash(ENTRIES[other])})


@pytest.mark.parametrize("size", [2, 7, 8, 13, 33])
def test_a_proof_replayed_against_the_tree_of_any_other_size_is_refused(size):
    for index in range(size):
        true = inclusion(index, size)
        for other in set(range(1, 65)) - {size}:
            with pytest.raises(VerificationError):
                verify_inclusion(**true | {"size": other, "root": TREE.mth(0, other)})


def test_an_index_beyond_the_tree_does_not_wrap_around():
    true = inclusion(5, 8)
    for index in (5 + 8, 5 + 16, 5 + 2**32, 5 + 2**64, 5 - 8):
        with pytest.raises(MalformedError, match="outside"):
            verify_inclusion(**true | {"index": index})


def test_nothing_is_included_in_the_empty_tree():
    for leaf in (EMPTY_ROOT, leaf_hash(b""), b""):
        with pytest.raises(MalformedError):
            verify_inclusion(leaf, index=0, size=0, proof=[], root=EMPTY_ROOT)


@pytest.mark.parametrize("first", [3, 4, 5, 8, 11])
def test_a_proof_has_no_room_for_hashes_that_nobody_uses(first):
    true = growth(first, 13)
    verify_consistency(**true)
    for padding in (true["first_root"], true["second_root"], EMPTY_ROOT, bytes(32)):
        for at in range(len(true["proof"]) + 1):
            padded = [*true["proof"][:at], padding, *true["proof"][at:]]
            with pytest.raises(VerificationError):
                verify_consistency(**true | {"proof": padded})


def test_the_new_root_is_no_proof_of_itself():
    # The verifier starts from what the prover gives, and has to end at both roots.
    for first in range(1, 13):
        true = growth(first, 13)
        for proof in ([true["second_root"]], [true["first_root"]], []):
            if proof != true["proof"]:
                with pytest.raises(VerificationError):
                    verify_consistency(**true | {"proof": proof})


@pytest.mark.parametrize("place", range(7))
def test_an_entry_inserted_before_an_old_one_makes_another_history(place):
    forged = Tree([*ENTRIES[:place], b"backdated", *ENTRIES[place:]])
    for second in (8, 11, 16):
        with pytest.raises(ConsistencyError):
            verify_consistency(**growth(7, second, TREE, forged))
        verify_consistency(**growth(7, second, forged, forged))


@pytest.mark.parametrize("place", range(7))
def test_an_entry_changed_or_taken_out_makes_another_history(place):
    changed = Tree([*ENTRIES[:place], b"another", *ENTRIES[place + 1 :]])
    shortened = Tree([*ENTRIES[:place], *ENTRIES[place + 1 :]])
    for forged in (changed, shortened):
        for second in (8, 11, 16):
            with pytest.raises(ConsistencyError):
                verify_consistency(**growth(7, second, TREE, forged))


def test_the_honest_proof_does_not_cover_for_a_forged_root():
    forged = Tree([b"backdated", *ENTRIES])
    true = growth(7, 16)
    with pytest.raises(ConsistencyError, match="leads to root"):
        verify_consistency(**true | {"second_root": forged.mth(0, 16)})
    with pytest.raises(ConsistencyError, match="starts from"):
        verify_consistency(**true | {"first_root": forged.mth(0, 7)})


def test_two_trees_of_one_size_cannot_both_be_the_one_that_was_signed():
    forged = Tree([*ENTRIES[:6], b"another"])
    with pytest.raises(ConsistencyError, match="two different roots"):
        verify_consistency(**growth(7, 7, TREE, forged))


def test_a_subtree_of_another_place_is_not_sold_as_this_one():
    for start in range(0, 16, 4):
        with pytest.raises(ConsistencyError):
            verify_subtree(
                start=16,
                end=20,
                node=TREE.mth(start, start + 4),
                size=27,
                root=TREE.mth(0, 27),
                proof=TREE.subproof(16, 20, 27),
            )


def test_a_signed_tree_of_no_entries_has_no_other_root():
    text = checkpoint_text(0, TREE.mth(0, 7))
    with pytest.raises(MalformedError, match="tree is empty"):
        verify_checkpoint(
            note(text, LOG.line(text)), Policy.parse(policy_text(quorum=0))
        )


def test_a_root_signed_for_a_size_it_does_not_have_is_refused():
    # A log signs the root of 4 entries as that of 7; the proof stops where it is true.
    four, seven = TREE.mth(0, 4), 7
    with pytest.raises(MalformedError, match="too short"):
        verify_consistency(
            first=4, first_root=four, second=seven, second_root=four, proof=[]
        )
    with pytest.raises(MalformedError, match="too short"):
        verify_consistency(
            first=3,
            first_root=TREE.mth(0, 3),
            second=seven,
            second_root=four,
            proof=TREE.consistency(3, 4),
        )
