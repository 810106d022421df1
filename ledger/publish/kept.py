"""Every checkpoint that was published, kept: a receipt can be asked for any of them.

Two files in `DIR/published/`. In `notes` stand the checkpoints, one behind the
other, with the signatures that never change (Ed25519). In `sizes` each has a row
of 24 bytes: its size, where it ends, and the time it was first published. Rows are
sorted by size, since a log only grows.

It follows the log, and can be lost: then older receipts can be had for the newest
checkpoint only. What is read here is verified before it is believed, so a torn last
write is a checkpoint that nobody has.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

from verifier import note
from verifier.checkpoint import Checkpoint
from verifier.errors import VerificationError
from verifier.keys import KeyType, VerifierKey
from verifier.note import Note, verify_note

NAME: Final = "published"
_ROW: Final = struct.Struct(">QQQ")


class Kept:
    """The published checkpoints of a log; one process writes, others read."""

    def __init__(self, folder: Path, keys: list[VerifierKey], origin: str) -> None:
        self._sizes = folder / NAME / "sizes"
        self._notes = folder / NAME / "notes"
        self._keys = [key for key in keys if key.type is KeyType.ED25519]
        self._origin = origin

    def plain(self, data: bytes) -> bytes:
        """A checkpoint with those of its signatures that never change."""
        parsed = Note.parse(data)
        ours = {(key.name, key.id) for key in self._keys}
        lines = [each for each in parsed.signatures if (each.name, each.key_id) in ours]
        return Note(parsed.text, tuple(lines)).encode()

    def add(self, size: int, data: bytes, time: int) -> None:
        """Keep a checkpoint, if its size is larger than that of the last."""
        self._sizes.parent.mkdir(mode=0o700, exist_ok=True)
        with open(self._sizes, "ab") as sizes, open(self._notes, "ab") as notes:
            rows = sizes.tell() // _ROW.size
            if sizes.tell() % _ROW.size:
                sizes.truncate(rows * _ROW.size)
            if rows and self._row(rows - 1)[0] >= size:
                return
            end = notes.tell() + notes.write(data)
            # The row comes last, and without it nobody looks.
            notes.flush()
            os.fdatasync(notes.fileno())
            sizes.write(_ROW.pack(size, end, time))

    def newest(self, *, most: int) -> bytes | None:
        """The newest one of at most `most` entries."""
        found = self._search(most + 1) - 1
        return self._read(found) if found >= 0 else None

    def of_size(self, size: int) -> bytes | None:
        """The one of this size, if there was one."""
        found = self._search(size)
        try:
            return self._read(found) if self._row(found)[0] == size else None
        except (OSError, struct.error):
            return None

    def _search(self, size: int) -> int:
        """The number of the first row whose size is not below `size`."""
        try:
            low, high = 0, os.stat(self._sizes).st_size // _ROW.size
            while low < high:
                middle = (low + high) // 2
                if self._row(middle)[0] < size:
                    low = middle + 1
                else:
                    high = middle
        except (OSError, struct.error):
            return 0
        return low

    def _row(self, number: int) -> tuple[int, int, int]:
        with open(self._sizes, "rb") as file:
            data = os.pread(file.fileno(), _ROW.size, number * _ROW.size)
        size, end, time = _ROW.unpack(data)
        return size, end, time

    def _read(self, number: int) -> bytes | None:
        try:
            size, end, _ = self._row(number)
            start = self._row(number - 1)[1] if number else 0
            if not 0 < end - start <= note.MAX_BYTES:
                return None
            with open(self._notes, "rb") as file:
                data = os.pread(file.fileno(), end - start, start)
            self._check(data, size)
        except (OSError, struct.error, VerificationError):
            return None
        return data

    def _check(self, data: bytes, size: int) -> None:
        """Return if it is a checkpoint of this log's, of this size."""
        parsed = Note.parse(data)
        verify_note(parsed, self._keys)
        checkpoint = Checkpoint.parse(parsed.text)
        if (checkpoint.origin, checkpoint.size) != (self._origin, size):
            raise VerificationError(f"it is of {checkpoint.origin}, {checkpoint.size}")
