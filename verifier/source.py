"""Where a log is read from: a folder or a URL. The only room that fetches.

Nothing that is read is believed; these readers only see to it that reading ends.
A file has to be a regular file, since opening a pipe would wait for ever. A
server gets a limit on bytes, on the time of one answer and on attempts; it is
not followed to another address, and a compressed answer is unpacked no further
than the largest thing that was asked for.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import stat
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Protocol
from urllib.parse import urlsplit

from verifier import note
from verifier.errors import MalformedError, Unavailable
from verifier.hashing import HASH_SIZE
from verifier.tile import (
    MAX_ENTRY_TILE_BYTES,
    WIDTH,
    Tile,
    check_hashes,
    parse_entries,
)

CHECKPOINT: Final = "checkpoint"

ATTEMPTS: Final = 3
PATIENCE_S: Final = 30.0
"""How long one answer may take, from the request to the last byte."""
LONGEST_PAUSE_S: Final = 10.0

_OK: Final = 200
_CODINGS: Final = frozenset({"identity", "gzip", "x-gzip"})
_PAGE: Final = 1 << 16
"""How much of an error page is read, so that the connection can be used again."""
_MAX_MEMBERS: Final = 64
_PACKING: Final = 1 << 14
"""By how much gzip may make larger what cannot be packed."""
_AGAIN: Final = frozenset({408, 429})
_SERVER_ERROR: Final = 500
_ABSENT: Final = frozenset({404, 410})


class Source(Protocol):
    """A log as somebody keeps it: the resources of c2sp.org/tlog-tiles, by path."""

    @property
    def parallel(self) -> int:
        """How many reads at a time are worth while."""
        ...

    def read(self, path: str, most: int) -> bytes | None:
        """The bytes at `path`, or None if there is nothing.

        Raises Unavailable if nobody can tell, MalformedError if it cannot be right.
        """
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


def read_checkpoint(source: Source) -> bytes:
    """The log's newest checkpoint, unverified."""
    data = source.read(CHECKPOINT, note.MAX_BYTES)
    if data is None:
        raise Unavailable(f"{source} has no checkpoint; is it a log?")
    return data


def read_hashes(source: Source, tile: Tile) -> bytes | None:
    """The hashes of `tile`, joined, or None if it is not there."""
    data = source.read(tile.path(), WIDTH * HASH_SIZE)
    if data is not None:
        check_hashes(data, tile)
    elif tile.width < WIDTH:
        # A log may drop a partial tile once the full one is there.
        full = tile.full()
        data = source.read(full.path(), WIDTH * HASH_SIZE)
        if data is not None:
            check_hashes(data, full)
            data = data[: tile.width * HASH_SIZE]
    return data


def read_entries(source: Source, tile: Tile) -> list[bytes] | None:
    """The entries of entry tile `tile`, or None if it is not there."""
    data = source.read(tile.path(), MAX_ENTRY_TILE_BYTES)
    if data is not None:
        return parse_entries(data, tile)
    if tile.width < WIDTH:
        data = source.read(tile.full().path(), MAX_ENTRY_TILE_BYTES)
        if data is not None:
            return parse_entries(data, tile.full())[: tile.width]
    return None


