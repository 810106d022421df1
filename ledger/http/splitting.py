"""A stream cut into what is to be logged, with bounded memory whatever its length.

NDJSON is cut at LF. A CBOR sequence (RFC 8742) is cut where each item ends, which
its heads say; whether an item is canonical is for others to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from ledger.errors import Refused
from verifier import cbor

_BYTES: Final = 2
"""The major type of byte strings."""


class TooLong(Refused):
    """One of a batch is larger than anything that is read."""

    def __init__(self, most: int) -> None:
        super().__init__("size", f"it has more than {most} bytes, which none may have")


class Splitter(Protocol):
    """Cuts pieces of a stream into submissions."""

    @property
    def kept(self) -> int:
        """How many bytes it keeps until there are more."""
        ...

    def feed(self, piece: bytes) -> Iterator[bytes | TooLong]:
        """What is complete with this piece; TooLong for what is skipped."""
        ...

    def end(self) -> Iterator[bytes]:
        """What is left when the stream has ended; Refused if it was cut off."""
        ...


class Lines:
    """NDJSON: one a line. What is too long is skipped up to the next line."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = b""
        self._skipping = False

    @property
    def kept(self) -> int:
        """See Splitter."""
        return len(self._rest)

    def feed(self, piece: bytes) -> Iterator[bytes | TooLong]:
        """See Splitter."""
        *lines, rest = (self._rest + piece).split(b"\n")
        for line in lines:
            skipped, self._skipping = self._skipping, False
            if skipped:
                continue  # it was told of when it became too long
            yield line if len(line) <= self._most else TooLong(self._most)
        self._rest = rest
        if len(rest) > self._most and not self._skipping:
            self._skipping = True
            yield TooLong(self._most)
        if self._skipping:
            self._rest = b""

    def end(self) -> Iterator[bytes]:
        """See Splitter."""
        if self._rest and not self._skipping:
            yield self._rest


class Items:
    """A CBOR sequence. Behind an item that does not end nothing else can begin.

    Where it was when a piece ended is kept: who sends byte by byte would else have
    all of an item looked at again for each of them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = b""
        self._at = 0
        """How far the heads of the item in `_rest` have been read."""
        self._left = 1
        """How many items are still to come until it ends."""

    @property
    def kept(self) -> int:
        """See Splitter."""
        return len(self._rest)

    def feed(self, piece: bytes) -> Iterator[bytes | TooLong]:
        """See Splitter."""
        data, start = self._rest + piece, 0
        while start < len(data):
            at, self._left = _scan(data, start, self._at, self._left, self._most)
            self._at = at - start
            if self._left or at > len(data):
                break
            yield data[start:at]
            start, self._at, self._left = at, 0, 1
        self._rest = data[start:]

    def end(self) -> Iterator[bytes]:
        """See Splitter."""
        if self._rest:
            raise Refused("form", "the CBOR sequence ends in the midst of an item")
        yield from ()


def _scan(data: bytes, start: int, done: int, left: int, most: int) -> tuple[int, int]:
    """Where the next head is, and how many items are to come in the one at `start`.

    `done` bytes of it were looked at before, and `left` items were to come then.
    Without recursion: nothing of how they are nested has to be known.
    """
    at = start + done
    while left and at < len(data):
        head = _head(data, at)
        if head is None:
            break
        at, bytes_, items = head
        at += bytes_
        left += items - 1
        if at - start > most or left > most:
            raise TooLong(most)
    return at, left


def _head(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Where a head ends, the bytes it announces, and the items; None if cut off."""
    major, more = data[at] >> 5, data[at] & 31
    if more > 27 or (major == 7 and more > 24):
        raise Refused("form", "the CBOR sequence has what no entry of ours has")
    width = 1 << (more - 24) if more >= 24 else 0
    at += 1
    if at + width > len(data):
        return None
    value = int.from_bytes(data[at : at + width], "big") if width else more
    items = {4: value, 5: 2 * value, 6: 1}.get(major, 0)
    return at + width, value if major in (2, 3) else 0, items


def bytes_of(item: bytes) -> bytes:
    """What is in an item that is one byte string, or Refused."""
    head = _head(item, 0)
    if item[0] >> 5 != _BYTES or head is None:
        raise Refused("form", "in an opaque log each item is a byte string")
    content = item[head[0] :]
    if cbor.encode(content) != item:
        raise Refused("form", "not deterministic CBOR: its length has a shorter form")
    return content
