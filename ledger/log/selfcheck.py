"""What is about to be committed, read back and computed a second time.

Two logs have died of a single bit that changed between computing a hash and
storing it: from then on every root commits to something that nobody can show. So
the entries are hashed again from the bytes that are stored, and the new root is
computed from the stored tiles by the verifier's routine, which shares nothing with
the frontier that computed it first. That the old tree is the beginning of the new
one is the store's to promise: its tiles only grow.
"""

from __future__ import annotations

from ledger.errors import WrongBytes
from ledger.store import Batch, Snapshot
from verifier.hashing import EMPTY_ROOT, HASH_SIZE, leaf_hashes, root_over
from verifier.tile import ENTRIES, WIDTH, Tile, levels_at, tiles_at, width_at


def check_batch(snapshot: Snapshot, batch: Batch) -> None:
    """Return if the store, with `batch` in it, is what its new head says."""
    head, previous = batch.head, batch.previous
    if snapshot.head() != head:
        raise WrongBytes("head", "the head that was read back is not the one written")
    computed = _leaves(snapshot, batch)
    first = head.size - len(computed) // HASH_SIZE
    edges: list[bytes] = []
    for level in range(levels_at(head.size)):
        roots = []
        edge = b""
        for index in range(first // WIDTH, tiles_at(level, head.size)):
            tile = Tile(level, index, width_at(level, index, head.size))
            edge = stored_tile(snapshot, tile)
            # What was computed from below has to be what this tile ends with.
            start = max(first - index * WIDTH, 0)
            mine = computed[(index * WIDTH + start - first) * HASH_SIZE :]
            if edge[start * HASH_SIZE :] != mine[: (tile.width - start) * HASH_SIZE]:
                raise WrongBytes(tile.path(), "it is not what the entries lead to")
            if tile.width == WIDTH:
                roots.append(root_over(edge))
                edge = b""
        edges.append(edge)
        computed, first = b"".join(roots), first // WIDTH
        first = max(first, (previous.size >> 8 * (level + 1)))
    if root_over_edges(edges) != head.root:
        raise WrongBytes("root", "the stored tiles lead to another root")


def _leaves(snapshot: Snapshot, batch: Batch) -> bytes:
    """The leaf hashes of what is new, and of the tile that it completes."""
    start, stop = batch.previous.size, batch.head.size
    if start // WIDTH < stop // WIDTH:
        # The entries that waited for this tile to be full are written again.
        start = start // WIDTH * WIDTH
    entries = snapshot.entries(start, stop)
    new = len(batch.entries)
    if len(entries) != stop - start or (new and entries[-new:] != list(batch.entries)):
        path = Tile(ENTRIES, start // WIDTH).path()
        raise WrongBytes(path, "the entries read back are not those handed in")
    return b"".join(leaf_hashes(entries))


def stored_tile(snapshot: Snapshot, tile: Tile) -> bytes:
    """The hashes of `tile`, which has to have at least as many as it says."""
    hashes = snapshot.tile(tile.level, tile.index)
    if len(hashes) % HASH_SIZE or len(hashes) < tile.width * HASH_SIZE:
        raise WrongBytes(
            tile.path(), f"{len(hashes)} bytes, where {tile.width} hashes belong"
        )
    return hashes[: tile.width * HASH_SIZE]


def stored_root(snapshot: Snapshot, size: int) -> bytes:
    """The root of the first `size` entries, from the tiles at that tree's edge."""
    edges = []
    for level in range(levels_at(size)):
        index = (size >> 8 * level) // WIDTH
        width = width_at(level, index, size)
        tile = Tile(level, index, width) if width else None
        edges.append(stored_tile(snapshot, tile) if tile else b"")
    return root_over_edges(edges)


def root_over_edges(edges: list[bytes]) -> bytes:
    """The root over the partial tiles at the edge of each level, the lowest first.

    A level's hashes, and behind them the one that what is below them adds up to.
    """
    below = b""
    for hashes in edges:
        below = root_over(hashes + below) if hashes or below else b""
    return below or EMPTY_ROOT
