"""The anchor: a second memory of the newest head, outside the store.

A store that is put back from a backup does not know that it is old; the anchor
does. It is also all that the signer signs. Two slots take turns, so that a crash
while one is written leaves the other, which is one batch older; each has a
checksum, and says which log and which data file it belongs to. A batch costs one
write and one flush.

    0       16  "provlog/anchor/1"
    16      16  genesis of the log
    32      16  identity of the data file
    48      16  identity of this file
    64       8  batch
    72       8  size
    80      32  root
    112      1  1 if the log has ended, else 0
    113     32  SHA-256 of the 113 bytes before

The slots begin at 0 and 4,096; batch n is in slot n mod 2. An anchor that is not
in the file that it names was copied: there may be another one, with another writer.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from ledger.errors import Halted, Held, Unavailable
from ledger.store import Head
from ledger.store.disk import failed, file_identity, sync_path

MAGIC: Final = b"provlog/anchor/1"
SLOT_BYTES: Final = 4096
_SLOT: Final = struct.Struct(">16s16s16s16sQQ32s?")
_WHOLE: Final = _SLOT.size + 32
# A link is not followed, and a pipe not waited for.
_LOOK: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """What an anchor holds, and for what."""

    genesis: bytes
    data: bytes
    file: bytes = bytes(16)
    batch: int = 0
    size: int = 0
    root: bytes = Head().root
    frozen: bool = False

    def at(self, head: Head) -> Anchored:
        """The same anchor, moved to `head`."""
        return replace(
            self,
            batch=head.batch,
            size=head.size,
            root=head.root,
            frozen=head.frozen,
        )

    def slot(self) -> bytes:
        """The bytes of a slot."""
        body = _SLOT.pack(
            MAGIC,
            self.genesis,
            self.data,
            self.file,
            self.batch,
            self.size,
            self.root,
            self.frozen,
        )
        return body + sha256(body).digest()

    @classmethod
    def parse(cls, slot: bytes) -> Self | None:
        """Read a slot; None if it is not one, or was never written to its end."""
        body, checksum = slot[: _SLOT.size], slot[_SLOT.size : _WHOLE]
        if len(checksum) != 32 or sha256(body).digest() != checksum:
            return None
        magic, genesis, data, file, batch, size, root, frozen = _SLOT.unpack(body)
        if magic != MAGIC:
            return None
        return cls(
            genesis=genesis,
            data=data,
            file=file,
            batch=batch,
            size=size,
            root=root,
            frozen=frozen,
        )


class Anchor:
    """The anchor file, opened by the one writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # O_DSYNC: the write returns when it is on the disk, one flush and no more.
        self._number = _open(path, os.O_RDWR | os.O_DSYNC)
        try:
            _take(self._number, path)
            if not self._is_in_place():
                raise Held("locked", f"{path} is just being replaced")
            self.held = _newest(self._number, path)
        except BaseException:
            os.close(self._number)
            raise

    def _is_in_place(self) -> bool:
        """Whether the file that is open is still the one that has the name."""
        try:
            found = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(os.fstat(self._number), found)

    def advance(self, head: Head) -> None:
        """Hold `head` from now on; durable when this returns.

        Raises Halted if the file no longer holds what this process put there, if
        `head` does not follow it, and if nobody knows what was written.
        """
        try:
            if not self._is_in_place() or _newest(self._number, self.path) != self.held:
                raise Halted(f"somebody else has written to {self.path}")
            if head.batch != self.held.batch + 1 or head.size < self.held.size:
                raise Halted(
                    f"batch {head.batch} of size {head.size} does not follow batch "
                    f"{self.held.batch} of size {self.held.size} in {self.path}"
                )
            new = self.held.at(head)
            _write(self._number, new)
        except (OSError, Held, Unavailable) as error:
            raise Halted(f"{self.path} could not be written: {error}") from error
        self.held = new

    def close(self) -> None:
        """Let go of it."""
        os.close(self._number)


def read_anchor(path: Path) -> Anchored:
    """What the anchor at `path` holds, for those who only look."""
    number = _open(path, os.O_RDONLY)
    try:
        return _newest(number, path)
    finally:
        os.close(number)


@contextmanager
def claimed(path: Path) -> Iterator[int | None]:
    """Keep every other writer from the anchor at `path`, if there is one."""
    try:
        number = os.open(path, os.O_RDWR | _LOOK)
    except OSError:
        # Nothing that a writer could hold, and nothing to wipe.
        yield None
        return
    try:
        _take(number, path)
        yield number
    finally:
        os.close(number)


def write_anchor(path: Path, held: Anchored, claim: int | None = None) -> None:
    """Make the anchor at `path`, or make it anew, in one step and durably.

    The one that was there must be nobody's, or ours by `claim`. It is wiped: a hard
    link to it, in a snapshot of the folder, would be an anchor as good as the new one.
    """
    with claimed(path) if claim is None else nullcontext(claim) as old:
        _replace(path, held, old)


def _replace(path: Path, held: Anchored, old: int | None) -> None:
    beside = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        os.unlink(beside)
    number = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(number, bytes(2 * SLOT_BYTES), 0)
        _write(number, replace(held, file=file_identity(beside)))
        os.fsync(number)
    finally:
        os.close(number)
    os.replace(beside, path)
    sync_path(path.parent)
    if old is not None and stat.S_ISREG(os.fstat(old).st_mode):
        os.pwrite(old, bytes(2 * SLOT_BYTES), 0)
        os.fsync(old)


def _open(path: Path, flags: int) -> int:
    try:
        number = os.open(path, flags | _LOOK)
    except FileNotFoundError:
        raise Held("anchor_missing", f"the anchor {path} is not there") from None
    except OSError as error:
        raise _why_not(path, error) from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise Held("anchor_damaged", f"the anchor {path} is no file")
    return number


def _take(number: int, path: Path) -> None:
    """Take the lock on an anchor, which its writer holds for life."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        says = f"another process writes with the anchor {path}"
        raise Held("locked", says) from None
    except OSError as error:
        raise failed(path, error) from None


def _why_not(path: Path, error: OSError) -> Held | Unavailable:
    if error.errno in (errno.ELOOP, errno.EISDIR):
        says = f"the anchor {path} is no file: {error.strerror}"
        return Held("anchor_damaged", says)
    return failed(path, error)


def _newest(number: int, path: Path) -> Anchored:
    try:
        slots = [os.pread(number, _WHOLE, at) for at in (0, SLOT_BYTES)]
    except OSError as error:
        raise _why_not(path, error) from None
    valid = [held for slot in slots if (held := Anchored.parse(slot))]
    if not valid:
        raise Held("anchor_damaged", f"neither slot of the anchor {path} is whole")
    return max(valid, key=lambda held: held.batch)


def _write(number: int, held: Anchored) -> None:
    slot = held.slot()
    written = os.pwrite(number, slot, held.batch % 2 * SLOT_BYTES)
    if written != len(slot):
        raise OSError(f"only {written} of {len(slot)} bytes were written")