@dataclass(frozen=True, slots=True)
class Directory:
    """A log in a folder, as it is exported, mirrored or written by a POSIX log."""

    folder: Path
    parallel: ClassVar[int] = 1

    def __str__(self) -> str:
        return str(self.folder)

    def read(self, path: str, most: int) -> bytes | None:
        """The bytes of the file at `path`."""
        try:
            return read_file(self.folder / path, most)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(f"{self.folder / path}: {error.strerror}") from None

    def close(self) -> None:
        """Nothing stays open."""


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a regular file that has at most `most` of them."""
    # Without O_NONBLOCK the opening of a named pipe waits for somebody to write.
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise MalformedError(f"{path} is not a regular file")
        if status.st_size > most:
            raise MalformedError(
                f"{path} has {status.st_size} bytes; at most {most} are read"
            )
        with open(number, "rb", closefd=False) as file:
            return file.read(status.st_size)
    finally:
        os.close(number)


class Url:
    """A log behind a tlog-tiles prefix.

    A `token` is sent to this prefix, and as nothing is followed to nobody else.
    """

    parallel: ClassVar[int] = 8

    def __init__(self, prefix: str, token: str | None = None) -> None:
        self.prefix = prefix.rstrip("/")
        self._headers = {"Accept-Encoding": "gzip", "User-Agent": "provlog-verifier"}
        self._token = token
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        # Connections that nobody uses just now; each read takes one, or opens one.
        self._idle: list[http.client.HTTPConnection] = []

    def __str__(self) -> str:
        return self.prefix

    def __reduce__(self) -> tuple[type[Url], tuple[str, str | None]]:
        # Another process opens its own.
        return Url, (self.prefix, self._token)

    @property
    def tells_token(self) -> bool:
        """Whether a token crosses a network for all to read."""
        with contextlib.suppress(ValueError):
            parts = urlsplit(self.prefix)
            here = parts.hostname in ("localhost", "127.0.0.1", "::1")
            return bool(self._token) and parts.scheme == "http" and not here
        return False

    def read(self, path: str, most: int) -> bytes | None:
        """The bytes at `path` under the prefix."""
        reason = ""
        for attempt in range(ATTEMPTS):
            pause = ""
            try:
                status, pause, body = self._get(path, most)
            except (OSError, http.client.HTTPException) as error:
                reason = str(error) or type(error).__name__
            else:
                if status == _OK:
                    return body
                if status in _ABSENT:
                    return None
                if status < _SERVER_ERROR and status not in _AGAIN:
                    raise Unavailable(
                        f"{self.prefix}/{path} answered {status}; nothing is followed"
                    )
                reason = f"it answered {status}"
            if attempt < ATTEMPTS - 1:
                time.sleep(_pause_s(pause, attempt))
        raise Unavailable(f"{self.prefix}/{path}: {reason} ({ATTEMPTS} attempts)")

    def close(self) -> None:
        """Close what is open."""
        while self._idle:
            self._idle.pop().close()

    def _get(self, path: str, most: int) -> tuple[int, str, bytes]:
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._ask(_connection(self.prefix), path, most)
        try:
            return self._ask(connection, path, most)
        except (OSError, http.client.HTTPException):
            # It may have been closed long ago; that is no attempt.
            self.close()
            return self._ask(_connection(self.prefix), path, most)

    def _ask(
        self, connection: http.client.HTTPConnection, path: str, most: int
    ) -> tuple[int, str, bytes]:
        try:
            where = f"{urlsplit(self.prefix).path.rstrip('/')}/{path}"
            answer = _ask(connection, where, self._headers, most)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer


def _ask(
    connection: http.client.HTTPConnection,
    where: str,
    headers: Mapping[str, str],
    most: int,
) -> tuple[int, str, bytes]:
    if connection.sock is None:
        connection.connect()
    # A timeout is for one read only. Who sends a byte now and then, in a head or
    # in a body, is cut off by this one.
    late = threading.Event()
    patience = threading.Timer(PATIENCE_S, _cut, [connection.sock, late])
    patience.daemon = True
    patience.start()
    try:
        connection.request("GET", where, headers=headers)
        with connection.getresponse() as response:
            body = _body(response, most)
            if not response.isclosed() and response.length != 0:
                connection.close()  # its rest would be taken for the next answer
    except (OSError, http.client.HTTPException):
        _check_patience(late)
        raise
    finally:
        patience.cancel()
    # http.client takes a head that breaks off for a whole one.
    _check_patience(late)
    return response.status, response.getheader("Retry-After", ""), body


def _check_patience(late: threading.Event) -> None:
    if late.is_set():
        raise TimeoutError(f"no whole answer within {PATIENCE_S:g} s") from None


def _body(response: http.client.HTTPResponse, most: int) -> bytes:
    """The body of an answer, unpacked; of one that is no answer, nothing."""
    if response.status != _OK:
        response.read1(_PAGE)
        return b""
    coding = response.getheader("Content-Encoding", "identity").strip().lower()
    if coding not in _CODINGS:
        raise http.client.HTTPException(f"it is coded as {coding}; gzip was asked for")
    room = most + (0 if coding == "identity" else _PACKING)
    body = bytearray()
    while part := response.read1(1 << 16):
        body += part
        if len(body) > room:
            raise MalformedError(f"an answer of more than the {most} bytes it may have")
    if response.length:  # read1() takes an early end for the end
        raise http.client.IncompleteRead(b"", response.length)
    return bytes(body) if coding == "identity" else _unpacked(bytes(body), most)


def _connection(prefix: str) -> http.client.HTTPConnection:
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    try:
        parts = urlsplit(prefix)
        kind, host, port = kinds[parts.scheme], parts.hostname or "", parts.port
        # A query and a password would be left out without a word.
        more = parts.query or parts.fragment or "@" in parts.netloc
        if not host.encode("idna") or not prefix.isascii() or more:
            raise ValueError
        connection: http.client.HTTPConnection = kind(host, port, timeout=PATIENCE_S)
    except (KeyError, ValueError, http.client.InvalidURL):
        raise Unavailable(
            f"{prefix} is not an http or https address of a folder"
        ) from None
    return connection


def _cut(sock: socket.socket, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError):
        # Not the method of a TLS socket, which would go on to read in the clear.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _unpacked(body: bytes, most: int) -> bytes:
    data = b""
    for _ in range(_MAX_MEMBERS):  # gzip files may follow one another
        unpacker = zlib.decompressobj(wbits=31)
        try:
            data += unpacker.decompress(body, most + 1 - len(data))
        except zlib.error as error:
            raise http.client.HTTPException(f"it is no gzip: {error}") from None
        if len(data) > most:
            raise MalformedError(f"an answer that unpacks to more than {most} bytes")
        if not unpacker.eof:
            raise http.client.HTTPException("its gzip is cut off")
        body = unpacker.unused_data
        if not body:
            return data
    raise MalformedError(f"an answer of more than {_MAX_MEMBERS} gzip files")


def _pause_s(retry_after: str, attempt: int) -> float:
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 5:
        return min(float(retry_after), LONGEST_PAUSE_S)
    return 0.2 * 4.0**attempt
