"""Bringing one target up to a checkpoint.

    what it has → tiles that are new → durable → the checkpoint

What it has is held against our own tree first: a target that is ahead of us, or has
another history under our key, is the sign that this log was put back or forked, and
nothing is written to it. Each step can be repeated, so what was cut off is done
again by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ledger.errors import Held, Refused
from ledger.log.reading import Reading
from ledger.log.targets import hold_against, read_own
from ledger.publish.target import Target
from ledger.store import LogStore
from verifier.checkpoint import Checkpoint
from verifier.errors import MalformedError, VerificationError
from verifier.keys import VerifierKey
from verifier.note import Note
from verifier.source import CHECKPOINT
from verifier.tile import (
    ENTRIES,
    WIDTH,
    Tile,
    levels_at,
    tiles_at,
    width_at,
)

Watch = Callable[[int, int], None]
"""Told after each tile how many are done, of how many; what it raises ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our log, as a target is held against it; without any of its secret keys."""

    store: LogStore
    reading: Reading
    keys: Sequence[VerifierKey]
    anchored: Callable[[], int]
    """The largest size that was anchored: another process may know more than we."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """A checkpoint that a target has, and the tree that it is of, which is ours."""

    note: bytes
    tree: Checkpoint


def feed(
    target: Target,
    ours: Ours,
    signed: bytes,
    *,
    watch: Watch | None = None,
    begin: bool = True,
) -> Checkpoint:
    """Bring `target` up to the checkpoint `signed`; return the one that it has then.

    That is a larger one where somebody else has published meanwhile. Without `begin`
    a target that has nothing is not begun: it may be a disk that is not mounted.
    """
    tree = read_own(signed, ours.store.charter.origin, ours.keys)
    if not begin and target.checkpoint() is None:
        says = f"{target.name} has no checkpoint of this log any more"
        raise Refused("folder", f"{says}; bring it back, or begin it: provlog export")
    with target.alone():
        public = what_it_has(target, ours)
        if public and (public.tree.size > tree.size or public.note == signed):
            return public.tree
        before = public.tree.size if public else 0
        new = new_tiles(before, tree.size)
        write_tiles(target, ours.reading, new, watch=watch)
        target.replace_checkpoint(public.note if public else None, signed)
    return tree


def what_it_has(target: Target, ours: Ours) -> Public | None:
    """The checkpoint of `target`, if its tree is one that ours begins with."""
    try:
        data = target.checkpoint()
        if data is None:
            return None
        Checkpoint.parse(Note.parse(data).text)
    except MalformedError as error:
        path = f"{target.name}/{CHECKPOINT}"
        says = f"{path} cannot be read as a checkpoint: {error}; remove it, and repeat"
        raise Refused("folder", says) from None
    try:
        tree = _ours(data, ours, target.name)
    except VerificationError as error:
        says = f"{target.name} has a checkpoint of another log: {error}"
        raise Refused("folder", says) from None
    # Another process may have published more than we have; it was anchored first.
    if tree.size > ours.anchored():
        says = f"{target.name} has size {tree.size}, which nobody anchored"
        raise Held("rollback", says)
    return Public(note=data, tree=tree)


def _ours(data: bytes, ours: Ours, name: str) -> Checkpoint:
    """The checkpoint `data`, of ours: we signed it, or our tree begins with its tree.

    A key that was let go may have signed it; the tree is enough to tell it by.
    """
    origin = ours.store.charter.origin
    try:
        tree = read_own(data, origin, ours.keys)
    except VerificationError:
        tree = Checkpoint.parse(Note.parse(data).text)
        with suppress(Held):
            hold_against(tree, ours.store, name)
            if tree.origin == origin:
                return tree
        raise
    hold_against(tree, ours.store, name)
    return tree


def new_tiles(before: int, size: int) -> Iterator[Tile]:
    """The tiles that a tree of `size` has and one of `before` entries has not."""
    for level in (ENTRIES, *range(levels_at(size))):
        first = (before >> 8 * max(level, 0)) // WIDTH
        for index in range(first, tiles_at(level, size)):
            width = width_at(level, index, size)
            if width != width_at(level, index, before):
                yield Tile(level, index, width)


def write_tiles(
    target: Target,
    reading: Reading,
    tiles: Iterable[Tile],
    *,
    watch: Watch | None = None,
    check: bool = False,
) -> int:
    """Write `tiles`, durably: their bytes, and the names that lead to them.

    Returns how many; with `check` those that have their bytes are left as they are.
    """
    written, wanted = 0, list(tiles)
    for number, tile in enumerate(wanted):
        entries = tile.level == ENTRIES
        data = (reading.entry_tile if entries else reading.hashes)(tile)
        if not (check and target.has(tile.path(), data)):
            target.put(tile.path(), data)
            written += 1
        if watch:
            watch(number + 1, len(wanted))
    target.flush()
    return written
