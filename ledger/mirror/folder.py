"""A mirror's folder: files as `provlog export` writes them, and what was seen.

The checkpoint is written last, when all that it covers is durable. What lies there
beyond it was held against the log's own root before it was written, but is shown
to nobody, and hashed again by the run that goes on. `.mirror` is the memory of
what the log has signed: where it is missing, the folder is somebody else's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ledger.errors import Held, Refused
from ledger.store.disk import alone_in, sync_path
from ledger.store.environment import DATA
from ledger.store.served import check_real, make_folders
from verifier import memory, misbehaviour, note
from verifier.checkpoint import Checkpoint
from verifier.durable import write_atomically
from verifier.errors import MalformedError
from verifier.memory import Memory, said
from verifier.misbehaviour import Misbehaviour
from verifier.source import CHECKPOINT, Directory, Source, read_file
from verifier.tile import MAX_ENTRY_TILE_BYTES, Tile

MEMORY: Final = ".mirror"
_CUT_OFF: Final = f".{MEMORY}."
"""How the name begins of a memory that was not written to its end."""


class Mirror:
    """The files of a mirror; one process at a time writes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proof = folder.with_name(f"{folder.name}.misbehaviour")
        """Beside the mirror, not in it: what is in it is the log's word."""
        self._folders: set[Path] = set()

    def checkpoint(self) -> bytes | None:
        """What the mirror shows, as the log has signed it."""
        return Directory(self.folder).read(CHECKPOINT, note.MAX_BYTES)

    def tree(self) -> Checkpoint | None:
        """The tree that the mirror shows; if its file is damaged, none."""
        try:
            signed = self.checkpoint()
            return None if signed is None else said(signed)
        except MalformedError:
            return None

    def memory(self) -> Memory:
        """All that the log was seen to have signed."""
        path = self.folder / MEMORY
        try:
            return Memory.parse(read_file(path, memory.MAX_BYTES))
        except FileNotFoundError:
            return Memory()
        except MalformedError as error:
            # Its own file: this proves nothing against the log.
            mend = "mirror the log again into an empty folder"
            raise Held("damaged", f"{path}: {error}", mend=mend) from None

    def keep(self, seen: Memory) -> None:
        """Remember; before this returns, nothing is judged."""
        if seen != self.memory() or not (self.folder / MEMORY).exists():
            write_atomically(self.folder / MEMORY, seen.encode())

    def accuse(self, found: Misbehaviour) -> None:
        """Keep the proof; the first one that was found stays."""
        if not os.path.lexists(self.proof):
            write_atomically(self.proof, found.encode())

    def accused(self) -> Misbehaviour | None:
        """The proof that the log has signed two histories, if one was found."""
        try:
            return Misbehaviour.parse(read_file(self.proof, misbehaviour.MAX_BYTES))
        except FileNotFoundError:
            return None

    def tile(self, tile: Tile) -> bytes:
        """What lies there for `tile`, whatever that is; nothing, if nothing does."""
        try:
            return read_file(self.folder / tile.path(), MAX_ENTRY_TILE_BYTES)
        except (FileNotFoundError, MalformedError):
            return b""

    def enter(self, tile: Tile) -> None:
        """Have the folder of a tile, whose name is durable from the next show() on."""
        path = self.folder / tile.path()
        if path.parent not in self._folders:
            within = [each for each in path.parents if each.is_relative_to(self.folder)]
            check_real(path, within[:-1])
            make_folders(path.parent)
            self._folders.update(within)

    def write(self, tile: Tile, data: bytes) -> None:
        """Write a tile, durably but for its name; by any thread, each another tile."""
        path = self.folder / tile.path()
        self.enter(tile)
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)  # a crash may have left it
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(beside, flags, 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)

    def show(self, signed: bytes) -> None:
        """Make the names durable, and then what leads to them."""
        for folder in sorted(self._folders, reverse=True):
            sync_path(folder)
        self._folders.clear()
        write_atomically(self.folder / CHECKPOINT, signed)


@contextmanager
def opened(folder: Path, source: Source) -> Iterator[Mirror]:
    """The mirror in `folder`, new or not, for as long as nobody else writes to it."""
    _check_apart(folder, source)
    _check_ours(folder)
    above = make_folders(folder.absolute())
    with alone_in(folder, f"another mirror is at work on {folder}"):
        _check_ours(folder)
        for each in above:
            sync_path(each)
        mirror = Mirror(folder)
        mirror.keep(mirror.memory())
        yield mirror


def _check_apart(folder: Path, source: Source) -> None:
    dest = folder.resolve()
    for each in (dest, *dest.parents):
        if (each / "store" / DATA).exists():
            raise Refused("folder", f"{folder} is in a log's own folder; name another")
    if isinstance(source, Directory):
        theirs = source.folder.resolve()
        if dest.is_relative_to(theirs) or theirs.is_relative_to(dest):
            says = f"{folder} and {source} lie in each other; name another folder"
            raise Refused("folder", says)


def _check_ours(folder: Path) -> None:
    """Return if nobody else has anything in `folder`."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise Refused("folder", f"{folder} is no folder; name another")
    names = os.listdir(folder)
    if MEMORY in names or all(each.startswith(_CUT_OFF) for each in names):
        return
    says = f"{folder} holds something that is no mirror; name an empty folder"
    raise Refused("folder", says)
