"""The hashes of RFC 6962, section 2.1.

Leaves and nodes are told apart by their first byte. Without it an inner node
could be passed off as an entry, and a proof would prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

HASH_SIZE: Final = 32

EMPTY_ROOT: Final = sha256().digest()
"""The root of the tree that has no entries."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry; an empty entry is legal."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The hashes of many entries, without a call for each."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def parents(level: bytes) -> bytes:
    """The next level up: the hashes of the pairs in `level`, joined.

    An odd hash at the right end stays as it is: in a tree whose size is no
    power of two it meets its sibling further up. Applied until one hash is
    left, this gives the root over any number of hashes.
    """
    paired = len(level) // 64 * 64
    nodes = [
        sha256(b"\x01" + level[at : at + 64]).digest() for at in range(0, paired, 64)
    ]
    return b"".join(nodes) + level[paired:]


def root_over(hashes: bytes) -> bytes:
    """The root of the tree over `hashes`, joined: leaves, or full trees of one size."""
    if not hashes:
        return EMPTY_ROOT
    while len(hashes) > HASH_SIZE:
        hashes = parents(hashes)
    return hashes
