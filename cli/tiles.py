"""A log that is read as tiles: a service, a mirror, an exported folder.

Nothing of it is believed. The checkpoint is held against the policy, and all else
against the checkpoint's root. Proofs are made here, and verified by who asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, partial
from typing import Final, TypeVar

from cli.trusted import standing
from ledger.errors import Refused
from ledger.tree import Prover
from verifier.checkpoint import Checkpoint
from verifier.errors import DamagedError, MalformedError
from verifier.hashing import leaf_hash
from verifier.note import Note
from verifier.policy import Policy
from verifier.proof import verify_consistency, verify_inclusion
from verifier.receipt import MAX_BYTES, Receipt
from verifier.receipt.line import known_kind
from verifier.source import Source, read_checkpoint, read_entries, read_hashes
from verifier.tile import ENTRIES, WIDTH, Tile, width_at

_T = TypeVar("_T")

_KEPT: Final = 64
"""How many tiles of hashes are remembered: those near the root are asked for again."""


class Tiles:
    """A log's tiles in `source`, believed as far as `policy` goes."""

    def __init__(self, source: Source, policy: Policy | None) -> None:
        self.source = source
        self._policy = policy
        self._note: bytes | None = None
        self._read = lru_cache(_KEPT)(self._hashes)

    @cached_property
    def kind(self) -> str:
        """Of which kind the log has signed that it is; else nobody says."""
        keys = self._policy.logs if self._policy else []
        return known_kind("auto", self.checkpoint(), keys)

    @cached_property
    def tree(self) -> Checkpoint:
        """The newest tree, under a checkpoint that the policy's log has signed.

        Without a policy nobody is believed: it is what the source says, no more.
        """
        data = self.checkpoint()
        if self._policy is None:
            return Checkpoint.parse(Note.parse(data).text, extensions=True)
        # Whether the witnesses have seen it is said by who asks for that.
        return standing(data, self._policy).checkpoint

    def checkpoint(self) -> bytes:
        """The checkpoint of that tree, as it was signed."""
        if self._note is None:
            self._note = read_checkpoint(self.source)
        return self._note

    def checkpoint_of(self, size: int) -> bytes | None:
        """One of another size, if a service has kept it; unverified."""
        data = self.source.read(f"v1/receipts/0/{size}", MAX_BYTES)
        return None if data is None else Receipt.parse(data).checkpoint

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The entries from `start` up to `stop`, each held against the tree."""
        if not 0 <= start < stop <= self.tree.size:
            says = f"the log has the entries from 0 up to {self.tree.size}"
            raise Refused("index", says)
        found: list[bytes] = []
        for number in range(start // WIDTH, -(-stop // WIDTH)):
            first = number * WIDTH
            found += self._tile(number)[max(start - first, 0) : stop - first]
        self._check_there(start, found)
        return found

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof for an entry in the tree of `size`, to be verified."""
        self._check_size(size)
        return _proved(partial(self._prover(size).inclusion, index))

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof that one tree is the beginning of another, to be verified."""
        self._check_size(second)
        if not 0 < first <= second:
            raise Refused("index", f"no proof leads from size {first} to {second}")
        return _proved(partial(self._prover(second).consistency, first))

    def root(self, size: int) -> bytes:
        """The root that the first `size` entries had, if the newest vouches for it."""
        self._check_size(size)
        tree = self.tree
        prover = self._prover(tree.size)
        root = _proved(partial(prover.root, size))
        verify_consistency(
            first=size,
            first_root=root,
            second=tree.size,
            second_root=tree.root,
            proof=_proved(partial(prover.consistency, size)),
        )
        return root

    def _check_size(self, size: int) -> None:
        if size > self.tree.size:
            raise Refused("index", f"size {size}: the log has {self.tree.size}")

    def _tile(self, number: int) -> list[bytes]:
        """The entries of an entry tile, which may be anything."""
        tile = Tile(ENTRIES, number, width_at(ENTRIES, number, self.tree.size))
        entries = read_entries(self.source, tile)
        if entries is None:
            raise DamagedError(f"{self.source} has no {tile.path()}")
        return entries

    def _check_there(self, start: int, entries: Sequence[bytes]) -> None:
        """Return if the tree has these `entries` from `start` on."""
        tree = self.tree
        prover = self._prover(tree.size)
        for index, entry in enumerate(entries, start):
            proof = _proved(partial(prover.inclusion, index))
            verify_inclusion(
                leaf_hash(entry),
                index=index,
                size=tree.size,
                proof=proof,
                root=tree.root,
            )

    def _prover(self, size: int) -> Prover:
        """One for a question: what it has read it remembers."""
        return Prover(size, self._read)

    def _hashes(self, level: int, index: int) -> bytes:
        tile = Tile(level, index, width_at(level, index, self.tree.size))
        found = read_hashes(self.source, tile)
        if found is None:
            raise DamagedError(f"{self.source} has no {tile.path()}")
        return found


def _proved(prove: Callable[[], _T]) -> _T:
    """What can be proved by tiles that may be anything."""
    try:
        return prove()
    except ValueError as error:
        raise MalformedError(f"its tiles lead to no proof: {error}") from None
