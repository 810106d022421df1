"""Runs: sorted files of rows, each a key and the index where it is found.

The file of the entries from `start` up to `stop` is written once, and never changed:

     0      16  "provlog/index/1" and a newline
    16      16  genesis of the log
    32       8  start
    40       8  stop
    48       8  how many rows there are
    56       8  how many of the entries could not be read, and have no rows
    64      32  SHA-256 of the 64 bytes above and of all rows
    96  24 each  rows, in ascending order: key (17 bytes), index (7 bytes)

It gets its name when it is whole and durable, so a crash leaves none that is torn;
what a disk spoils afterwards is found by its length, or by its hash.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final, Self

from ledger.errors import WrongBytes
from ledger.index.keys import KEY_BYTES
from ledger.store.disk import sync_path
from ledger.store.served import NEW

STAMP: Final = b"provlog/index/1\n"
ROW_BYTES: Final = 24
_INDEX_BYTES: Final = ROW_BYTES - KEY_BYTES
_ABOUT: Final = struct.Struct(">16s16sQQQQ")
_HEAD_BYTES: Final = _ABOUT.size + 32
_BLOCK: Final = 4_096
"""How many rows of each run are in memory while they are merged."""
_CHUNK: Final = 1 << 20


def row(key: bytes, index: int) -> bytes:
    """One row."""
    return key + index.to_bytes(_INDEX_BYTES, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the head of a file says."""

    genesis: bytes
    start: int
    stop: int
    rows: int
    skipped: int = 0

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"{self.start:016x}-{self.stop:016x}.run"

    def encode(self) -> bytes:
        """The head, up to the hash."""
        return _ABOUT.pack(
            STAMP, self.genesis, self.start, self.stop, self.rows, self.skipped
        )


class Rows:
    """Sorted rows in memory or in a mapped file, from byte `at` on."""

    def __init__(self, data: bytes | mmap, at: int = 0) -> None:
        self._data = data
        self._at = at
        self._rows = (len(data) - at) // ROW_BYTES

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, number: int) -> bytes:
        at = self._at + number * ROW_BYTES
        return self._data[at : at + ROW_BYTES]

    def block(self, start: int, stop: int) -> list[bytes]:
        """The rows from `start` up to `stop`."""
        data = self._data[self._at + start * ROW_BYTES : self._at + stop * ROW_BYTES]
        return [data[at : at + ROW_BYTES] for at in range(0, len(data), ROW_BYTES)]


class Run:
    """An open file. It can be read for as long as somebody has it, deleted or not."""

    def __init__(self, path: Path, about: About, data: mmap) -> None:
        self.path = path
        self.about = about
        self.rows = Rows(data, _HEAD_BYTES)
        self._data = data

    @classmethod
    def open(cls, path: Path, genesis: bytes) -> Self:
        """Open the file if it looks right; WrongBytes if it is torn, or of another log.

        Cheap: `check` reads all of it.
        """
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _HEAD_BYTES:
                raise WrongBytes(path.name, f"it has {size} bytes, which is no head")
            data = mmap(file.fileno(), size, access=ACCESS_READ)
        _, _, *numbers = _ABOUT.unpack(data[: _ABOUT.size])
        start, stop, rows, skipped = numbers
        about = About(
            genesis=genesis, start=start, stop=stop, rows=rows, skipped=skipped
        )
        if data[: _ABOUT.size] != about.encode() or path.name != about.name:
            raise WrongBytes(path.name, "it belongs to another log, or another name")
        if not start < stop or size != _HEAD_BYTES + rows * ROW_BYTES:
            raise WrongBytes(path.name, f"{size} bytes are not {rows} rows")
        return cls(path, about, data)

    def check(self) -> None:
        """Read all of it; WrongBytes if a bit is not as it was written."""
        digest = sha256(self._data[: _ABOUT.size])
        for at in range(_HEAD_BYTES, len(self._data), _CHUNK):
            digest.update(self._data[at : at + _CHUNK])
        if digest.digest() != self._data[_ABOUT.size : _HEAD_BYTES]:
            raise WrongBytes(self.path.name, "its rows are not what was written")

    def find(self, key: bytes, *, start: int, most: int) -> list[int]:
        """At most `most` indexes with `key`, ascending, of those from `start` on."""
        found: list[int] = []
        at = bisect_left(self.rows, row(key, start))
        for number in range(at, min(at + most, len(self.rows))):
            each = self.rows[number]
            if not each.startswith(key):
                break
            found.append(int.from_bytes(each[KEY_BYTES:], "big"))
        return found


def merged(sources: Sequence[Rows], *, block: int = _BLOCK) -> Iterator[list[bytes]]:
    """The rows of all `sources`, in order, a block at a time.

    Each source gives what is not above the lowest row that any of them could stop
    at; what they give is sorted runs, and sorting those is merging.
    """
    at = [0] * len(sources)
    while True:
        ends = [min(a + block, len(each)) for a, each in zip(at, sources, strict=True)]
        left = [number for number in range(len(at)) if at[number] < ends[number]]
        if not left:
            return
        bound = min(sources[number][ends[number] - 1] for number in left)
        taken: list[bytes] = []
        for number in left:
            rows, start = sources[number], at[number]
            at[number] = bisect_right(rows, bound, start, ends[number])
            taken += rows.block(start, at[number])
        taken.sort()
        yield taken


def write_run(folder: Path, about: About, blocks: Iterable[list[bytes]]) -> None:
    """Write the file of a run, whole and durable, or leave nothing that counts."""
    beside, head = folder / NEW, about.encode()
    beside.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    digest = sha256(head)
    with open(os.open(beside, flags, 0o600), "wb") as file:
        file.write(head + bytes(digest.digest_size))
        for block in blocks:
            data = b"".join(block)
            digest.update(data)
            file.write(data)
        file.seek(len(head))
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, folder / about.name)
    # What it stands for is deleted next: its name has to be durable before.
    sync_path(folder)
