"""Places where a log may be damaged, and what comes of repairing it."""

from __future__ import annotations

from contextlib import ExitStack

from ledger.store import layout as at
from ledger.upkeep.copies import open_copy
from ledger.upkeep.fsck import fsck, repair

SIZE = 300
ENTRY = (at.ENTRIES, at.index_key(0), 5 * 14 + 3)
LENGTH = (at.ENTRIES, at.index_key(0), 5 * 14 + 1)
TAIL = (at.TAIL, at.index_key(261), 3)
LEAVES = (at.TILES, at.tile_key((0, 0)), 5 * 32)
LEAF_EDGE = (at.TILES, at.tile_key((0, 1)), 5 * 32)
UPPER_EDGE = (at.TILES, at.tile_key((1, 0)), 3)
ENTRIES = {"entry": ENTRY, "length": LENGTH, "tail": TAIL}
HASHES = {"leaves": LEAVES, "leaf edge": LEAF_EDGE, "upper edge": UPPER_EDGE}


def mended(log, *copies):
    """Which places are whole after a repair, and which are not."""
    with ExitStack() as stack:
        sources = [stack.enter_context(open_copy(each)) for each in copies]
        return dict(repair(log.folder, fsck(log.folder), sources))
