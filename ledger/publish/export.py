"""Becoming public: the log as files, in the layout of c2sp.org/tlog-tiles.

Any web server can serve the folder, and `python -m verifier audit` accepts it.
First entries and tiles, each whole and durable under its name, then the checkpoint:
who reads the folder at any moment finds all that its checkpoint covers. What is
full never changes, so a later export writes only what is new. One export at a time
works on a folder, and what it finds there under the lock it never goes back on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from ledger.clock import Instant
from ledger.errors import Held, Refused
from ledger.log.anchor import read_anchor
from ledger.log.look import Look
from ledger.log.recovery import BACKWARD_MS, check_clock
from ledger.log.targets import hold_against, read_own
from ledger.store.disk import alone_in, sync_path
from ledger.store.served import check_real, has_bytes, make_folders, write_whole
from verifier import note
from verifier.checkpoint import Checkpoint
from verifier.cosignature import verify_checkpoint_signature
from verifier.durable import write_atomically
from verifier.errors import MalformedError, VerificationError
from verifier.keys import VerifierKey
from verifier.note import Note
from verifier.source import CHECKPOINT, Directory
from verifier.tile import (
    ENTRIES,
    WIDTH,
    Tile,
    levels_at,
    tiles_at,
    tiles_of,
    width_at,
)

Watch = Callable[[int, int], None]

_OURS: Final = ("tile", f".{CHECKPOINT}.", f"{CHECKPOINT}.lock")
"""How the names begin of what an export leaves that was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What is public now, how many entries were before, how many files are new."""

    before: int
    checkpoint: Checkpoint
    written: int


def signing_time(seen: Look, now: Instant) -> int:
    """The time to cosign at, in seconds, if the clock can be right."""
    if seen.hold:
        raise seen.hold
    check_clock(seen.home, seen.head, now)
    return now.wall_ms // 1000


def export(
    seen: Look,
    dest: Path,
    *,
    time: int,
    watch: Watch | None = None,
    check: bool = False,
) -> Exported:
    """Bring the folder `dest` up to the newest tree; `time` is in seconds.

    With `check` every file that is there is compared with the log, and what is
    missing or wrong is written again.
    """
    seen.checkpoint()  # what cannot be signed makes no folder
    _check_apart(seen, dest)
    _published(seen, dest)
    above = make_folders(dest.absolute()) | {dest.absolute().parent}
    with alone_in(dest, f"another export is at work on {dest}"):
        # Again: another one may have been at work until now.
        published = _published(seen, dest)
        before = published.size if published else 0
        if published and before > seen.newest.size:
            return Exported(before=before, checkpoint=published, written=0)
        signed = seen.checkpoint(time=_not_before(seen, dest, time))
        newest = read_own(signed, seen.store.charter.origin, _keys(seen))
        new = tiles_of(newest.size) if check else new_tiles(before, newest.size)
        written = _write_tiles(seen, dest, list(new), watch, check=check)
        # Everything below it is durable. A crash before this line leaves the old one.
        write_atomically(dest / CHECKPOINT, signed)
        for folder in above:
            sync_path(folder)
    return Exported(before=before, checkpoint=newest, written=written)


def new_tiles(before: int, size: int) -> Iterator[Tile]:
    """The tiles that a tree of `size` has and one of `before` entries has not."""
    for level in (ENTRIES, *range(levels_at(size))):
        first = (before >> 8 * max(level, 0)) // WIDTH
        for index in range(first, tiles_at(level, size)):
            width = width_at(level, index, size)
            if width != width_at(level, index, before):
                yield Tile(level, index, width)


def _check_apart(seen: Look, dest: Path) -> None:
    home = seen.home.folder.resolve()
    if dest.resolve() == home:
        says = f"{dest} holds something that is no exported log: it is the log itself"
        raise Refused("folder", says)
    if dest.resolve().is_relative_to(seen.home.store.resolve()):
        says = f"{dest} is in the log's own store; export to a folder beside it"
        raise Refused("folder", says)


def _published(seen: Look, dest: Path) -> Checkpoint | None:
    """What `dest` has, if its tree is one that ours begins with."""
    try:
        data = Directory(dest).read(CHECKPOINT, note.MAX_BYTES)
        if data is None:
            names = os.listdir(dest) if dest.exists() else []
            if not all(each.startswith(_OURS) for each in names):
                says = f"{dest} holds something that is no exported log"
                raise Refused("folder", says)
            return None
        Checkpoint.parse(Note.parse(data).text)
    except MalformedError as error:
        path = dest / CHECKPOINT
        says = f"{path} cannot be read as a checkpoint: {error}; remove it, and repeat"
        raise Refused("folder", says) from None
    try:
        before = _ours(data, seen, dest)
    except VerificationError as error:
        says = f"{dest} has a checkpoint of another log: {error}"
        raise Refused("folder", says) from None
    # Another export may have seen more than we have; what was signed was anchored.
    newest = max(seen.newest.size, read_anchor(seen.home.anchor).size)
    if before.size > newest:
        raise Held("rollback", f"{dest} has size {before.size}, which nobody anchored")
    return before


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


def _not_before(seen: Look, dest: Path, time: int) -> int:
    """`time`, if nobody has seen a later one: cosignatures do not go back either."""
    data = Directory(dest).read(CHECKPOINT, note.MAX_BYTES)
    stated = max(_stated(data, _keys(seen)), default=0) if data else 0
    # A clock that is put right by a moment repeats the last time, as `at` does.
    if time < 0 or (stated - time) * 1000 > BACKWARD_MS:
        says = (
            f"the clock says {time}, and {dest / CHECKPOINT} was cosigned at {stated}"
        )
        where = quote(str(dest / CHECKPOINT))
        mend = f"set the clock; if it was wrong then: remove {where}, and repeat"
        raise Held("clock", f"{says} (seconds since 1970)", mend=mend)
    return max(time, stated)


def _stated(data: bytes, keys: list[VerifierKey]) -> Iterator[int]:
    """The times at which ours cosigned `data`."""
    published = Note.parse(data)
    tree = Checkpoint.parse(published.text)
    for line in published.signatures:
        for key in keys:
            if (key.name, key.id) == (line.name, line.key_id):
                with suppress(VerificationError):
                    text = published.text
                    yield (
                        verify_checkpoint_signature(key, text, tree, line.signature)
                        or 0
                    )


def _keys(seen: Look) -> list[VerifierKey]:
    return seen.signer.verifier_keys() if seen.signer else []


def _write_tiles(
    seen: Look, dest: Path, tiles: list[Tile], watch: Watch | None, *, check: bool
) -> int:
    """Write `tiles`, durably: their bytes, and the names that lead to them.

    Returns how many; with `check` those that have their bytes are left as they are.
    """
    folders: set[Path] = set()
    written = 0
    for number, tile in enumerate(tiles):
        reading = seen.reading
        data = (
            reading.entry_tile(tile) if tile.level == ENTRIES else reading.hashes(tile)
        )
        path = dest / tile.path()
        within = [each for each in path.parents if each.is_relative_to(dest)]
        check_real(path, [each for each in within if each != dest])
        if not (check and has_bytes(path, data)):
            make_folders(path.parent)
            write_whole(path, data)
            written += 1
        # Those that were there, too: who made them may not have lived to sync them.
        folders |= set(within)
        if watch:
            watch(number + 1, len(tiles))
    for folder in sorted(folders, reverse=True):
        sync_path(folder)
    return written
