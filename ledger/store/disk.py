"""What a store needs to know of the disk below it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ledger.errors import Held, Refused, Unavailable

REMOTE: Final = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "fuse")
"""File systems on which memory maps and locks do not keep what they promise."""

_GETVERSION: Final = 0x80087601  # FS_IOC_GETVERSION of linux/fs.h
_NO_GENERATION: Final = (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_OCTAL: Final = re.compile(r"\\([0-7]{3})")
"""How mountinfo writes white space and the backslash."""
_GENERATION: Final = 1 << 63
"""Marks an identity that has the inode's generation instead of the device."""


def failed(path: Path, error: OSError) -> Unavailable:
    """The disk did not do what it was asked; it may the next time."""
    return Unavailable("disk", f"{path}: {error.strerror or error}")


def file_identity(path: Path) -> bytes:
    """16 bytes that a copy of the file does not share: its inode, and which one.

    An inode's number is used again after a deletion, and the same on many disks,
    so its generation goes with it, a random number. A file system that has none
    gives the device's number, which may change when the machine is started.
    """
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(number)
        try:
            answer = fcntl.ioctl(number, _GETVERSION, struct.pack("Q", 0))
            which = _GENERATION | struct.unpack("Q", answer)[0] & 0xFFFFFFFF
        except OSError as error:
            if error.errno not in _NO_GENERATION:
                raise failed(path, error) from None
            which = status.st_dev & _GENERATION - 1
        return struct.pack(">QQ", status.st_ino, which)
    finally:
        os.close(number)


def free_bytes(path: Path) -> int:
    """What the disk has left for us."""
    try:
        status = os.statvfs(path)
    except OSError as error:
        raise failed(path, error) from None
    return status.f_bavail * status.f_frsize


def check_local(path: Path) -> None:
    """Return unless `path` is known to be on a file system of another machine."""
    kind = filesystem_of(path)
    if kind.split(".")[0] in REMOTE:
        raise Held(
            "remote_disk",
            f"{path} is on {kind}, where locks and memory maps do not hold; "
            "keep the store on a local disk",
        )


def filesystem_of(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system at `path`; empty where the system does not say."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").split("\n")
    except OSError:
        return ""
    where, found = os.path.realpath(path), ("", "")
    for line in lines:
        before, dash, after = line.partition(" - ")
        if not dash:
            continue
        point = _OCTAL.sub(lambda code: chr(int(code[1], 8)), before.split(" ")[4])
        inside = point in ("/", where) or where.startswith(point + "/")
        if inside and len(point) >= len(found[0]):
            found = (point, after.split(" ")[0])
    return found[1]


@contextmanager
def alone_in(folder: Path, says: str) -> Iterator[None]:
    """Keep others who would fill `folder` from it, or raise Refused; leaves no file."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("folder", says) from None
        yield
    finally:
        os.close(number)


def sync_path(path: Path) -> None:
    """Make durable what is at `path`: the bytes of a file, the names in a folder."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
