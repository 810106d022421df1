"""What a witness, and an anchor service, remember for others: never less than before.

    table/     what is remembered, by key
    anchor     how far the table has come, a second time
    lock       held by the one process that has it

Who remembers for others must not forget: put back to an older state, a witness would
cosign a second history. So the table has an anchor, as a log has, and a table that
is behind it is not used. Swaps that come at once share one commit, and return when
table and anchor are both durable.
"""

from __future__ import annotations

import queue
import secrets
import threading
from concurrent.futures import Future
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple, Self

from ledger.errors import Halted, Held, Unavailable
from ledger.log.anchor import Anchor, Anchored, write_anchor
from ledger.log.lock import Lock
from ledger.store import Head
from ledger.store.disk import file_identity, sync_path
from ledger.store.table import Table, create_table

GENESIS_SIZE: Final = 16
MOST: Final = 256
"""How many swaps share a commit."""


class _Swap(NamedTuple):
    key: bytes
    before: bytes | None
    after: bytes
    done: Future[bool]


class Remembered:
    """The memory in a folder, held by this process until it is closed."""

    def __init__(self, folder: Path) -> None:
        try:
            self._lock = Lock(folder)
        except Held as error:
            raise _held(error, folder) from None
        try:
            self._table = Table(folder / "table")
            try:
                self._anchor = self._checked(folder)
            except BaseException:
                self._table.close()
                raise
        except Held as error:
            self._lock.release()
            raise _held(error, folder) from None
        except BaseException:
            self._lock.release()
            raise
        self._wrong: Exception | None = None
        self._closed = False
        self._hidden: dict[bytes, bytes | None] = {}
        """What is being committed: until it is anchored, what was there before."""
        self._alone = threading.Lock()
        """Held for a look at all of these."""
        self._waiting: queue.SimpleQueue[_Swap | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @classmethod
    def create(cls, folder: Path) -> None:
        """Make an empty memory in `folder`, which is not there yet."""
        folder.mkdir(0o700)
        sync_path(folder.parent)
        genesis = secrets.token_bytes(GENESIS_SIZE)
        create_table(folder / "table", genesis)
        with Table(folder / "table") as table:
            data = file_identity(table.data)
        write_anchor(folder / "anchor", Anchored(genesis=genesis, data=data))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Hold the memory in `folder`; Held if it is not what it was."""
        return cls(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, key: bytes) -> bytes | None:
        """What is remembered under `key`: durable, and anchored."""
        with self._alone:
            if self._wrong:
                raise _stopped(self._wrong)
            if key in self._hidden:
                return self._hidden[key]
            return self._table.get(key)

    def swap(self, key: bytes, before: bytes | None, after: bytes) -> bool:
        """Remember `after` if `before` is remembered now; durable when it is True.

        Halted if nobody knows what was written: then nothing more is remembered.
        """
        swap = _Swap(key, before, after, Future())
        with self._alone:
            if self._closed or self._wrong:
                raise _stopped(self._wrong)
            self._waiting.put(swap)
        return swap.done.result()

    def close(self) -> None:
        """Finish what waits, and let go of it."""
        with self._alone:
            self._closed = True
            self._waiting.put(None)
        self._thread.join()
        self._anchor.close()
        self._table.close()
        self._lock.release()

    def _checked(self, folder: Path) -> Anchor:
        """The anchor, if it and the table belong together and none is old."""
        path, head = folder / "anchor", self._table.head
        anchor = Anchor(path)
        try:
            held = anchor.held
            if held.genesis != self._table.genesis:
                raise Held("wrong_log", f"{path} is the anchor of another memory")
            _check_follows(held, head, self._table.previous)
            if held.file != file_identity(path):
                says = f"{path} is a copy: the original may still be used"
                raise Held("cloned", says)
            if held.data != file_identity(self._table.data):
                says = f"{self._table.data} is not the file that was anchored"
                raise Held("replaced", says)
            if head.batch > held.batch:
                # A crash came between the two, and nobody was answered.
                anchor.advance(head)
        except BaseException:
            anchor.close()
            raise
        return anchor

    def _run(self) -> None:
        while swaps := self._taken():
            if self._wrong:
                _fail(swaps, _stopped(self._wrong))
                continue
            try:
                self._settle(swaps)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows
                with self._alone:
                    self._wrong = error
                _fail(swaps, Halted(f"it may or may not be remembered: {error}"))

    def _taken(self) -> list[_Swap]:
        """What waits now, or comes next; nothing at the end."""
        first = self._waiting.get()
        found = [first] if first else []
        while found and len(found) < MOST and not self._waiting.empty():
            if (more := self._waiting.get()) is None:
                self._waiting.put(None)
                break
            found.append(more)
        return found

    def _settle(self, swaps: list[_Swap]) -> None:
        rows: dict[bytes, bytes] = {}
        hidden: dict[bytes, bytes | None] = {}
        won: list[_Swap] = []
        for each in swaps:
            now = rows[each.key] if each.key in rows else self._table.get(each.key)
            if now == each.before:
                hidden.setdefault(each.key, now)
                rows[each.key] = each.after
                won.append(each)
            else:
                each.done.set_result(False)
        if rows:
            with self._alone:
                self._hidden = hidden
            self._anchor.advance(self._table.commit(rows))
            with self._alone:
                self._hidden = {}
        for each in won:
            each.done.set_result(True)


def _fail(swaps: list[_Swap], error: Exception) -> None:
    for each in swaps:
        if not each.done.done():
            each.done.set_exception(error)


def _stopped(wrong: Exception | None) -> Unavailable:
    """What is said to who comes when nothing is remembered any more."""
    why = f"an earlier one failed: {wrong}; start it again" if wrong else "it ends"
    return Unavailable("halted", f"nothing is remembered: {why}")


def _check_follows(held: Anchored, head: Head, before: Head) -> None:
    """Return if the table is what was anchored, or one commit further."""
    where = f"the anchor has commit {held.batch}, and the table has {head.batch}"
    if head.batch < held.batch:
        raise Held("rollback", f"{where}: it was put back to an older state")
    if head.batch > held.batch + 1:
        raise Held("anchor_behind", f"{where}: the anchor is an old one")
    same = head if head.batch == held.batch else before
    if (same.size, same.root) != (held.size, held.root):
        raise Held("forked", f"{where}, of another history")


def _held(error: Held, folder: Path) -> Held:
    """In the words of a memory: there is no way back that would be safe."""
    if error.state == "locked":
        return Held(error.state, str(error), mend="end the process that uses it")
    mend = (
        f"bring back {quote(str(folder))} as it was last; if that is lost, begin anew "
        "with other keys: an older memory would vouch for a second history"
    )
    return Held(error.state, f"{error}", mend=mend)
