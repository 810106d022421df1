"""restore: the only way in which a copy becomes a log that is written to.

What decides is what was promised: the tree that the anchor holds, and the
checkpoints that somebody outside has. A store that does not contain them all is
never put in place; nor is one before the targets were asked. The old one is kept
beside it, under another name. A restore that ends without leaving a store in place
that has it all leaves what it was shown, and the log that is there is held by it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from ledger.errors import Held, Refused
from ledger.keys.keyfile import KeyFile, read_key_file
from ledger.log.anchor import Anchored, claimed, write_anchor
from ledger.log.home import Home
from ledger.log.lock import Lock
from ledger.log.promised import forget
from ledger.log.recovery import check_outside, check_store, open_signer
from ledger.log.states import mended_by
from ledger.store import Head
from ledger.store.disk import file_identity, sync_path
from ledger.store.environment import DATA
from ledger.store.lmdb import LmdbStore
from ledger.upkeep.beginning import (
    ASIDE,
    BUILDING,
    begin,
    begin_empty,
    charter_left,
    own_stores,
)
from ledger.upkeep.copies import Watch, open_copy, verify_store
from ledger.upkeep.papers import papers_of
from ledger.upkeep.promises import (
    Evidence,
    Promise,
    check_goal,
    check_not_older,
    check_promises,
    goal_of,
    is_frozen,
    is_hearsay,
    read_promises,
)
from ledger.upkeep.rebuild import end, extend, open_writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What `restore` has done."""

    head: Head
    promises: Sequence[Promise]
    """What the new store was held against, and has."""
    built: bool
    """Whether the store was built from copies, or is the one that was there."""
    aside: Path | None = None
    """Where the old store is kept, if another one took its place."""
    unidentified: int = 0
    """For how many entries nobody knows any more who handed them in."""
    hearsay: bool = False
    """Whether only the copies say that nothing newer was ever promised."""
    written: Sequence[str] = ()
    """What was not in the folder and is now, and where it is from."""


def restore(
    folder: Path, evidence: Evidence, *, watch: Watch | None = None
) -> Restored:
    """Put the log in `folder` in order, from its own store or from copies."""
    with mended_by(folder):
        if not folder.is_dir():
            raise Held(
                "absent",
                f"there is no folder {folder}",
                mend=f"mkdir -m 700 {quote(str(folder))}, put the log's key file in it "
                "with mode 0600, and repeat",
            )
        lock = Lock(folder)
        try:
            # Whoever writes has the anchor, also where the lock file is another one.
            with claimed(Home.at(folder).anchor) as claim:
                return _restore(folder, evidence, watch, claim)
        finally:
            lock.release()


def _restore(
    folder: Path, evidence: Evidence, watch: Watch | None, claim: int | None
) -> Restored:
    papers = papers_of(folder, evidence.copies)
    home = papers.home
    keys = read_key_file(home.key)
    promises = read_promises(home, keys, evidence)
    left = own_stores(folder)
    built = bool(evidence.copies) or (bool(left) and left != [home.store])
    aside, unidentified = None, 0
    if built:
        with _building(folder) as beside:
            unidentified = _build(home, keys, beside, evidence, promises)
            verify_store(beside, watch=watch)
            head, anchored = _hold(home, beside, evidence.without, promises)
            aside = _put_in_place(home, beside)
    else:
        if not left:
            raise _gone(folder, keys)
        head, anchored = _hold(home, home.store, evidence.without, promises)
        check_not_older(head, promises)
    written = papers.write(keys)
    write_anchor(home.anchor, anchored.at(head), claim)
    forget(home)
    _clean(folder)
    return Restored(
        head=head,
        promises=promises,
        built=built,
        aside=aside,
        unidentified=unidentified,
        hearsay=is_hearsay(promises, evidence.copies),
        written=written,
    )


def _gone(folder: Path, keys: KeyFile) -> Held:
    return Held(
        "absent",
        f"the store of {keys.origin} is gone from {folder}",
        mend=f"provlog restore {quote(str(folder))} --from COPY; make no new log of "
        "this name",
    )


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """A new store beside the old one; gone again, unless it was put in place."""
    beside = folder / f"{BUILDING}{secrets.token_hex(8)}"
    before = (folder / "store").exists()
    try:
        yield beside
    except BaseException:
        # Between its two names it is all there is, and whole: the next one takes it.
        if not before or (folder / "store").exists():
            shutil.rmtree(beside, ignore_errors=True)
        raise


def _build(
    home: Home,
    keys: KeyFile,
    beside: Path,
    evidence: Evidence,
    promises: Sequence[Promise],
) -> int:
    """Build the store `beside` from all there is; for how many nobody is known."""
    copies = list(dict.fromkeys(evidence.copies))
    # Before any of them is open: LMDB opens a file once in a process.
    begun = begin(home.folder, beside, keys, evidence, promises)
    stores = [*own_stores(home.folder), *(Path(each) / "store" for each in copies)]
    left = None if begun else charter_left(stores, keys)
    with ExitStack() as stack:
        sources = [
            stack.enter_context(open_copy(each, evidence.token)) for each in copies
        ]
        if not begun:
            begin_empty(beside, keys, evidence, sources, left)
        store = open_writer(beside)
        stack.callback(store.close)
        built = extend(store, goal_of(promises), sources)
        for each in promises:
            _check_promise(store, each)
        if is_frozen(promises):
            end(store)
    return built.unidentified


def _check_promise(store: LmdbStore, promise: Promise) -> None:
    """As check_goal, for a store that was put together from copies."""
    try:
        check_goal(store, promise.tree)
    except Held:
        raise Refused(
            "copy",
            f"the copies do not lead to the tree of size {promise.tree.size} that "
            f"{promise.who} has: they are damaged, or of another log",
        ) from None


def _hold(
    home: Home, folder: Path, without: Collection[str], promises: Sequence[Promise]
) -> tuple[Head, Anchored]:
    """Hold the store in `folder` against all that was promised, here and outside."""
    store = LmdbStore(folder, readonly=True, map_bytes=home.config.map_bytes)
    try:
        head = check_store(store)
        check_promises(store, head, promises)
        check_outside(home, store, open_signer(home, store), without)
        # A file keeps its identity when it gets another name.
        data = file_identity(folder / DATA)
        return head, Anchored(genesis=store.charter.genesis, data=data)
    finally:
        store.close()


def _put_in_place(home: Home, beside: Path) -> Path | None:
    """Give the new store its name; where the old one is kept."""
    aside = None
    if home.store.exists():
        aside = home.folder / f"{ASIDE}{secrets.token_hex(4)}"
        os.rename(home.store, aside)
        sync_path(home.folder)
    # A crash between the two leaves no store: the next restore finds both.
    os.rename(beside, home.store)
    sync_path(home.folder)
    return aside


def _clean(folder: Path) -> None:
    """Remove what restores have left that were ended before they were done."""
    for name in os.listdir(folder):
        if name.startswith(BUILDING):
            shutil.rmtree(folder / name, ignore_errors=True)
