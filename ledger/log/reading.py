"""Reading what is committed and anchored, and believing none of it.

Every entry is hashed again before it is handed out, every tile is held against
the tile above it, every proof is verified by the verifier. Wrong bytes raise
WrongBytes, with their place, and are never served.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ledger.errors import Refused, WrongBytes
from ledger.log.selfcheck import stored_root, stored_tile
from ledger.store import LogStore, Snapshot
from ledger.tree import Prover
from ledger.tree.prove import Edge
from verifier.errors import VerificationError
from verifier.hashing import HASH_SIZE, leaf_hash, leaf_hashes, root_over
from verifier.proof import verify_consistency, verify_inclusion
from verifier.tile import ENTRIES, WIDTH, Tile, encode_entries, width_at


class Tree(Protocol):
    """A size and a root."""

    @property
    def size(self) -> int:
        """How many entries."""
        ...

    @property
    def root(self) -> bytes:
        """The root over them."""
        ...


class Reading:
    """What a reader may see of `store`: nothing above the head that `newest` names."""

    def __init__(self, store: LogStore, newest: Callable[[], Tree]) -> None:
        self._store = store
        self._newest = newest
        self._edge: tuple[int, Edge] = (-1, {})
        """The edge of the size that was last asked for; a proof has verified it."""

    def entry(self, index: int) -> bytes:
        """The entry at `index`."""
        return self.entries(index, index + 1)[0]

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The entries from `start` up to `stop`, all of which have to be there."""
        size = self._newest().size
        if not 0 <= start < stop <= size:
            raise Refused("index", f"the log has the entries from 0 up to {size}")
        with self._store.snapshot() as snapshot:
            return check_entries(snapshot, start, stop)

    def entry_tile(self, tile: Tile) -> bytes:
        """The bytes of an entry tile, partial ones as well."""
        self._check_there(tile)
        start = tile.index * WIDTH
        return encode_entries(self.entries(start, start + tile.width))

    def hashes(self, tile: Tile) -> bytes:
        """The bytes of a tile of hashes, partial ones as well."""
        newest = self._newest()
        self._check_there(tile)
        with self._store.snapshot() as snapshot:
            _check_path(snapshot, tile, newest)
            return stored_tile(snapshot, tile)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that the entry at `index` is in the tree of `size`."""
        return self.inclusions([index], size)[0]

    def inclusions(
        self, indexes: Sequence[int], size: int | None = None
    ) -> list[list[bytes]]:
        """Such a proof for each of `indexes`; they share what they can."""
        newest = self._newest()
        size = newest.size if size is None else size
        for index in indexes:
            if not 0 <= index < size <= newest.size:
                says = f"entry {index} of {size}: the log has {newest.size}"
                raise Refused("index", says)
        with self._store.snapshot() as snapshot:
            prover = Prover(size, snapshot.tile, self._edge_of(size))
            root = root_at(snapshot, size, newest)
            leaves = _Leaves(snapshot, size)
            proofs = [_prove(prover, leaves[at], at, size, root) for at in indexes]
        self._edge = size, prover.edge
        return proofs

    def consistency(self, first: int, second: int | None = None) -> list[bytes]:
        """The proof that the tree of `first` is the beginning of that of `second`."""
        newest = self._newest()
        second = newest.size if second is None else second
        if not 0 < first <= second <= newest.size:
            says = f"from size {first} to {second}: the log has {newest.size}"
            raise Refused("index", says)
        with self._store.snapshot() as snapshot:
            before, after = (root_at(snapshot, n, newest) for n in (first, second))
            try:
                proof = Prover(second, snapshot.tile).consistency(first)
                verify_consistency(
                    first=first,
                    second=second,
                    first_root=before,
                    second_root=after,
                    proof=proof,
                )
            except (ValueError, VerificationError) as error:
                raise WrongBytes("tile", f"they lead to no proof: {error}") from None
        return proof

    def root(self, size: int) -> bytes:
        """The root that the first `size` entries had."""
        newest = self._newest()
        if not 0 <= size <= newest.size:
            raise Refused("index", f"there is no root of {size}: it has {newest.size}")
        with self._store.snapshot() as snapshot:
            return root_at(snapshot, size, newest)

    def _edge_of(self, size: int) -> Edge | None:
        known, edge = self._edge
        return edge if known == size else None

    def _check_there(self, tile: Tile) -> None:
        size = self._newest().size
        if tile.width > width_at(tile.level, tile.index, size):
            raise Refused("index", f"a log of size {size} has no {tile.path()}")


class _Leaves:
    """The hashes of entries in the tree of `size`; a tile of them is read once."""

    def __init__(self, snapshot: Snapshot, size: int) -> None:
        self._snapshot = snapshot
        self._size = size
        self._tiles: dict[int, bytes] = {}

    def __getitem__(self, index: int) -> bytes:
        number, place = divmod(index, WIDTH)
        if number not in self._tiles:
            tile = Tile(0, number, width_at(0, number, self._size))
            self._tiles[number] = stored_tile(self._snapshot, tile)
        return self._tiles[number][place * HASH_SIZE :][:HASH_SIZE]


def _prove(
    prover: Prover, leaf: bytes, index: int, size: int, root: bytes
) -> list[bytes]:
    """The proof for one entry, after the verifier has accepted it."""
    try:
        proof = prover.inclusion(index)
        verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)
    except (ValueError, VerificationError) as error:
        path = Tile(0, index // WIDTH).path()
        raise WrongBytes(path, f"it leads to no proof: {error}") from None
    return proof


def check_entries(snapshot: Snapshot, start: int, stop: int) -> list[bytes]:
    """The entries from `start` up to `stop`, if each is what the tree has."""
    entries = snapshot.entries(start, stop)
    at = start
    while at < stop:
        index = at // WIDTH
        end = min(stop, (index + 1) * WIDTH)
        tile = Tile(0, index, end - index * WIDTH)
        hashes = stored_tile(snapshot, tile)[(at - index * WIDTH) * HASH_SIZE :]
        some = entries[at - start : end - start]
        if len(some) != end - at or b"".join(leaf_hashes(some)) != hashes:
            raise WrongBytes(
                _place(index, at, some, hashes), "it is not what was logged"
            )
        at = end
    return entries


def root_at(snapshot: Snapshot, size: int, newest: Tree) -> bytes:
    """The root of the first `size` entries, if the newest root vouches for it."""
    if size == newest.size:
        return newest.root
    root = stored_root(snapshot, size)
    if size:
        try:
            verify_consistency(
                first=size,
                first_root=root,
                second=newest.size,
                second_root=newest.root,
                proof=Prover(newest.size, snapshot.tile).consistency(size),
            )
        except (ValueError, VerificationError) as error:
            says = f"they do not lead from size {size} to {newest.size}: {error}"
            raise WrongBytes("tile", says) from None
    return root


def _place(index: int, start: int, entries: list[bytes], hashes: bytes) -> str:
    for number, entry in enumerate(entries):
        if leaf_hash(entry) != hashes[number * HASH_SIZE :][:HASH_SIZE]:
            return f"entry {start + number}"
    return Tile(ENTRIES, index).path()


def _check_path(snapshot: Snapshot, tile: Tile, newest: Tree) -> None:
    """Return if the hashes of `tile`, up to the root, are what the root says."""
    level, index = tile.level, tile.index
    while width_at(level, index, newest.size) == WIDTH:
        root = root_over(stored_tile(snapshot, Tile(level, index)))
        level, place, index = level + 1, index % WIDTH, index // WIDTH
        above = Tile(level, index, width_at(level, index, newest.size))
        if stored_tile(snapshot, above)[place * HASH_SIZE :][:HASH_SIZE] != root:
            raise WrongBytes(tile.path(), "it is not what the tile above it says")
    # Now it is one at the edge, and all of these together make the root.
    if stored_root(snapshot, newest.size) != newest.root:
        raise WrongBytes(tile.path(), "the edge of the tree does not lead to its root")
