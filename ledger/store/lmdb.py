"""A log in LMDB: one writer, one transaction a batch.

Full entry tiles are rows of their own, the bytes that are served; the entries
behind them wait one by one in the tail until their tile is full. So an entry is
written at most twice, whatever the size of the batches, and a read is one row.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import lmdb

from ledger.clock import stopwatch
from ledger.errors import Halted, Held, Unavailable, WrongBytes
from ledger.store import COPY, SLACK_BYTES, Batch, Check, TileKey, Usage
from ledger.store import layout as at
from ledger.store.disk import free_bytes
from ledger.store.environment import READERS, open_databases, open_environment
from ledger.store.view import View, tail_entries
from verifier.tile import ENTRIES, WIDTH, Tile, encode_entries, parse_entries, width_at

MAP_BYTES: Final = 1 << 40
"""Address space reserved, not disk: a map cannot grow while others read."""
MIN_FREE_BYTES: Final = 1 << 30
"""Below it nothing is written: a disk that is full takes more than this log down."""
_LOOK_EVERY_S: Final = 60.0
_ROW_BYTES: Final = 64
"""What an entry takes beside its bytes, at most."""


class LmdbStore:
    """A store in `folder`. Opened for writing it wants an owner: see log/lock.py."""

    def __init__(
        self,
        folder: Path,
        *,
        readonly: bool = False,
        map_bytes: int = MAP_BYTES,
        limit_bytes: int | None = None,
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> None:
        self.folder = folder
        self._limit_bytes = min(limit_bytes or map_bytes, map_bytes)
        self._min_free_bytes = min_free_bytes
        self._pid = os.getpid()
        self._looked = stopwatch()
        self._env = open_environment(folder, readonly=readonly, map_bytes=map_bytes)
        try:
            self._databases = open_databases(self._env, folder)
            with self._begin() as txn:
                view = View(txn, self._databases)
                at.check_format(view.row(at.FORMAT_KEY))
                self.charter = at.parse_charter(view.row(at.CHARTER_KEY) or b"")
                self.role = at.parse_role(view.row(at.ROLE_KEY) or b"")
                view.head()
        except BaseException as error:
            self._env.close()
            if isinstance(error, lmdb.Error):
                raise at.damaged(f"LMDB says: {error}") from None
            raise

    def append(self, batch: Batch, check: Check) -> None:
        """See LogStore."""
        if self.role == COPY:
            raise Held("copy", f"{self.folder} is a copy, which is never appended to")
        if stopwatch() - self._looked > _LOOK_EVERY_S:
            # A reader that was killed would keep old pages from being used again.
            self._env.reader_check()
            self._looked = stopwatch()
        with self._commit() as txn:
            view = View(txn, self._databases)
            if view.head() != batch.previous:
                raise Halted("somebody else has written to the store")
            self._write(txn, view, batch)
            check(view)
            # From here on nobody knows, until it returns.

    def _write(self, txn: lmdb.Transaction[Any], view: View, batch: Batch) -> None:
        """Put all of `batch`; nothing of it is there before the commit."""
        for tile, hashes in batch.tiles.items():
            before = view.tile(*tile)
            if not hashes.startswith(before):
                path = Tile(*tile).path()
                raise WrongBytes(
                    path, "the stored tile is not the beginning of the new"
                )
            self._put(txn, at.TILES, at.tile_key(tile), hashes, overwrite=bool(before))
        self._write_entries(txn, batch)
        rows = [(each, at.index_key(index)) for each, index in batch.identities]
        _put_all(txn.cursor(self._databases[at.IDENTITIES]), sorted(rows))
        self._put(txn, at.LOG, at.HEAD_KEY, at.head_value(batch.head), overwrite=True)

    def _write_entries(self, txn: lmdb.Transaction[Any], batch: Batch) -> None:
        """Full tiles go into their database; what is left, one by one into the tail."""
        size = batch.previous.size
        first, stop = size // WIDTH, batch.head.size // WIDTH
        waiting = list(batch.entries)
        if first < stop:
            tail = self._databases[at.TAIL]
            waiting[:0] = tail_entries(txn, tail, first * WIDTH, size)
            txn.drop(tail, delete=False)
            size = first * WIDTH
        self._check_room(waiting, batch)
        for index in range(first, stop):
            data = encode_entries(waiting[(index - first) * WIDTH :][:WIDTH])
            _must(
                txn.put(
                    at.index_key(index),
                    data,
                    db=self._databases[at.ENTRIES],
                    overwrite=False,
                    append=True,
                )
            )
        start = max(size, stop * WIDTH)
        rest = waiting[start - size :]
        rows = [(at.index_key(start + n), entry) for n, entry in enumerate(rest)]
        _put_all(txn.cursor(self._databases[at.TAIL]), rows, append=True)

    def _put(
        self,
        txn: lmdb.Transaction[Any],
        database: bytes,
        key: bytes,
        value: bytes,
        *,
        overwrite: bool,
    ) -> None:
        _must(txn.put(key, value, db=self._databases[database], overwrite=overwrite))

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[View]:
        """See LogStore."""
        try:
            txn = self._begin()
        except lmdb.ReadersFullError:
            raise Unavailable("readers", f"{READERS} readers are at work") from None
        except lmdb.Error as error:
            raise Halted(f"the store cannot be read: {error}") from error
        try:
            with txn:
                yield View(txn, self._databases)
        except lmdb.Error as error:
            raise WrongBytes("the store", f"LMDB cannot read it: {error}") from None

    def mend(self, tile: TileKey, data: bytes) -> None:
        """See LogStore."""
        level, index = tile
        with self._commit() as txn:
            size = View(txn, self._databases).head().size
            if level != ENTRIES:
                self._put(txn, at.TILES, at.tile_key(tile), data, overwrite=True)
                return
            start, width = index * WIDTH, width_at(ENTRIES, index, size)
            entries = parse_entries(data, Tile(ENTRIES, index, width))
            if width == WIDTH:
                key = at.index_key(index)
                self._put(txn, at.ENTRIES, key, data, overwrite=True)
                return
            for number, entry in enumerate(entries, start):
                self._put(txn, at.TAIL, at.index_key(number), entry, overwrite=True)

    def index(self, identities: Iterable[tuple[bytes, int]], *, drop: bool) -> None:
        """See LogStore."""
        with self._commit() as txn:
            if drop:
                txn.drop(self._databases[at.IDENTITIES], delete=False)
            rows = self._databases[at.IDENTITIES]
            for identity, index in identities:
                # Of two entries with one identity the first is the one it had.
                key = at.index_key(index)
                txn.put(identity, key, db=rows, overwrite=not drop)

    def copy_to(self, folder: Path) -> None:
        """Write the store, as it is at this moment, to `folder`; nothing is synced."""
        self._check_process()
        self._env.copy(str(folder), compact=True)

    def usage(self) -> Usage:
        """See LogStore."""
        tail_bytes = 0
        # How full it is can be told also while too many read.
        with contextlib.suppress(lmdb.Error), self._begin() as txn:
            rows = txn.cursor(self._databases[at.TAIL]).iternext(keys=False)
            tail_bytes = sum(len(each) + _ROW_BYTES for each in rows)
        return replace(self._used(), tail_bytes=tail_bytes)

    def _used(self) -> Usage:
        info, page = self._env.info(), self._env.stat()["psize"]
        return Usage(
            used_bytes=(info["last_pgno"] + 1) * page,
            limit_bytes=self._limit_bytes,
            free_bytes=free_bytes(self.folder),
        )

    def close(self) -> None:
        """See LogStore."""
        if self._pid == os.getpid():
            self._env.close()

    def _begin(self, *, write: bool = False) -> lmdb.Transaction[Any]:
        self._check_process()
        return self._env.begin(write=write, buffers=True)

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            # LMDB would let us, and two processes would hold one transaction.
            raise Halted("a store is not used by a forked process; open it again")

    @contextlib.contextmanager
    def _commit(self) -> Iterator[lmdb.Transaction[Any]]:
        try:
            with self._begin(write=True) as txn:
                yield txn
        except lmdb.MapFullError:
            raise Unavailable(
                "full", "the store's map is full; raise map_bytes", retry_after_s=60
            ) from None
        except lmdb.Error as error:
            raise Halted(f"the store could not be written: {error}") from error

    def _check_room(self, entries: Sequence[bytes], batch: Batch) -> None:
        usage = self._used()
        need = sum(map(len, entries)) + _ROW_BYTES * len(entries) + SLACK_BYTES
        need += 128 * len(batch.identities)
        if usage.used_bytes + need > usage.limit_bytes:
            says = f"the store has {usage.used_bytes} of its {usage.limit_bytes} bytes"
            says += f", and this batch may need {need} more; raise limit_bytes"
            raise Unavailable("full", says, retry_after_s=60)
        if usage.free_bytes - need < self._min_free_bytes:
            says = f"the disk has {usage.free_bytes} bytes left"
            raise Unavailable(
                "full",
                f"{says}, and the last {self._min_free_bytes} stay free; make room",
                retry_after_s=60,
            )


def _must(stored: object) -> None:
    """LMDB answers False, and raises nothing, when a key is there or out of order."""
    if not stored:
        raise Halted("the store has a key that it cannot have yet")


def _put_all(
    cursor: lmdb.Cursor[Any], rows: list[tuple[bytes, bytes]], *, append: bool = False
) -> None:
    _, added = cursor.putmulti(rows, dupdata=False, overwrite=False, append=append)
    _must(added == len(rows))
