"""Whether the next batch has room: in the store's limit, in its map, on the disk.

The store looks at each batch by itself and refuses the one that has no room. This
says the same before somebody has a batch.
"""

from __future__ import annotations

from pathlib import Path

from ledger.config import Config
from ledger.log.states import held
from ledger.store import SLACK_BYTES, Usage


def check_room(usage: Usage, config: Config, folder: Path) -> None:
    """Return if a small batch would be taken; Held if it would be refused.

    It may be the one that completes a tile: it writes all that is in the tail again.
    """
    if wrong := _wrong(usage, config):
        raise held("full", f"nothing more can be logged: {wrong}", folder)


def _wrong(usage: Usage, config: Config) -> str:
    more = SLACK_BYTES + usage.tail_bytes
    need = usage.used_bytes + more
    has = f"the store has {usage.used_bytes} bytes, the next batch may need"
    has = f"{has} {more} more, and the most that it may have is"
    if need > usage.limit_bytes:
        return f"{has} {usage.limit_bytes} (limit_bytes)"
    if need > config.map_bytes:
        return f"{has} {config.map_bytes} of address space (map_bytes)"
    if usage.free_bytes - more < config.min_free_bytes:
        return (
            f"the disk has {usage.free_bytes} bytes left, and the last "
            f"{config.min_free_bytes} stay free (min_free_bytes)"
        )
    return ""
