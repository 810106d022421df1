"""Becoming public: the log as files, in the layout of c2sp.org/tlog-tiles.

Any web server can serve the folder, and `python -m verifier audit` accepts it.
First entries and tiles, each durable under its name, then the checkpoint: who
reads the folder at any moment finds all that its checkpoint covers. What is full
never changes, so a later export writes only what is new.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.errors import Held, Refused
from ledger.log.look import Look
from ledger.log.targets import hold_against, read_own
from ledger.store.disk import sync_folder
from verifier import note
from verifier.checkpoint import Checkpoint
from verifier.durable import write_atomically
from verifier.errors import VerificationError
from verifier.keys import VerifierKey
from verifier.note import Note
from verifier.source import CHECKPOINT, Directory
from verifier.tile import ENTRIES, WIDTH, Tile, levels_at, tiles_at, width_at

Watch = Callable[[int, int], None]

_OURS: Final = ("tile", f".{CHECKPOINT}.")
"""How the names begin of what an export leaves that was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What is public now, and how many entries were before."""

    before: int
    checkpoint: Checkpoint


def export(
    seen: Look, dest: Path, *, time: int, watch: Watch | None = None
) -> Exported:
    """Bring the folder `dest` up to the newest tree; `time` is in seconds."""
    signed = seen.checkpoint(time=time)
    newest = read_own(signed, seen.store.charter.origin, _keys(seen))
    before = _published(seen, dest)
    above = _make_folders(dest.absolute()) | {dest.absolute().parent}
    _write_tiles(seen, dest, list(new_tiles(before, newest.size)), watch)
    # Everything below it is durable. A crash before this line leaves the old one.
    write_atomically(dest / CHECKPOINT, signed)
    for folder in above:
        sync_folder(folder)
    return Exported(before=before, checkpoint=newest)


def new_tiles(before: int, size: int) -> Iterator[Tile]:
    """The tiles that a tree of `size` has and one of `before` entries has not."""
    for level in (ENTRIES, *range(levels_at(size))):
        first = (before >> 8 * max(level, 0)) // WIDTH
        for index in range(first, tiles_at(level, size)):
            width = width_at(level, index, size)
            if width != width_at(level, index, before):
                yield Tile(level, index, width)


def _published(seen: Look, dest: Path) -> int:
    """The size that `dest` has, if its tree is one that ours begins with."""
    data = Directory(dest).read(CHECKPOINT, note.MAX_BYTES)
    if data is None:
        names = os.listdir(dest) if dest.exists() else []
        if not all(each.startswith(_OURS) for each in names):
            raise Refused("folder", f"{dest} holds something that is no exported log")
        return 0
    try:
        before = _ours(data, seen, dest)
    except VerificationError as error:
        says = f"{dest} has a checkpoint of another log: {error}"
        raise Refused("folder", says) from None
    if before.size > seen.newest.size:
        raise Held("rollback", f"{dest} has size {before.size}, which nobody anchored")
    return before.size


def _ours(data: bytes, seen: Look, dest: Path) -> Checkpoint:
    """The checkpoint `data`, of ours: we signed it, or our tree begins with its tree.

    A key that was let go may have signed it; the tree is enough to tell it by.
    """
    origin = seen.store.charter.origin
    try:
        before = read_own(data, origin, _keys(seen))
    except VerificationError:
        before = Checkpoint.parse(Note.parse(data).text)
        with suppress(Held):
            hold_against(before, seen.store, str(dest))
            if before.origin == origin:
                return before
        raise
    hold_against(before, seen.store, str(dest))
    return before


def _keys(seen: Look) -> list[VerifierKey]:
    return seen.signer.verifier_keys() if seen.signer else []


def _write_tiles(
    seen: Look, dest: Path, tiles: list[Tile], watch: Watch | None
) -> None:
    """Write `tiles`, durably: their bytes, and the names that lead to them."""
    folders: set[Path] = set()
    for number, tile in enumerate(tiles):
        reading = seen.reading
        data = (
            reading.entry_tile(tile) if tile.level == ENTRIES else reading.hashes(tile)
        )
        path = dest / tile.path()
        _make_folders(path.parent)
        # Those that were there, too: who made them may not have lived to sync them.
        folders |= {each for each in path.parents if each.is_relative_to(dest)}
        _write(path, data)
        if watch:
            watch(number + 1, len(tiles))
    for folder in sorted(folders, reverse=True):
        sync_folder(folder)


def _write(path: Path, data: bytes) -> None:
    """Write a file that nobody reads yet, durably but for its name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    number = os.open(path, flags, 0o644)
    with open(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _make_folders(folder: Path) -> set[Path]:
    """Make `folder` and what is missing above it; return whose names changed."""
    if folder.is_dir():
        return set()
    changed = _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    return changed | {folder.parent}
