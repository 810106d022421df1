"""Pulling the plug: a file system in a file, which forgets what was not synced.

The shutdown ioctl of ext4 and XFS drops every page that is not on the disk, and
lets nothing more be written. What it does not show is a disk that has a cache of
its own, or tears sectors; the crash states do (crash_states.py).
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FILE_SYSTEMS: Final = ("ext4", "xfs")
PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_SHUTDOWN: Final = 0x8004587D  # FS_IOC_SHUTDOWN; ext4 and XFS share the number
_NO_LOG_FLUSH: Final = 2
_PATIENCE_S: Final = 20
"""A process that was killed lets go of its files when it has its turn."""


class Machine:
    """A machine whose only disk is the file `image`, of a kind of FILE_SYSTEMS."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.disk = folder / "disk"
        self.disk.mkdir()
        self._image = folder / "image"
        self._kind = kind
        self._on = False
        with open(self._image, "wb") as file:
            file.truncate(400 << 20)
        force = "-F" if kind == "ext4" else "-f"
        _call(f"mkfs.{kind}", "-q", force, str(self._image))
        self.start()

    def start(self) -> None:
        """Switch it on."""
        _call("mount", "-o", "loop", str(self._image), str(self.disk))
        self._on = True

    def cut(self) -> None:
        """Pull the plug: what is not on the disk now never will be."""
        number = os.open(self.disk, os.O_RDONLY)
        try:
            fcntl.ioctl(number, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(number)

    def stop(self) -> None:
        """Let go of the disk; nobody may have a file open in it."""
        if not self._on:
            return
        until = time.monotonic() + _PATIENCE_S
        while self._on and time.monotonic() < until:
            with suppress(subprocess.CalledProcessError):
                _call("umount", str(self.disk))
                self._on = False
        if self._on:
            _call("umount", "--lazy", str(self.disk))
            self._on = False
        # Whoever has copied our mounts into a namespace of their own has it still;
        # mounted now, it would be the one whose plug was pulled.
        while _call("losetup", "--associated", str(self._image)):
            assert time.monotonic() < until, "somebody keeps the disk"


@contextmanager
def machine(folder: Path, kind: str) -> Iterator[Machine]:
    """A machine that is switched off at the end."""
    made = Machine(folder, kind)
    try:
        yield made
    finally:
        made.stop()


def _call(*words: str) -> bytes:
    environment = {**os.environ, "PATH": PATH}
    done = subprocess.run(
        words, env=environment, check=True, capture_output=True, timeout=60
    )
    return done.stdout
