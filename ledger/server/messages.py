"""What our processes say to each other, and how it is framed.

A frame is its length in four bytes and a MessagePack array whose first member says
which message it is. Everything is decoded into the types below or refused: some of
us take bytes from strangers, and the writer has the keys.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final, TypeAlias

import msgspec

from ledger.errors import Conflict, Halted, Held, Refused, Unavailable
from ledger.publish.publishing import Published
from ledger.store import Head

MAX_FRAME_BYTES: Final = 96 << 20
"""More than the largest batch that settings can sensibly ask for."""
_LENGTH_BYTES: Final = 4


class _Message(msgspec.Struct, array_like=True, tag=True):
    """One message."""


class Handed(_Message):
    """From a front end: submissions to be logged, in one order."""

    order: int
    admitted: list[tuple[bytes | None, bytes, bytes | None]]


class Registering(_Message):
    """From a front end: what somebody with the right to it says about a producer.

    `own` is as it would be entered, but for the number, which the writer gives.
    """

    order: int
    own: bytes


class Facts(_Message):
    """From a front end: what it has counted since the last time."""

    rows: list[Any]


class Shown(_Message):
    """From the writer: the newest head that may be shown, and why nothing is written.

    A head is its members in their order; `hold` has state, words and mend.
    """

    head: HeadRow
    checkpoint: bytes
    hold: tuple[str, str, str] | None


class Made(_Message):
    """From who publishes, and from the writer: the newest published checkpoint."""

    size: int
    note: bytes
    plain: bytes
    at_ms: int
    witnessed: bool


class Proposed(_Message):
    """From the writer: a signed checkpoint that is to become public."""

    note: bytes
    time: int
    at_ms: int


class NotMade(_Message):
    """From who publishes: why the last proposal is not public."""

    wrong: Wrong


class Answered(_Message):
    """From the writer: what became of an order, and the head that it stands under.

    A wrong is (which class, its word, its words, its number).
    """

    order: int
    head: HeadRow
    checkpoint: bytes
    indexes: list[int | None]
    repeated: list[int]
    refused: dict[int, Wrong]
    failed: Wrong | None = None


HeadRow: TypeAlias = tuple[int, int, bytes, int, bool]
Wrong: TypeAlias = tuple[str, str, str, float]
FromFront: TypeAlias = Handed | Registering | Facts
FromWriter: TypeAlias = Shown | Made | Answered
FromPublisher: TypeAlias = Made | NotMade | Facts

_encode: Final = msgspec.msgpack.Encoder().encode
parse_from_front: Final = msgspec.msgpack.Decoder(FromFront).decode
parse_from_writer: Final = msgspec.msgpack.Decoder(FromWriter).decode
parse_from_publisher: Final = msgspec.msgpack.Decoder(FromPublisher).decode
parse_proposed: Final = msgspec.msgpack.Decoder(Proposed).decode
NoMessage: TypeAlias = msgspec.DecodeError
"""What these raise where bytes are no message."""


def framed(message: _Message) -> bytes:
    """The bytes of one frame."""
    data = _encode(message)
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


async def frame(reader: asyncio.StreamReader) -> bytes:
    """The next frame's message; IncompleteReadError when the other side has gone."""
    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
    if length > MAX_FRAME_BYTES:
        raise ConnectionError(f"a frame of {length} bytes; at most {MAX_FRAME_BYTES}")
    return await reader.readexactly(length)


def read_frame(end: socket.socket) -> bytes:
    """As `frame`, for who has no loop; EOFError when the other side has gone."""
    length = int.from_bytes(_exactly(end, _LENGTH_BYTES), "big")
    if length > MAX_FRAME_BYTES:
        raise ConnectionError(f"a frame of {length} bytes; at most {MAX_FRAME_BYTES}")
    return _exactly(end, length)


def _exactly(end: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = end.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def row_of(head: Head) -> HeadRow:
    """A head, to be told to another process."""
    return head.batch, head.size, head.root, head.at, head.frozen


def head_of(row: HeadRow) -> Head:
    """The head that another process has told of."""
    batch, size, root, at, frozen = row
    return Head(batch=batch, size=size, root=root, at=at, frozen=frozen)


def made_of(published: Published) -> Made:
    """A published checkpoint, to be told to another process."""
    return Made(
        published.size,
        published.note,
        published.plain,
        published.at_ms,
        published.witnessed,
    )


def published_of(made: Made) -> Published:
    """The published checkpoint that another process has told of."""
    return Published(made.size, made.note, made.plain, made.at_ms, made.witnessed)


def wrong_of(error: Exception) -> Wrong:
    """An error, to be told to another process."""
    match error:
        case Conflict():
            return "conflict", error.check, str(error), error.index
        case Refused():
            return "refused", error.check, str(error), 0
        case Unavailable():
            return "unavailable", error.reason, str(error), error.retry_after_s
        case Held():
            return "held", error.state, f"{error}\0{error.mend}", 0
        case _:
            return "halted", "", str(error), 0


def error_of(wrong: Wrong) -> Exception:
    """The error that another process has told of."""
    kind, word, says, number = wrong
    match kind:
        case "conflict":
            return Conflict(int(number), says)
        case "refused":
            return Refused(word, says)
        case "unavailable":
            return Unavailable(word, says, retry_after_s=number)
        case "held":
            text, _, mend = says.partition("\0")
            return Held(word, text, mend=mend)
        case _:
            return Halted(says)
