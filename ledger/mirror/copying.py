"""Fetching what a log has more than its mirror: every entry is hashed here.

A few entry tiles at a time, each held against the log's hashes before it is
written. The hash tiles are made here, by the frontier, and not fetched. What an
earlier run has fetched is hashed again, and not asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from ledger.mirror.folder import Mirror
from ledger.mirror.proven import Proven
from ledger.tree import Frontier
from verifier.checkpoint import Checkpoint
from verifier.errors import DamagedError, MalformedError, Unavailable
from verifier.hashing import HASH_SIZE, leaf_hashes, root_over
from verifier.source import Source, read_entries
from verifier.tile import (
    ENTRIES,
    WIDTH,
    Tile,
    encode_entries,
    levels_at,
    parse_entries,
    tiles_at,
    width_at,
)

Watch = Callable[[int, int], None]

AT_ONCE: Final = 8
"""Entry tiles in work; each may have 16 MB, and is held twice while it is parsed."""
_STRETCH: Final = 128
"""Entry tiles between two looks at the hashes: of them only the leaves are kept."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An entry tile, and what it has to hash to."""

    tile: Tile
    hashes: bytes


def copy_new(source: Source, tree: Checkpoint, mirror: Mirror, watch: Watch) -> None:
    """Bring the tiles of `mirror` to those of `tree`, durably but for their names."""
    frontier = _frontier(mirror)
    if frontier.size > tree.size:
        frontier = Frontier()
    proven = Proven(source, tree)
    edge: dict[tuple[int, int], bytes] = {}
    last = tiles_at(ENTRIES, tree.size)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for start in range(frontier.size // WIDTH, last, _STRETCH):
                wanted = [
                    _Wanted(
                        Tile(ENTRIES, index, width_at(ENTRIES, index, tree.size)),
                        proven.of_entries(index),
                    )
                    for index in range(start, min(start + _STRETCH, last))
                ]
                leaves: list[bytes] = []
                for some in pool.map(lambda each: _fetch(source, each, mirror), wanted):
                    leaves += some
                edge |= frontier.append(leaves[frontier.size - start * WIDTH :])
                _write_full(pool, mirror, edge)
                watch(frontier.size, tree.size)
        finally:
            pool.shutdown(cancel_futures=True)
    if frontier.root() != tree.root:
        raise DamagedError(f"{source}: its entries do not lead to its checkpoint")
    for (level, index), data in edge.items():
        mirror.write(Tile(level, index, len(data) // HASH_SIZE), data)


def _frontier(mirror: Mirror) -> Frontier:
    """Where the mirror stands; if its own tiles are damaged, at the beginning."""
    tree = mirror.tree()
    if tree is None:
        return Frontier()

    def read(level: int, index: int) -> bytes:
        return mirror.tile(Tile(level, index, width_at(level, index, tree.size)))

    try:
        frontier = Frontier.load(tree.size, read)
    except ValueError:
        return Frontier()
    # All is hashed again then, and what is wrong is fetched again.
    return frontier if frontier.root() == tree.root else Frontier()


def _fetch(source: Source, wanted: _Wanted, mirror: Mirror) -> list[bytes]:
    """The leaves of an entry tile that lies in the mirror when this returns."""
    tile = wanted.tile
    try:
        leaves = leaf_hashes(parse_entries(mirror.tile(tile), tile))
        if _is(leaves, wanted):
            mirror.enter(tile)
            return leaves
    except MalformedError:
        pass  # nothing is there, or what a broken disk has left
    try:
        entries = read_entries(source, tile)
    except MalformedError as error:
        raise DamagedError(f"{source}: {tile.path()}: {error}") from None
    if entries is None:
        raise Unavailable(f"{source} has no {tile.path()}, which its tree needs")
    leaves = leaf_hashes(entries)
    if not _is(leaves, wanted):
        raise DamagedError(
            f"{source}: {tile.path()}: its entries are not those of the log's own "
            "hashes, which lead to its checkpoint"
        )
    mirror.write(tile, encode_entries(entries))
    return leaves


def _is(leaves: list[bytes], wanted: _Wanted) -> bool:
    joined = b"".join(leaves)
    partial = wanted.tile.width < WIDTH
    return (joined if partial else root_over(joined)) == wanted.hashes


def _write_full(
    pool: ThreadPoolExecutor, mirror: Mirror, edge: dict[tuple[int, int], bytes]
) -> None:
    """Write the tiles that are full, which leave `edge`."""
    full = [key for key, data in edge.items() if len(data) == WIDTH * HASH_SIZE]
    for _ in pool.map(lambda key: _write_missing(mirror, Tile(*key), edge[key]), full):
        pass
    for key in full:
        del edge[key]


def _write_missing(mirror: Mirror, tile: Tile, data: bytes) -> None:
    # To make a file durable costs more than to make what is in it.
    if mirror.tile(tile) == data:
        mirror.enter(tile)
    else:
        mirror.write(tile, data)


def tiles_there(tile: Tile, size: int) -> bool:
    """Whether a mirror of `size` may show `tile`: it is covered by its checkpoint."""
    if tile.level != ENTRIES and tile.level >= levels_at(size):
        return False
    return tile.width <= width_at(tile.level, tile.index, size)
