"""The tree, made: what is appended to, and what is proved.

Pure functions of hashes: no I/O of its own, no clock, no state but what it was
given. The alphabet (hashes, coordinates of tiles) is the verifier's; the argument
is not: verifier/ folds level by level and climbs proofs from the leaf, here a
binary counter carries, and proofs are looked up as perfect subtrees. One mistake
would have to be made twice, in two ways, to go unnoticed.
"""

from __future__ import annotations

from ledger.tree.frontier import Frontier
from ledger.tree.prove import Prover

__all__ = ["Frontier", "Prover"]
