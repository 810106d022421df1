"""Reading what is to be logged: never more of it than an entry can have."""

from __future__ import annotations

import select
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from ledger.errors import Refused
from verifier.entry import MAX_BODY_BYTES
from verifier.tile import MAX_ENTRY_BYTES

_CHUNK: Final = 1 << 16
_MOST: Final = {True: 2 * MAX_BODY_BYTES, False: MAX_ENTRY_BYTES}
"""What is read at most, of records and of bytes; JSON may take twice the room of what
is logged."""


class Input(NamedTuple):
    """The bytes from a file, or from a line with a number; or why there are none."""

    where: str | int
    data: bytes | Refused


class Pause(NamedTuple):
    """The next line has not come yet: a time to log those that have."""


Inputs: TypeAlias = Iterator[Input | Pause]


def read_files(names: Iterable[str], *, records: bool) -> Inputs:
    """The files, which may be pipes, one by one."""
    most = _MOST[records]
    for name in names:
        try:
            with open(Path(name), "rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            yield Input(name, Refused("file", f"it cannot be read: {error.strerror}"))
        else:
            yield Input(name, _too_large(records) if len(data) > most else data)


@contextmanager
def opened_lines(name: str) -> Iterator[FileIO]:
    """The file `name`, or standard input, without a buffer of Python's own."""
    with FileIO(0, closefd=False) if name == "-" else FileIO(name) as file:
        yield file


def read_lines(file: FileIO, *, records: bool) -> Inputs:
    """The lines of an unbuffered `file`, ended by LF and by nothing else.

    A line of more bytes than may be read is passed over as it comes, and not kept. The
    last line may do without its LF.
    """
    most = _MOST[records]
    number, rest, large = 1, b"", False
    while chunk := (yield from _next(file)):
        *whole, last = chunk.split(b"\n")
        for piece in whole:
            data = rest + piece
            too_large = large or len(data) > most
            yield Input(number, _too_large(records) if too_large else data)
            number, rest, large = number + 1, b"", False
        rest += last
        if len(rest) > most:
            rest, large = b"", True
    if rest or large:
        yield Input(number, _too_large(records) if large else rest)


def _next(file: FileIO) -> Generator[Pause, None, bytes]:
    """Some more bytes, and none at the end; first a pause, if none are there yet."""
    if not select.select([file], [], [], 0)[0]:
        yield Pause()
    # None: somebody has made the file one that does not wait; so we do.
    while (chunk := file.read(_CHUNK)) is None:
        select.select([file], [], [])
    return chunk


def _too_large(records: bool) -> Refused:  # noqa: FBT001 - it is a key
    says = f"more than {_MOST[records]} bytes"
    if records:
        # Its CBOR is shorter, and has the limit that the log names.
        says += f", and a record has at most {MAX_BODY_BYTES} in CBOR"
    return Refused("size", f"{says}; log what is larger by its digest")
