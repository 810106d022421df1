"""What an interface promises, executed over everything that claims to keep it.

`Book` is the log that the tests of stores append to: it remembers what a store
was given, so that a test can compare what the store gives back. What may harm a
process is done in another one, which `run` gives a short script, and a Book.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger.store import Batch, Charter, Head, LogStore, Snapshot
from ledger.store.environment import DATA
from ledger.store.lmdb import LmdbStore
from ledger.store.memory import MemoryStore
from ledger.store.whole import check_structure
from ledger.tree import Frontier
from verifier.hashing import leaf_hash

ROOT = Path(__file__).resolve().parents[2]
SIZE = 300
"""How many entries a store has before something happens to it."""

CHARTER = Charter(
    origin="log.example/store",
    kind="opaque",
    dedupe=True,
    genesis=bytes(range(16)),
    operator="p-operator",
)


def numbered(start: int, stop: int) -> list[bytes]:
    """Entries of different bytes and lengths, the empty one among them."""
    return [b"%d " % each * (each % 7) for each in range(start, stop)]


def accept(snapshot: Snapshot) -> None:
    """A check that has nothing to object to."""


class Book:
    """What a store has been given so far. Each of its batches is a true one."""

    def __init__(self) -> None:
        self.head = Head()
        self.entries: list[bytes] = []
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.identities: dict[bytes, int] = {}
        self._frontier = Frontier()

    def batch(self, entries: Sequence[bytes], **changes: Any) -> Batch:
        """The batch that adds `entries`, or that one with `changes` to spoil it."""
        frontier = self._frontier.copy()
        tiles = frontier.append([leaf_hash(entry) for entry in entries])
        head = Head(
            batch=self.head.batch + 1,
            size=frontier.size,
            root=frontier.root(),
            at=self.head.at + 1,
        )
        members: dict[str, Any] = {
            "previous": self.head,
            "head": head,
            "entries": entries,
            "tiles": tiles,
        }
        return Batch(**members | changes)

    def append(
        self,
        store: LogStore,
        entries: Sequence[bytes],
        identities: Iterable[tuple[bytes, int]] = (),
    ) -> None:
        """Append `entries` to `store`, and remember them."""
        batch = self.batch(entries, identities=list(identities))
        store.append(batch, accept)
        self._frontier.append([leaf_hash(entry) for entry in entries])
        self.head = batch.head
        self.entries += entries
        self.tiles |= batch.tiles
        self.identities |= dict(batch.identities)

    def grow(self, store: LogStore, *sizes: int) -> None:
        """Append batches of so many entries each."""
        for size in sizes:
            start = len(self.entries)
            self.append(store, numbered(start, start + size))

    def check(self, snapshot: Snapshot) -> None:
        """The snapshot is what was appended, and nothing else."""
        assert snapshot.head() == self.head
        assert snapshot.entries(0, self.head.size + 1) == self.entries
        for (level, index), hashes in self.tiles.items():
            assert snapshot.tile(level, index) == hashes
            past = max(each for at, each in self.tiles if at == level) + 1
            assert snapshot.tile(level, past) == b""
        assert dict(snapshot.identities()) == self.identities


def grown(*sizes: int) -> Book:
    """The book of a log that has had batches of these sizes."""
    book = Book()
    book.grow(MemoryStore(CHARTER), *sizes)
    return book


def check_goes_on(folder: Path, *books: Book) -> None:
    """The store in `folder` is sound, has what is in one of `books`, and goes on."""
    check_structure(folder / DATA)
    store = LmdbStore(folder, min_free_bytes=0)
    with store.snapshot() as snapshot:
        [book] = [each for each in books if each.head == snapshot.head()]
        book.check(snapshot)
    book.grow(store, SIZE)
    with store.snapshot() as snapshot:
        book.check(snapshot)
    store.close()


PRELUDE = f"""
import os, resource, sys
from pathlib import Path
from ledger.errors import *
from ledger.store.environment import DATA, create_store
from ledger.store.lmdb import LmdbStore
from tests.contracts import *
folder, book = Path(sys.argv[1]), grown({SIZE})
def attempt(call, *arguments):
    try:
        call(*arguments)
        print("done", flush=True)
    except Exception as error:
        print(type(error).__name__, getattr(error, "state", ""), flush=True)
"""
OPEN = "store = LmdbStore(folder, min_free_bytes=0)\n"
GROW = "attempt(book.grow, store, 300)\n"
WAIT = "print('ready', flush=True)\nsys.stdin.read()\n"


@contextmanager
def started(
    script: str, folder: Path, *before: str, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """A process that runs `script`, under the command `before` if there is one."""
    with subprocess.Popen(
        [*before, sys.executable, "-c", PRELUDE + script, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(
    script: str, folder: Path, *before: str, **environ: str
) -> tuple[list[str], int]:
    """The words that `script` prints, and its status."""
    with started(script, folder, *before, **environ) as process:
        printed, _ = process.communicate(timeout=60)
    return printed.split(), process.returncode
