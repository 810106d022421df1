"""restore: the only way in which a copy becomes a log that is written to.

What decides is what was promised: the tree that the anchor holds, and the
checkpoints that somebody outside has. A store that does not contain them all is
never put in place. The old one is kept beside it, under another name.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import Held, Refused
from ledger.keys.keyfile import KeyFile, read_key_file
from ledger.keys.signer import Signer
from ledger.log.anchor import Anchored, read_anchor, write_anchor
from ledger.log.home import Home
from ledger.log.lock import Lock
from ledger.log.reading import Tree
from ledger.log.recovery import check_outside, check_store, open_signer
from ledger.log.states import mended_by
from ledger.log.targets import read_own
from ledger.store import Head
from ledger.store.disk import file_identity, sync_folder
from ledger.store.lmdb import LmdbStore
from ledger.upkeep.copies import Watch, checkpoint_with, open_copy, verify_store
from ledger.upkeep.rebuild import (
    Rebuilt,
    begin,
    begin_empty,
    check_goal,
    extend,
    open_writer,
)
from verifier.errors import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was promised before: nothing that contradicts it is ever put in place."""

    checkpoints: Sequence[bytes] = ()
    """Signed checkpoints, from outside: the newest that anybody has."""
    copies: Sequence[str] = ()
    """Where entries can be read from: backups, exports, mirrors."""
    moved: bool = False
    """Somebody vouches that this folder was moved here, and the other one is gone."""
    without: Collection[str] = ()
    kind: str | None = None
    dedupe: bool = False
    """What the log was made as, for when nothing that is left says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A tree that was shown to somebody, or may have been."""

    who: str
    tree: Tree


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


def restore(
    folder: Path, evidence: Evidence, *, watch: Watch | None = None
) -> Restored:
    """Put the log in `folder` in order, from its own store or from copies."""
    with mended_by(folder):
        home = Home.at(folder)
        if not folder.is_dir():
            raise Held("absent", f"there is no folder {folder}")
        lock = Lock(folder)
        try:
            keys = read_key_file(home.key)
            promises = list(_promises(home, keys, evidence))
            aside, unidentified = None, 0
            if evidence.copies:
                aside, built = _rebuild(home, keys, evidence, promises, watch)
                unidentified = built.unidentified
            head = _anchor_anew(home, evidence, promises)
        finally:
            lock.release()
    return Restored(
        head=head,
        promises=promises,
        built=bool(evidence.copies),
        aside=aside,
        unidentified=unidentified,
    )


def _promises(home: Home, keys: KeyFile, evidence: Evidence) -> Iterator[Promise]:
    """The trees that have to be in what is put in place; there is at least one."""
    if promise := _anchored(home, keys, evidence):
        yield promise
    signer = Signer(keys)
    for data in evidence.checkpoints:
        try:
            tree = read_own(data, signer.origin, signer.verifier_keys())
        except VerificationError as error:
            says = f"that is no checkpoint of {keys.origin}: {error}"
            raise Refused("checkpoint", says) from None
        yield Promise(who="a checkpoint", tree=tree)
    for copy in evidence.copies:
        # What lies with a copy was shown to somebody, if one of our keys has signed
        # it. A key that was let go leaves checkpoints that nobody can tell from others.
        with suppress(VerificationError):
            if found := checkpoint_with(copy):
                tree = read_own(found, signer.origin, signer.verifier_keys())
                yield Promise(who=copy, tree=tree)


def _anchored(home: Home, keys: KeyFile, evidence: Evidence) -> Promise | None:
    try:
        held = read_anchor(home.anchor)
    except Held as error:
        if not evidence.checkpoints:
            raise Held(
                error.state,
                f"{error}; without an anchor it takes a checkpoint from outside, the "
                "newest that anybody has: a witness, a target, a receipt",
            ) from None
        return None
    if held.genesis != keys.genesis:
        raise Held("wrong_log", f"{home.anchor} is the anchor of another log")
    if held.file != file_identity(home.anchor) and not evidence.moved:
        raise Held("cloned", f"{home.anchor} is a copy of an anchor")
    return Promise(who="the anchor", tree=held)


def _rebuild(
    home: Home,
    keys: KeyFile,
    evidence: Evidence,
    promises: Sequence[Promise],
    watch: Watch | None,
) -> tuple[Path | None, Rebuilt]:
    """Build a store from the copies, verify it, and put it where the old one was."""
    goal = max((each.tree for each in promises), key=lambda tree: tree.size)
    beside = home.folder / f".store.{secrets.token_hex(8)}"
    copies = list(dict.fromkeys(evidence.copies))
    try:
        with ExitStack() as stack:
            found = begin([*map(Path, copies), home.folder], beside)
            sources = [stack.enter_context(open_copy(each)) for each in copies]
            if not found:
                begin_empty(
                    beside, keys, sources, kind=evidence.kind, dedupe=evidence.dedupe
                )
            store = open_writer(beside)
            stack.callback(store.close)
            if store.charter.genesis != keys.genesis:
                raise Held("wrong_log", "the copies are of another log than the key")
            built = extend(store, goal, sources)
            for each in promises:
                _check_promise(store, each)
        verify_store(beside, watch=watch)
        aside = None
        if home.store.exists():
            aside = home.folder / f"store.old-{secrets.token_hex(4)}"
            os.rename(home.store, aside)
        # A crash between the two leaves no store: the same command does it again.
        os.rename(beside, home.store)
        sync_folder(home.folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return aside, built


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


def _anchor_anew(home: Home, evidence: Evidence, promises: Sequence[Promise]) -> Head:
    """Hold the store against everything that was promised, and anchor its head."""
    with _store(home) as store:
        head = check_store(store)
        for each in promises:
            check_goal(store, each.tree)
            stale = isinstance(each.tree, Anchored) and head.batch > each.tree.batch + 1
            if stale and not evidence.checkpoints and not evidence.copies:
                raise Held(
                    "anchor_behind",
                    "the anchor is older than the store, so it is no word on what was "
                    "promised last; give the newest checkpoint that anybody has",
                )
        check_outside(home, store, open_signer(home, store), evidence.without)
        anchored = Anchored(genesis=store.charter.genesis, data=home.data_identity())
    write_anchor(home.anchor, anchored.at(head))
    return head


@contextmanager
def _store(home: Home) -> Iterator[LmdbStore]:
    store = home.open_store(readonly=True)
    try:
        yield store
    finally:
        store.close()
