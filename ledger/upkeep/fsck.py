"""fsck: every byte of a log held against every other, and what is wrong named.

The entries, tiles and root are the auditor's to judge: the same code, over the
store. Beside them there is what no auditor sees: the structure of the data file,
the head, the rows that say where an identity stands, anchor and key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Final

from ledger.errors import Held
from ledger.log.anchor import Anchored, read_anchor
from ledger.log.home import Home
from ledger.log.lock import Lock, is_locked
from ledger.log.look import Look, look
from ledger.log.promised import check_promised
from ledger.log.reading import Tree
from ledger.log.recovery import check_anchor, check_store, open_signer
from ledger.log.states import held, mended_by
from ledger.store import COPY, LogStore
from ledger.upkeep.copies import wrong_head
from ledger.upkeep.repair import Repair
from ledger.upkeep.rows import Row, right_rows, rows_of, wrong_rows
from ledger.upkeep.source import Sparing, StoreSource
from ledger.upkeep.structure import check_reachable, look_at_structure
from verifier.audit import Outcome, audit
from verifier.checkpoint import Checkpoint
from verifier.damage import unanswered
from verifier.source import Source

Watch = Callable[[int, int], None]

MOST_ROWS: Final = 1000
"""How many wrong rows are named one by one."""
NOT_DAMAGE: Final = frozenset({"copy", "frozen"})
"""States in which a log does not write, and is as it has to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What fsck has found."""

    origin: str
    tree: Tree
    outcome: Outcome
    head: str
    """What is wrong with the head; empty if nothing is."""
    rows: Sequence[Row]
    holds: Sequence[Held]
    """What keeps the log from being written to, also where nothing is damaged."""
    structure: bool
    """Whether the pages were looked at; not where another process writes."""

    @property
    def sound(self) -> bool:
        """Whether all that is stored is what it has to be."""
        wrong = [each for each in self.holds if each.state not in NOT_DAMAGE]
        lost = [row for row in self.rows if row.identity]
        return not (self.outcome.damage or self.head or lost or wrong)


def fsck(folder: Path, *, watch: Watch | None = None) -> Checkup:
    """Check all of the log in `folder`; a log that is written to stays usable.

    Raises Held if it cannot be opened, or if pages of its data file are out of place.
    """
    try:
        with mended_by(folder):
            looked = look_at_structure(folder)
            check_reachable(folder)
        with look(folder) as seen:
            return _check(seen, watch, structure=looked)
    except Held as error:
        if error.state != "damaged":
            raise
        # Repair needs a store that can be opened; restoring builds another one.
        mend = f"provlog restore {quote(str(folder))} --from COPY"
        raise Held(error.state, str(error), mend=mend) from None


def _check(seen: Look, watch: Watch | None, *, structure: bool) -> Checkup:
    store, tree, head = seen.store, _tree(seen), ""
    if tree is not seen.head:
        head = (
            f"it says size {seen.head.size} and root {seen.head.root.hex()}; anchored, "
            f"as the same batch, is size {tree.size} and root {tree.root.hex()}"
        )
    origin = store.charter.origin
    outcome = audit(
        StoreSource(store),
        Checkpoint(origin=origin, size=tree.size, root=tree.root),
        kind="record" if store.charter.kind == "record" else "opaque",
        watch=watch,
    )
    # Of a log that is not there, as far as can be seen, no rows are looked for.
    rows = [] if unanswered(outcome.damage) else wrong_rows(store, tree.size)
    return Checkup(
        origin=origin,
        tree=tree,
        outcome=outcome,
        head=head or wrong_head(store, seen.head),
        rows=list(islice(rows, MOST_ROWS)),
        holds=list(_holds(seen)),
        structure=structure,
    )


def _tree(seen: Look) -> Tree:
    """The tree to hold the store against: the head's, unless it must be another."""
    try:
        anchored = read_anchor(seen.home.anchor)
    except Held:
        return seen.head
    of_this = (
        anchored.genesis == seen.store.charter.genesis
        and anchored.batch == seen.head.batch
        and not seen.live
    )
    same = (anchored.size, anchored.root) == (seen.head.size, seen.head.root)
    return anchored if of_this and not same else seen.head


def _holds(seen: Look) -> Iterator[Held]:
    """The states of store, anchor and key, each looked at for itself."""

    def anchor() -> Anchored:
        live = is_locked(seen.home.folder)
        found = read_anchor(seen.home.anchor)
        # The head after it, so that it is not behind where another process writes.
        with seen.store.snapshot() as snapshot:
            head = snapshot.head()
        # A writer may have started, or ended, while this was read.
        live = live or is_locked(seen.home.folder)
        if not live and read_anchor(seen.home.anchor) != found:
            return anchor()
        check_anchor(found, seen.home, seen.store, head, live=live)
        return found

    def promised() -> None:
        keys = open_signer(seen.home, seen.store).verifier_keys()
        check_promised(seen.home, seen.store, keys)

    looks: list[Callable[[], object]] = [lambda: check_store(seen.store)]
    if seen.store.role != COPY:
        looks += [anchor, promised]
    for each in looks:
        try:
            with mended_by(seen.home.folder):
                each()
        except Held as error:
            yield error
    if seen.head.frozen:
        says = f"the log has ended, at size {seen.head.size}"
        yield held("frozen", says, seen.home.folder)


def repair(
    folder: Path, checkup: Checkup, copies: Sequence[Source]
) -> Iterator[tuple[str, bool]]:
    """Mend what `checkup` found; say of each place whether it is right now.

    The rows are written again after the entries, from which they follow; head,
    anchor and key are mended by restoring.
    """
    spared = [
        each if isinstance(each, StoreSource) else Sparing(each) for each in copies
    ]
    with mended_by(folder):
        home = Home.at(folder)
        lock = Lock(folder)
        try:
            store = home.open_store(readonly=False)
            try:
                paths = [each.path for each in checkup.outcome.damage]
                broken = [path for path in paths if path.startswith("tile/")]
                for path, whole in _mend(store, checkup.tree, spared, broken).items():
                    yield path, whole
                    if whole:
                        broken = [each for each in broken if each != path]
                if checkup.rows and not broken:
                    yield from _mend_rows(store, checkup, copies)
            finally:
                store.close()
        finally:
            lock.release()


def _mend(
    store: LogStore, tree: Tree, copies: Sequence[Source], broken: Sequence[str]
) -> dict[str, bool]:
    """What came of each place. One that is whole may help to mend the one above it."""
    outcome: dict[str, bool] = {}
    while broken:
        outcome |= dict(Repair(store, tree, copies).run(broken))
        left = [path for path, whole in outcome.items() if not whole]
        if set(left) == set(broken):
            break
        broken = left
    return outcome


def _mend_rows(
    store: LogStore, checkup: Checkup, copies: Sequence[Source]
) -> Iterator[tuple[str, bool]]:
    size = checkup.tree.size
    if store.charter.kind == "record":
        rows = rows_of(store, size)
    else:
        others = [each.store for each in copies if isinstance(each, StoreSource)]
        rows = right_rows(store, size, others)
    # Read before anything is dropped: what is right now is all that there may be.
    store.index(list(rows), drop=True)
    yield "the rows of identities", not list(wrong_rows(store, size))
