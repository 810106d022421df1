"""Hands on a log's files that no log would lay on them, and another process at work."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb

from ledger.clock import read_clock
from ledger.log.look import look
from ledger.publish.export import Exported, export
from ledger.upkeep.fsck import Checkup, fsck
from tests.livelog import LiveLog
from tests.recordlog import record
from verifier import cbor
from verifier.record import encode_record

ROOT = Path(__file__).parents[2]
TIME = read_clock().wall_ms // 1000

_WRITER = """
import sys
from pathlib import Path
from ledger.log.log import Log
with Log.open(Path(sys.argv[1])) as log:
    if log.hold: raise log.hold
    number = 0
    while True:
        log.append([b"hot %d %d" % (number, each) for each in range(37)])
        number += 1
        if number == 3: print("at work", flush=True)
"""


def entries(count: int, first: int = 0) -> list[bytes]:
    """Entries that are just bytes, each another one."""
    return [b"entry %06d" % number for number in range(first, first + count)]


def fill(log: LiveLog, count: int) -> None:
    """Append `count` of them, in as many batches as it takes."""
    with log.open() as opened:
        for first in range(0, count, 16_384):
            log.append(*entries(min(16_384, count - first), first), log=opened)


def records(count: int, first: int = 0) -> list[bytes]:
    """Canonical records."""
    return [encode_record(record(each)) for each in range(first, first + count)]


def statements(count: int, first: int = 0) -> list[bytes]:
    """COSE_Sign1 statements, whose signatures nobody here looks at."""
    return [
        cbor.encode(cbor.Tag(18, [b"", {}, b"%06d" % each, bytes(64)]), tags={18})
        for each in range(first, first + count)
    ]


@contextmanager
def database(folder: Path, name: bytes) -> Iterator[tuple[Any, Any]]:
    """A database of the log in `folder`, to be written to."""
    with (
        lmdb.open(str(folder / "store"), max_dbs=9, map_size=1 << 30) as env,
        env.begin(write=True) as txn,
    ):
        yield txn, env.open_db(name, txn=txn, create=False)


def rows(folder: Path, name: bytes) -> list[tuple[bytes, bytes]]:
    """All rows of a database."""
    with database(folder, name) as (txn, db):
        return list(txn.cursor(db))


def put(folder: Path, name: bytes, key: bytes, value: bytes) -> None:
    """Write a row."""
    with database(folder, name) as (txn, db):
        txn.put(key, value, db=db)


def drop(folder: Path, name: bytes, key: bytes) -> None:
    """Take a row out."""
    with database(folder, name) as (txn, db):
        assert txn.delete(key, db=db)


def drop_all(folder: Path, name: bytes) -> None:
    """Take all rows out."""
    with database(folder, name) as (txn, db):
        txn.drop(db, delete=False)


def flip(folder: Path, name: bytes, key: bytes, byte: int = 0) -> None:
    """Flip one bit in a row."""
    with database(folder, name) as (txn, db):
        value = bytearray(txn.get(key, db=db))
        value[byte] ^= 1
        txn.put(key, bytes(value), db=db)


def flip_file(path: Path, byte: int) -> None:
    """Flip one bit in a file, which stays the same file."""
    data = bytearray(path.read_bytes())
    data[byte] ^= 1
    overwrite(path, bytes(data))


def overwrite(path: Path, data: bytes) -> None:
    """Put other bytes into a file, which stays the same file."""
    with open(path, "r+b") as file:
        file.write(data)
        file.truncate()


def public(log: LiveLog, dest: Path, **options: object) -> Exported:
    """Export what `log` has."""
    with look(log.folder) as seen:
        return export(seen, dest, time=TIME, **options)  # type: ignore[arg-type]


def checks(checkup: Checkup) -> set[str]:
    """The places and states in which something is wrong."""
    found = {each.path for each in checkup.outcome.damage}
    found |= {f"row {row.index}" for row in checkup.rows}
    found |= {each.state for each in checkup.holds}
    return found | ({"head"} if checkup.head else set())


def is_sound(folder: Path) -> bool:
    """Whether fsck has nothing to say."""
    return fsck(folder).sound


@contextmanager
def another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that appends to the log in `folder` for as long as this lasts."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder)],
        stdout=pipe,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)
