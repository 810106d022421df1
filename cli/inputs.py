"""Reading what is to be logged: never more of it than an entry can have.

A statement may come with receipts and certificates, which are not logged, and so has
more room. What a file is, it says itself: its name says nothing.
"""

from __future__ import annotations

import select
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from ledger.errors import Refused
from verifier.cose import PREFIX
from verifier.document import parse_json
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.statement import is_statement
from verifier.tile import MAX_ENTRY_BYTES

_CHUNK: Final = 1 << 16
_MOST: Final = {True: 2 * MAX_BODY_BYTES, False: MAX_ENTRY_BYTES}
"""What is read at most, of records and of bytes; JSON may take twice the room of what
is logged."""
MAX_STATEMENT_BYTES: Final = 1 << 18


class Input(NamedTuple):
    """The bytes from a file, or from a line with a number; or why there are none.

    `stated` says that it is what somebody has signed, and no record.
    """

    where: str | int
    data: bytes | Refused
    stated: bool = False


class Pause(NamedTuple):
    """The next line has not come yet: a time to log those that have."""


Inputs: TypeAlias = Iterator[Input | Pause]


def read_files(names: Iterable[str], kind: str) -> Inputs:
    """The files, which may be pipes, one by one, for a log whose entries are `kind`."""
    for name in names:
        try:
            with open(Path(name), "rb") as file:
                data = file.read(MAX_STATEMENT_BYTES + 1)
        except OSError as error:
            yield Input(name, Refused("file", f"it cannot be read: {error.strerror}"))
        else:
            yield _bounded(name, data, kind)


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


def _bounded(name: str, data: bytes, kind: str) -> Input:
    """What was read of a file, or why that is too much."""
    stated = kind == "statement" or (kind == "record" and _is_stated(data))
    if stated and len(data) > MAX_STATEMENT_BYTES:
        says = f"more than {MAX_STATEMENT_BYTES} bytes; sign what is large by its"
        return Input(name, Refused("size", f"{says} digest: provlog sign --digest"))
    records = kind == "record"
    if not stated and len(data) > _MOST[records]:
        return Input(name, _too_large(records))
    return Input(name, data, stated)


def _is_stated(data: bytes) -> bool:
    """Whether it is a COSE_Sign1, a DSSE envelope or a Sigstore bundle."""
    if data.startswith(PREFIX):
        return True
    if not any(each in data for each in (b'"signatures"', b'"mediaType"')):
        return False
    try:
        document = parse_json(data, "it", most=MAX_STATEMENT_BYTES)
    except MalformedError:
        return False
    # A record may have any members; an envelope has no id.
    if not isinstance(document, dict) or "id" in document:
        return False
    type_ = document.get("mediaType")
    bundle = isinstance(type_, str) and is_statement(type_)
    return bundle or document.keys() >= {"payload", "signatures"}


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
