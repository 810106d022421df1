"""A table: a small durable map, for what has to be remembered and is no log.

Each commit has a number, and leaves a chain of hashes over all commits before: two
tables with one chain have the same history, so that an older copy of the file can
be told by who remembers the newest chain elsewhere. It also says where it was one
commit before, for who remembers no more than that.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

import lmdb

from ledger.errors import Halted, Held
from ledger.store import Head
from ledger.store.environment import (
    DATA,
    create_environment,
    open_databases,
    open_environment,
)

MAP_BYTES: Final = 1 << 36
"""Address space, not disk: room for millions of rows."""
_FORMAT: Final = b"provlog/table/1"
_ROWS: Final = b"rows"
_STATE: Final = b"state"
_FORMAT_KEY: Final = b"format"
_GENESIS_KEY: Final = b"genesis"
_HEAD_KEY: Final = b"head"
_HEAD: Final = struct.Struct(">QQ32sQ32s")
_LENGTH: Final = struct.Struct(">Q")


def create_table(folder: Path, genesis: bytes) -> None:
    """Make an empty one, durably; `genesis` tells it from all others."""
    state = {
        _FORMAT_KEY: _FORMAT,
        _GENESIS_KEY: genesis,
        _HEAD_KEY: _HEAD.pack(0, 0, Head().root, 0, Head().root),
    }
    create_environment(folder, {_ROWS: {}, _STATE: state}, map_bytes=MAP_BYTES)


class Table:
    """The table in a folder, for one process; one thread commits, any may read."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / DATA
        self._env = open_environment(folder, readonly=False, map_bytes=MAP_BYTES)
        try:
            found = open_databases(self._env, folder, (_ROWS, _STATE))
            self._rows, self._state = found[_ROWS], found[_STATE]
            with self._env.begin() as txn:
                stamp = txn.get(_FORMAT_KEY, db=self._state)
                self.genesis: bytes = txn.get(_GENESIS_KEY, db=self._state) or b""
            if stamp != _FORMAT:
                raise Held("format", f"{folder} is not of {_FORMAT.decode()}")
            self.head, self.previous = self._read_heads()
        except BaseException:
            self._env.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`."""
        try:
            with self._env.begin() as txn:
                value: bytes | None = txn.get(key, db=self._rows)
                return value
        except lmdb.Error as error:
            raise Halted(f"{self.data} cannot be read: {error}") from error

    def commit(self, rows: Mapping[bytes, bytes]) -> Head:
        """Put `rows` in one transaction, durable when this returns: where it is then.

        Halted if nobody knows what was written.
        """
        head = self.head
        new = Head(
            batch=head.batch + 1,
            size=head.size + len(rows),
            root=_chained(head.root, rows),
        )
        try:
            with self._env.begin(write=True) as txn:
                self._put(txn, rows, new)
                # From here on nobody knows, until it returns.
        except lmdb.Error as error:
            raise Halted(f"{self.data} could not be written: {error}") from error
        self.head, self.previous = new, head
        return new

    def _put(
        self, txn: lmdb.Transaction[Any], rows: Mapping[bytes, bytes], new: Head
    ) -> None:
        for key, value in rows.items():
            txn.put(key, value, db=self._rows)
        before = self.head
        state = _HEAD.pack(new.batch, new.size, new.root, before.size, before.root)
        txn.put(_HEAD_KEY, state, db=self._state)

    def _read_heads(self) -> tuple[Head, Head]:
        """Where it is, and where it was one commit before."""
        with self._env.begin() as txn:
            data = txn.get(_HEAD_KEY, db=self._state) or b""
        if len(data) != _HEAD.size:
            raise Held("damaged", f"{self.data} does not say how far it has come")
        batch, size, root, size_before, root_before = _HEAD.unpack(data)
        before = Head(batch=max(0, batch - 1), size=size_before, root=root_before)
        return Head(batch=batch, size=size, root=root), before

    def close(self) -> None:
        """Let go of it."""
        self._env.close()


def _chained(before: bytes, rows: Mapping[bytes, bytes]) -> bytes:
    """The chain after a commit of `rows`; no two sets of rows give the same bytes."""
    digest = sha256(before)
    for key, value in sorted(rows.items()):
        for each in (key, value):
            digest.update(_LENGTH.pack(len(each)) + each)
    return digest.digest()
