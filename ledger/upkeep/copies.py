"""Copies of a log: a backup, an exported folder, a mirror's address.

A backup is taken from one moment of a log that may be running, and is verified
whole before it gets its name. It says inside that it is a copy, so that nothing
appends to it, and it has no key. It serves for reading entries back, never for
going back in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger.errors import Held, Refused, WrongBytes
from ledger.log.look import look
from ledger.log.states import mended_by
from ledger.store import COPY, Head
from ledger.store.copying import copy_store
from ledger.store.environment import DATA
from ledger.store.lmdb import LmdbStore
from ledger.store.whole import check_structure
from ledger.upkeep.making import made_whole
from ledger.upkeep.rows import own_members
from ledger.upkeep.source import StoreSource
from verifier import note
from verifier.audit import verify_log
from verifier.checkpoint import Checkpoint
from verifier.durable import write_atomically
from verifier.entry import entry_time
from verifier.errors import DamagedError, MalformedError
from verifier.own import FREEZE
from verifier.source import CHECKPOINT, Directory, Source, Url

Watch = Callable[[int, int], None]


def backup(folder: Path, dest: Path, *, watch: Watch | None = None) -> Head:
    """Copy the log in `folder` to `dest`, and verify all of the copy."""
    if folder.resolve() in (dest.resolve(), *dest.resolve().parents):
        raise Refused("folder", f"{dest} is in the log's own folder; name another one")
    with made_whole(dest) as beside:
        with look(folder) as seen:
            copy_store(seen.store, beside / "store", role=COPY)
            # Where an anchor elsewhere is silent nothing is signed, and yet copied.
            with suppress(Held):
                write_atomically(beside / "checkpoint", seen.checkpoint())
            for name in ("policy.txt", "log.toml"):
                if (folder / name).exists():
                    write_atomically(beside / name, (folder / name).read_bytes())
        with mended_by(folder):
            return verify_store(
                beside / "store", called=f"the log in {folder}", watch=watch
            )


def verify_store(folder: Path, *, called: str = "", watch: Watch | None = None) -> Head:
    """The head of the store in `folder`, if all of it is sound, every byte of it."""
    check_structure(folder / DATA)
    store = LmdbStore(folder, readonly=True)
    try:
        with store.snapshot() as snapshot:
            head = snapshot.head()
        # As it was made: entries of an opaque log may look like those of another kind.
        kind = "record" if store.charter.kind == "record" else "opaque"
        verify_log(StoreSource(store), tree_of(store, head), kind=kind, watch=watch)
        if says := wrong_head(store, head):
            raise DamagedError(says)
    except DamagedError as error:
        raise Held("damaged", f"{called or folder}: {error}") from None
    finally:
        store.close()
    return head


def wrong_head(store: LmdbStore, head: Head) -> str:
    """What the head of a record log says otherwise than its newest entry, if anything.

    That there may be no more entries, and since when, is under no hash; a bit that
    changes there would end a log, or go on with one that has ended.
    """
    if store.charter.kind != "record" or not head.size:
        return ""
    try:
        with store.snapshot() as snapshot:
            (newest,) = snapshot.entries(head.size - 1, head.size)
        at = entry_time(newest)
    except (WrongBytes, MalformedError, ValueError):
        return ""  # the audit names it
    if own_members(newest).get("kind") == FREEZE and not head.frozen:
        return "the head says that the log goes on, and its newest entry ends it"
    if head.at != at and not (head.frozen and head.at > at):
        return f"the head has the time {head.at}, and the newest entry {at}"
    return ""


def tree_of(store: LmdbStore, head: Head) -> Checkpoint:
    """What a checkpoint of this head would say."""
    return Checkpoint(origin=store.charter.origin, size=head.size, root=head.root)


@contextmanager
def open_copy(where: str, token: str | None = None) -> Iterator[Source]:
    """A copy of a log to read from: a backup's folder, an exported one, an address."""
    if _is_address(where):
        source: Source = Url(where, token)
    elif (Path(where) / "store" / DATA).exists():
        # A file from elsewhere: LMDB is not let near pages that are out of place.
        check_structure(Path(where) / "store" / DATA)
        store = LmdbStore(Path(where) / "store", readonly=True)
        try:
            yield StoreSource(store)
        finally:
            store.close()
        return
    elif (Path(where) / CHECKPOINT).exists() or (Path(where) / "tile").is_dir():
        source = Directory(Path(where))
    else:
        says = f"{where} is neither a backup nor an exported log, nor an address"
        raise Refused("copy", says)
    try:
        yield source
    finally:
        source.close()


def checkpoint_with(where: str, token: str | None = None) -> bytes | None:
    """The checkpoint that lies with a copy, unverified, if there is one."""
    source: Source = Directory(Path(where))
    if _is_address(where):
        source = Url(where, token)
    try:
        return source.read(CHECKPOINT, note.MAX_BYTES)
    finally:
        source.close()


def _is_address(where: str) -> bool:
    return where.startswith(("http://", "https://"))
