"""Every checkpoint that was published, kept: a receipt can be asked for any of them.

Two files in `DIR/published/`. In `notes` stand the checkpoints, one behind the
other, with the signatures that never change (Ed25519, ours and those of witnesses).
In `sizes` each has a row of 24 bytes: its size, where it ends, and the time it was
last published. Rows are sorted by size, since a log only grows.

It follows the log, and can be lost: then older receipts can be had for the newest
checkpoint only. What is read here is verified before it is believed, so a torn last
write is a checkpoint that nobody has.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from ledger.log.published import NAME, ROW, TORN
from verifier import note
from verifier.checkpoint import Checkpoint
from verifier.errors import VerificationError
from verifier.keys import KeyType, VerifierKey
from verifier.note import Note, verify_note
from verifier.receipt.cose import KINDS
from verifier.receipt.line import ALGORITHMS, find_line, line_id, signed_kind

_TIME: Final = struct.Struct(">Q")
_UNREADABLE: Final = (OSError, OverflowError, struct.error)
"""What comes of a file that is gone or shorter, and of numbers that are none."""


class Kept:
    """The published checkpoints of a log; one process writes, others read."""

    def __init__(
        self,
        folder: Path,
        keys: list[VerifierKey],
        origin: str,
        *,
        witnesses: Collection[VerifierKey] = (),
    ) -> None:
        self._sizes = folder / NAME / "sizes"
        self._notes = folder / NAME / "notes"
        self._keys = [key for key in keys if key.type is KeyType.ED25519]
        self._origin = origin
        others = (key for key in witnesses if key.type is KeyType.COSIGNATURE)
        self._lasting = {(key.name, key.id) for key in (*self._keys, *others)}
        self._lasting |= {
            (key.name, line_id(key.name, key.public_key, algorithm, kind))
            for key in self._keys
            for algorithm in ALGORITHMS
            for kind in KINDS
        }

    def plain(self, data: bytes) -> bytes:
        """A checkpoint with those of its signatures that never change."""
        parsed = Note.parse(data)
        lines = tuple(
            each
            for each in parsed.signatures
            if (each.name, each.key_id) in self._lasting
        )
        return Note(parsed.text, lines).encode()

    def add(self, size: int, data: bytes, time: int) -> None:
        """Keep a checkpoint, or that the last one was published again at `time`."""
        self._sizes.parent.mkdir(mode=0o700, exist_ok=True)
        with open(self._sizes, "ab") as sizes, open(self._notes, "ab") as notes:
            rows = self._believed(sizes.tell() // ROW.size)
            last, start, stated = self._row(rows - 1) if rows else (-1, 0, 0)
            if last >= size:
                if last == size and len(data) > len(self._load(rows - 1)):
                    self._improve(rows - 1, data)
                self._restate(rows - 1, max(time, stated))
                return
            # What a crash, or another log, has left behind them would be read as
            # part of this one.
            sizes.truncate(rows * ROW.size)
            notes.truncate(start)
            notes.write(data)
            # The row comes last, and without it nobody looks.
            notes.flush()
            os.fdatasync(notes.fileno())
            sizes.write(ROW.pack(size, start + len(data), time))

    def _improve(self, number: int, data: bytes) -> None:
        """The note of the last row, with cosignatures that came late.

        Whoever reads it meanwhile may find none that verifies, as after a crash.
        """
        size, _, time = self._row(number)
        start = self._row(number - 1)[1] if number else 0
        with open(self._notes, "r+b") as notes, open(self._sizes, "r+b") as sizes:
            os.pwrite(notes.fileno(), data, start)
            os.fdatasync(notes.fileno())
            row = ROW.pack(size, start + len(data), time)
            os.pwrite(sizes.fileno(), row, number * ROW.size)

    def _restate(self, number: int, time: int) -> None:
        """The time of a row: no later cosignature states an earlier one."""
        with open(self._sizes, "r+b") as file:
            at = (number + 1) * ROW.size - _TIME.size
            os.pwrite(file.fileno(), _TIME.pack(time), at)

    def stated(self) -> int:
        """The time of the last publication, in seconds; 0 if there was none."""
        try:
            rows = self._believed(os.stat(self._sizes).st_size // ROW.size)
            return self._row(rows - 1)[2] if rows else 0
        except _UNREADABLE:
            return 0

    def newest(self, *, most: int) -> bytes | None:
        """The newest one of at most `most` entries."""
        try:
            rows = self._believed(self._search(most + 1))
        except OSError:
            return None
        return self._read(rows - 1) if rows else None

    def of_size(self, size: int) -> bytes | None:
        """The one of this size, if there was one."""
        found = self._search(size)
        try:
            return self._read(found) if self._row(found)[0] == size else None
        except _UNREADABLE:
            return None

    def _believed(self, rows: int) -> int:
        """How many of the first `rows` are kept: up to one whose note verifies."""
        for least in range(rows, max(0, rows - TORN), -1):
            # A file that cannot be read now is no reason to drop what is in it.
            with suppress(OverflowError, struct.error, VerificationError):
                self._load(least - 1)
                return least
        return 0

    def _search(self, size: int) -> int:
        """The number of the first row whose size is not below `size`."""
        try:
            low, high = 0, os.stat(self._sizes).st_size // ROW.size
            while low < high:
                middle = (low + high) // 2
                if self._row(middle)[0] < size:
                    low = middle + 1
                else:
                    high = middle
        except _UNREADABLE:
            return 0
        return low

    def _row(self, number: int) -> tuple[int, int, int]:
        with open(self._sizes, "rb") as file:
            data = os.pread(file.fileno(), ROW.size, number * ROW.size)
        size, end, time = ROW.unpack(data)
        return size, end, time

    def _read(self, number: int) -> bytes | None:
        try:
            return self._load(number)
        except (*_UNREADABLE, VerificationError):
            return None

    def _load(self, number: int) -> bytes:
        """The note of a row, if it is what the row says."""
        size, end, _ = self._row(number)
        start = self._row(number - 1)[1] if number else 0
        if not 0 < end - start <= note.MAX_BYTES:
            raise VerificationError(f"row {number} leads to no checkpoint")
        with open(self._notes, "rb") as file:
            data = os.pread(file.fileno(), end - start, start)
        if len(data) != end - start:
            raise VerificationError(f"row {number} leads to a part of a checkpoint")
        self._check(data, size)
        return data

    def _check(self, data: bytes, size: int) -> None:
        """Return if it is a checkpoint of this log's, of this size."""
        parsed = Note.parse(data)
        verify_note(parsed, self._keys)
        if find_line(parsed, self._keys) and not signed_kind(parsed, self._keys):
            raise VerificationError("its line for COSE receipts does not verify")
        checkpoint = Checkpoint.parse(parsed.text)
        if (checkpoint.origin, checkpoint.size) != (self._origin, size):
            raise VerificationError(f"it is of {checkpoint.origin}, {checkpoint.size}")
