"""RFC 6962, section 2.1, as it is written there.

`subproof` is that of the draft on Merkle tree certificates, which holds both
kinds of proof of the RFC: a subtree of one entry gives the path, a subtree that
starts at 0 the consistency proof. The letters are the RFC's.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


class Tree:
    """The tree over entries that may still be appended to."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self._known: dict[tuple[int, int], bytes] = {}

    def mth(self, start: int, end: int) -> bytes:
        """MTH(D[start:end])."""
        if start == end:
            return sha256(b"").digest()
        if (start, end) not in self._known:
            self._known[start, end] = self._mth(start, end)
        return self._known[start, end]

    def path(self, index: int, size: int) -> list[bytes]:
        """PATH(m, D[n])."""
        return self.subproof(index, index + 1, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """PROOF(m, D[n])."""
        return self.subproof(0, first, second)

    def subproof(self, start: int, end: int, size: int) -> list[bytes]:
        """The proof from D[start:end] to the tree of D[n]."""
        return self._subproof(start, end, 0, size, known=True)

    def _mth(self, start: int, end: int) -> bytes:
        if end - start == 1:
            return sha256(b"\x00" + self.entries[start]).digest()
        split = start + _k(end - start)
        return sha256(b"\x01" + self.mth(start, split) + self.mth(split, end)).digest()

    def _subproof(
        self, start: int, end: int, low: int, high: int, *, known: bool
    ) -> list[bytes]:
        if (start, end) == (low, high):
            return [] if known else [self.mth(low, high)]
        split = low + _k(high - low)
        if end <= split:
            rest = self._subproof(start, end, low, split, known=known)
            return [*rest, self.mth(split, high)]
        if start >= split:
            rest = self._subproof(start, end, split, high, known=known)
        else:
            rest = self._subproof(split, end, split, high, known=False)
        return [*rest, self.mth(low, split)]


def _k(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k
