"""What is looked at before a log is written to, and what a crash has left to do.

None of it takes longer for a larger log: the edge of the tree, the newest
entries, the anchor, the key, the clock, and those who keep copies. Only one thing
is ever repaired here: a head that is one batch ahead of its anchor, which is what
a crash between the two leaves. A store that is behind its anchor is never normal.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from ledger.clock import Instant
from ledger.config import NAME
from ledger.errors import Held, WrongBytes
from ledger.keys.keyfile import read_key_file
from ledger.keys.signer import Signer
from ledger.log.anchor import Anchored
from ledger.log.home import Home
from ledger.log.published import check_published
from ledger.log.reading import Reading, root_at
from ledger.log.remote import RemoteAnchors
from ledger.log.resuming import confirmed_ms
from ledger.log.selfcheck import stored_root
from ledger.log.signing import sign_anchored
from ledger.log.targets import ask_targets
from ledger.log.witnesses import ask_witnesses
from ledger.store import COPY, Head, LogStore
from ledger.store.disk import file_identity
from ledger.tree import Frontier
from verifier.policy import name_text

TAIL_ENTRIES: Final = 4096
"""How many of the newest entries are hashed again when a log is opened."""
BACKWARD_MS: Final = 5_000
DAY_MS: Final = 86_400_000
WARN_DAYS: Final = 7


def check_store(store: LogStore) -> Head:
    """The head, if edge, root and newest entries agree with it."""
    if store.role == COPY:
        raise Held("copy", "this is a copy of a log; a copy is never appended to")
    try:
        with store.snapshot() as snapshot:
            head = snapshot.head()
            frontier = Frontier.load(head.size, snapshot.tile)
            second = stored_root(snapshot, head.size)
        if not frontier.root() == second == head.root:
            raise Held(
                "damaged", "the tiles at the edge do not lead to the head's root"
            )
        start = max(0, head.size - TAIL_ENTRIES)
        if start < head.size:
            Reading(store, lambda: head).entries(start, head.size)
    except (ValueError, WrongBytes) as error:
        raise Held(
            "damaged", f"the newest part of the log is damaged: {error}"
        ) from None
    return head


def check_anchor(
    held: Anchored, home: Home, store: LogStore, head: Head, *, live: bool = False
) -> None:
    """Return if the anchor is this log's, of these files, at most one batch behind.

    In a `live` log, to which another process writes, it was read before the head.
    """
    if held.genesis != store.charter.genesis:
        raise Held("wrong_log", f"{home.anchor} is the anchor of another log")
    where = f"the anchor has batch {held.batch} and size {held.size}"
    here = f"the store has batch {head.batch} and size {head.size}"
    if (
        head.batch < held.batch
        or head.size < held.size
        or (held.frozen and not head.frozen)
    ):
        raise Held(
            "rollback", f"{where}, and {here}: it was put back to an older state"
        )
    if head.batch > held.batch + 1 and not live:
        raise Held("anchor_behind", f"{where}, and {here}: the anchor is an old one")
    with store.snapshot() as snapshot:
        same = head.batch != held.batch or head.size == held.size
        if not same or root_at(snapshot, held.size, head) != held.root:
            raise Held("forked", f"{where}, with a root that the store never had")
    if held.file != file_identity(home.anchor):
        raise Held(
            "cloned",
            f"{home.anchor} is a copy of an anchor: this folder was copied or moved, "
            "and the original may still be written to",
        )
    if held.data != home.data_identity():
        raise Held(
            "replaced",
            f"the data file in {home.store} is not the one that was anchored, "
            "though it has the same tree",
        )


def open_signer(home: Home, store: LogStore) -> Signer:
    """The log's keys, if they are this log's."""
    keys = read_key_file(home.key)
    charter = store.charter
    if keys.genesis != charter.genesis or keys.origin != charter.origin:
        raise Held(
            "wrong_key",
            f"{home.key} belongs to {keys.origin} (genesis {keys.genesis.hex()}), and "
            f"this log is {charter.origin} (genesis {charter.genesis.hex()})",
        )
    return Signer(keys, charter.kind, int(home.config.receipt_algorithm))


def check_clock(home: Home, head: Head, now: Instant) -> str:
    """Return if the clock can be right; a warning, if it may be wrong."""
    behind = head.at - now.wall_ms
    if behind > BACKWARD_MS and not 0 < confirmed_ms(home.folder) <= now.wall_ms:
        raise Held(
            "clock",
            f"the clock is {behind / 1000:.0f} s before the newest entry; either it is "
            "wrong now, or it was then",
        )
    ahead = -behind if head.at else 0
    most = home.config.hold_when_ahead_days
    says = f"the clock is {ahead // DAY_MS} days ahead of the newest entry"
    if most and ahead >= most * DAY_MS and not head.at < confirmed_ms(home.folder):
        raise Held("clock", says)
    return says if ahead > WARN_DAYS * DAY_MS else ""


def shown(store: LogStore, held: Anchored | None) -> Head:
    """What may be read of a log that does not write: nothing above its anchor."""
    with store.snapshot() as snapshot:
        head = snapshot.head()
        if not held or held.size >= head.size or held.genesis != store.charter.genesis:
            return head
        # What it vouches for, and what is damaged, is for each reading to find out.
        return Head(
            batch=held.batch, size=held.size, root=held.root, frozen=held.frozen
        )


def check_outside(
    home: Home,
    store: LogStore,
    signer: Signer,
    without: Collection[str],
    remote: RemoteAnchors | None = None,
) -> None:
    """Return if nobody who keeps a copy, or an anchor, is ahead of us, or silent.

    Who goes on to write hands in its own `remote`, which remembers the answers.
    """
    check_names(home, without)
    check_published(home, store, signer.verifier_keys())
    ask_targets(
        home.config.targets,
        folder=home.folder,
        store=store,
        keys=signer.verifier_keys(),
        without=without,
    )
    if remote:
        remote.check(store)
        return
    with RemoteAnchors.of(home, store.charter.origin, without) as asked:
        asked.check(store)


def check_witnesses(
    home: Home,
    reading: Reading,
    signer: Signer,
    held: Anchored,
    without: Collection[str],
) -> None:
    """Return if no witness has cosigned a newer tree than `held`, or another one."""
    ask_witnesses(
        home.whom_to_believe(),
        held_note=sign_anchored(signer, held),
        root_at=reading.root,
        reach=home.config.reach,
        without=without,
        timeout_s=home.config.witness_timeout_ms / 1000,
    )


def check_names(home: Home, without: Collection[str]) -> None:
    """Return if each of `without` names somebody who would be asked."""
    witnesses = map(name_text, home.whom_to_believe().witnesses)
    known = {*home.config.targets, *home.config.anchors, *witnesses}
    if strange := sorted(set(without) - known):
        says = f"--without {', '.join(strange)}: that is no target and no anchor in "
        raise Held("config", f"{says}{NAME}, and no witness in {home.policy}")
