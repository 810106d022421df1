"""What was promised before a log is put in order: what is put in place has all of it.

The anchor promises, and every signed checkpoint that somebody has: those that are
given, and those that lie with the copies. A store may be beyond them by the one
batch that a crash leaves without its anchor, and by no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from shlex import join
from typing import Final

from ledger.errors import Held, Refused
from ledger.keys.keyfile import KeyFile
from ledger.log.anchor import Anchored, read_anchor
from ledger.log.home import Home
from ledger.log.promised import remember, remembered
from ledger.log.reading import Tree
from ledger.log.selfcheck import stored_root
from ledger.log.targets import read_own
from ledger.store import Head, LogStore
from ledger.store.disk import file_identity
from ledger.upkeep.copies import checkpoint_with
from verifier.errors import VerificationError

NEW_ORIGIN: Final = (
    "; if nobody has it, this origin cannot go on, and another takes its place: "
    "provlog restore NEWDIR --from COPY --origin NAME"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was promised before: nothing that contradicts it is ever put in place."""

    checkpoints: Sequence[bytes] = ()
    """Signed checkpoints, from outside: the newest that anybody has."""
    copies: Sequence[str] = ()
    """Where entries can be read from: backups, exports, mirrors."""
    token: str | None = None
    """What lets in at the one address among the copies, if it asks for a token."""
    moved: bool = False
    """Somebody vouches that this folder was moved here, and the other one is gone."""
    without: Collection[str] = ()
    kind: str | None = None
    dedupe: bool | None = None
    """What the log was made as, for when nothing that is left says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A tree that was shown to somebody, or may have been."""

    who: str
    tree: Tree
    given: bool = False
    """Whether somebody has handed it in, from outside."""


def read_promises(home: Home, keys: KeyFile, evidence: Evidence) -> list[Promise]:
    """The trees that have to be in what is put in place; there is at least one.

    What is shown is remembered first: whatever becomes of this restore, nobody writes
    here without it.
    """
    public = [key.verifier_key for key in keys.keys]
    shown = list(_shown(home, keys, evidence))
    kept = [
        Promise(who=f"an earlier restore was shown ({path})", tree=tree)
        for path, tree in remembered(home, keys.origin, public)
        if all((tree.size, tree.root) != (x.tree.size, x.tree.root) for x in shown)
    ]
    anchored = _anchored(home, keys, evidence)
    return [*([anchored] if anchored else []), *shown, *kept]


def _shown(home: Home, keys: KeyFile, evidence: Evidence) -> Iterator[Promise]:
    public = [key.verifier_key for key in keys.keys]
    for data in evidence.checkpoints:
        try:
            tree = read_own(data, keys.origin, public)
        except VerificationError as error:
            says = f"that is no checkpoint of {keys.origin}: {error}"
            raise Refused("checkpoint", says) from None
        remember(home, data, tree)
        yield Promise(who="a checkpoint", tree=tree, given=True)
    for copy in evidence.copies:
        # What lies with a copy was shown to somebody, if one of our keys has signed
        # it. A key that was let go leaves checkpoints that nobody can tell from others.
        with suppress(VerificationError):
            if found := checkpoint_with(copy, evidence.token):
                tree = read_own(found, keys.origin, public)
                remember(home, found, tree)
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
                mend=_with_newest(home, evidence),
            ) from None
        return None
    if held.genesis != keys.genesis:
        raise Held("wrong_log", f"{home.anchor} is the anchor of another log")
    if held.file != file_identity(home.anchor) and not evidence.moved:
        raise Held("cloned", f"{home.anchor} is a copy of an anchor")
    return Promise(who="the anchor", tree=held)


def _with_newest(home: Home, evidence: Evidence) -> str:
    """The restore that was asked for, with what it lacks."""
    words = ["provlog", "restore", str(home.folder)]
    for copy in evidence.copies:
        words += ["--from", copy]
    for target in evidence.without:
        words += ["--without", target]
    words += ["--moved"] if evidence.moved else []
    words += ["--entries", evidence.kind] if evidence.kind else []
    return f"{join(words)} --checkpoint NEWEST"


def goal_of(promises: Sequence[Promise]) -> Tree:
    """The largest tree that was promised."""
    return max((each.tree for each in promises), key=lambda tree: tree.size)


def is_frozen(promises: Sequence[Promise]) -> bool:
    """Whether it was promised that the log has ended."""
    return any(
        isinstance(each.tree, Anchored) and each.tree.frozen for each in promises
    )


def is_hearsay(promises: Sequence[Promise], copies: Sequence[str]) -> bool:
    """Whether only the copies say that there is nothing newer than the copies."""
    if not copies or any(isinstance(each.tree, Anchored) for each in promises):
        return False
    return not goal_of(promises).size > max(
        (each.tree.size for each in promises if not each.given), default=0
    )


def check_promises(store: LogStore, head: Head, promises: Sequence[Promise]) -> None:
    """Return if what is in `store` has all of them, and is hardly beyond them."""
    for each in promises:
        check_goal(store, each.tree)
    if is_frozen(promises) and not head.frozen:
        raise Held(
            "rollback", "the log had ended, says its anchor, and the store goes on"
        )
    given = any(each.given for each in promises)
    if head.size <= goal_of(promises).size or given:
        return
    # Batches are counted anew in a store that is built again; sizes never are.
    if not any(
        isinstance(each.tree, Anchored) and head.batch == each.tree.batch + 1
        for each in promises
    ):
        raise Held(
            "anchor_behind",
            f"the store has {head.size} entries, and the anchor is older than its "
            "last batch, so it is no word on what was promised last; give the newest "
            "checkpoint that anybody has",
        )


def check_not_older(head: Head, promises: Sequence[Promise]) -> None:
    """Return unless the store in place lacks a batch that brought no entries.

    That was the last batch, which ended the log.
    """
    for each in promises:
        held = each.tree
        if not isinstance(held, Anchored) or head.size != held.size:
            continue
        if head.batch < held.batch:
            raise Held(
                "rollback",
                f"the store has batch {head.batch}, and the anchor batch {held.batch} "
                "of the same size: the log had ended, and the store is from before",
            )


def check_goal(store: LogStore, goal: Tree) -> None:
    """Return if the tree in `store` begins with the tree `goal`."""
    with store.snapshot() as snapshot:
        size = snapshot.head().size
        if size < goal.size:
            raise Held(
                "rollback",
                f"there are {size} entries, and {goal.size} were promised; name a copy "
                f"that has the rest: an export, a mirror, a newer backup{NEW_ORIGIN}",
            )
        if stored_root(snapshot, goal.size) != goal.root:
            raise Held(
                "forked",
                f"the first {goal.size} entries are not those that were promised",
            )


def is_beginning(store: LogStore, head: Head, promises: Sequence[Promise]) -> bool:
    """Whether nothing in `store` contradicts what was promised, as far as it goes."""
    with store.snapshot() as snapshot:
        return all(
            stored_root(snapshot, each.tree.size) == each.tree.root
            for each in promises
            if each.tree.size <= head.size
        )
