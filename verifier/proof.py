"""Merkle proofs, checked.

Pure functions from bytes to nothing: no I/O, no clock, no state. A proof is a
bare list of hashes. It carries no index, no size and no directions; those come
from the caller, who took them from a signed checkpoint. A prover who could
choose how the proof is read could prove anything (tests/attacks/ performs it).

The tree is that of RFC 6962, section 2.1. The algorithms are those of RFC
9162, section 2.1, and for subtrees those of draft-ietf-plants-merkle-tree-certs,
section 4; they are iterative, and say exactly when a proof is too long or too
short. The names fn, sn and tn are theirs: the positions, at the level that has
been reached, of the first, the second and the tree's last node.
"""

from __future__ import annotations

from collections.abc import Sequence

from verifier.errors import ConsistencyError, InclusionError, MalformedError
from verifier.hashing import HASH_SIZE, node_hash
from verifier.spelling import MAX_SIZE


def root_from_inclusion(
    leaf: bytes, *, index: int, size: int, proof: Sequence[bytes]
) -> bytes:
    """Return the root that `proof` leads to from `leaf`. RFC 9162, 2.1.3.2."""
    if not 0 <= index < size <= MAX_SIZE:
        raise MalformedError(f"index {index} is outside a tree of {size} entries")
    _check_hashes(leaf, *proof)

    fn, sn, root = index, size - 1, leaf
    for node in proof:
        if sn == 0:
            raise MalformedError("the inclusion proof is too long")
        if fn & 1 or fn == sn:
            root = node_hash(node, root)
            # On the right edge there is no sibling until fn is odd again; it is not 0
            # there, since sn is not.
            while not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            root = node_hash(root, node)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise MalformedError("the inclusion proof is too short")
    return root


def verify_inclusion(
    leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Return if `leaf` is at `index` in the tree of `size` entries under `root`."""
    _check_hashes(root)
    computed = root_from_inclusion(leaf, index=index, size=size, proof=proof)
    if computed != root:
        raise InclusionError(
            f"entry {index} of {size}: the proof leads to root {computed.hex()[:16]}…, "
            f"the checkpoint says {root.hex()[:16]}…"
        )


def verify_consistency(
    *,
    first: int,
    first_root: bytes,
    second: int,
    second_root: bytes,
    proof: Sequence[bytes],
) -> None:
    """Return if the tree of `second` entries begins with that of `first`.

    RFC 9162, section 2.1.4.2. `first` must be at least 1: what an empty tree
    proves differs between protocols, and is theirs to decide.
    """
    _check_hashes(second_root)
    computed = root_from_consistency(
        first=first, first_root=first_root, second=second, proof=proof
    )
    if computed == second_root:
        return
    if first == second:
        raise ConsistencyError(f"two different roots for the same size {first}")
    raise ConsistencyError(
        f"the proof from size {first} leads to root {computed.hex()[:16]}…, "
        f"the tree of {second} entries has {second_root.hex()[:16]}…"
    )


def root_from_consistency(
    *, first: int, first_root: bytes, second: int, proof: Sequence[bytes]
) -> bytes:
    """Return the root that `proof` leads to from the tree of `first` entries."""
    if not 0 < first <= second <= MAX_SIZE:
        raise MalformedError(
            f"no consistency proof leads from size {first} to {second}"
        )
    _check_hashes(first_root, *proof)
    if first == second:
        if proof:
            raise MalformedError(
                "the consistency proof between equal sizes is not empty"
            )
        return first_root
    before, root = _roots_from_subtree(0, first, first_root, second, proof)
    if before != first_root:
        raise _begins_otherwise(0, first, first_root, before, second)
    return root


def is_subtree(start: int, end: int) -> bool:
    """Whether [start, end) is a range that the draft calls a subtree."""
    # 1 << bit_length(n - 1) is the smallest power of two that is at least n.
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def verify_subtree(
    *, start: int, end: int, node: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Return if `node` is the hash of entries [start, end) in the tree under `root`.

    With start 0 this is a consistency proof, with end = start + 1 an inclusion
    proof; both have the same hashes here as there.
    """
    if not is_subtree(start, end) or not end <= size <= MAX_SIZE:
        raise MalformedError(f"[{start}, {end}) is not a subtree of {size} entries")
    _check_hashes(node, root, *proof)
    fr, sr = _roots_from_subtree(start, end, node, size, proof)
    if fr != node:
        raise _begins_otherwise(start, end, node, fr, size)
    if sr != root:
        raise ConsistencyError(
            f"the proof from entries {start} to {end} leads to root {sr.hex()[:16]}…, "
            f"the tree of {size} entries has {root.hex()[:16]}…"
        )


def _begins_otherwise(
    start: int, end: int, node: bytes, found: bytes, size: int
) -> ConsistencyError:
    return ConsistencyError(
        f"entries {start} to {end} have hash {node.hex()[:16]}…, "
        f"the proof to size {size} starts from {found.hex()[:16]}…"
    )


def _roots_from_subtree(
    start: int, end: int, node: bytes, size: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The hash of the subtree and the root of the tree that `proof` leads to."""
    fn, sn, tn = _first_node(start, end, size)
    if fn == sn:
        # One full node, or the tree's right edge: the proof does not repeat it.
        fr = sr = node
    elif proof:
        fr = sr = proof[0]
        proof = proof[1:]
    else:
        raise MalformedError("the consistency proof is empty")
    for c in proof:
        if tn == 0:
            raise MalformedError("the consistency proof is too long")
        if sn & 1 or sn == tn:
            if fn < sn:
                fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            # As above: sn is odd, or it is tn and not 0.
            while not sn & 1:
                fn, sn, tn = fn >> 1, sn >> 1, tn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn, tn = fn >> 1, sn >> 1, tn >> 1
    if tn != 0:
        raise MalformedError("the consistency proof is too short")
    return fr, sr


def _first_node(start: int, end: int, size: int) -> tuple[int, int, int]:
    """Where a subtree proof begins: how far its last node is part of a full one."""
    fn, sn, tn = start, end - 1, size - 1
    at_edge = sn == tn
    while fn != sn and (at_edge or sn & 1):
        fn, sn, tn = fn >> 1, sn >> 1, tn >> 1
    return fn, sn, tn


def _check_hashes(*hashes: bytes) -> None:
    # An empty "hash" equal to an empty "root" would otherwise verify.
    if any(len(each) != HASH_SIZE for each in hashes):
        raise MalformedError(f"a hash is not {HASH_SIZE} bytes long")
