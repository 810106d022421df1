"""A log, looked at without the right to write: also while another process writes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.errors import Held
from ledger.keys.signer import Signer
from ledger.log.anchor import Anchored, read_anchor
from ledger.log.home import Home
from ledger.log.lock import is_locked
from ledger.log.promised import check_promised
from ledger.log.reading import Reading, Tree
from ledger.log.recovery import check_anchor, check_store, open_signer
from ledger.log.remote import RemoteAnchors
from ledger.log.signing import sign_anchored
from ledger.log.states import mended_by
from ledger.store import Head
from ledger.store.lmdb import LmdbStore

_LOOKS: Final = 3
_MOVING: Final = frozenset({"anchor_behind", "anchor_damaged"})
"""What anchor and store look like, too, while a writer is starting."""


@dataclass(slots=True)
class Look:
    """What was seen. `hold` says what keeps the log from being signed or written."""

    home: Home
    store: LmdbStore
    live: bool
    head: Head
    held: Anchored | None = None
    signer: Signer | None = None
    hold: Held | None = None

    @property
    def newest(self) -> Tree:
        """The newest tree that may be shown: the anchored one, where there is one."""
        return self.held or self.head

    @property
    def reading(self) -> Reading:
        """Checked reading, up to that tree."""
        return Reading(self.store, lambda: self.newest)

    def checkpoint(
        self, *, time: int | None = None, without: Collection[str] = ()
    ) -> bytes:
        """The anchored tree, signed, unless something speaks against it.

        Anchors elsewhere that are named in `without` are not asked.
        """
        if self.hold or not self.signer or not self.held:
            raise self.hold or Held("halted", "the log cannot sign")
        # Our own anchor has a batch before those elsewhere do, or after a crash alone.
        origin = self.store.charter.origin
        with (
            mended_by(self.home.folder),
            RemoteAnchors.of(self.home, origin, without) as remote,
        ):
            remote.confirm(self.held)
        return sign_anchored(self.signer, self.held, time=time)


@contextmanager
def look(folder: Path) -> Iterator[Look]:
    """Look at the log in `folder`; raises Held where there is nothing to read."""
    with mended_by(folder):
        home = Home.at(folder)
        if not home.store.is_dir():
            raise Held("absent", f"there is no log in {folder}")
        live = is_locked(folder)
        # Before the store is opened: so the store is never behind it, unless it is.
        held = _anchor(home)
        store = home.open_store(readonly=True)
    try:
        seen = _look(home, store, held, live=live)
        for _ in range(_LOOKS - 1):
            # A writer may have started between the one look and the other.
            if not seen.hold or seen.hold.state not in _MOVING:
                break
            live = is_locked(folder)
            seen = _look(home, store, _anchor(home), live=live)
        yield seen
    finally:
        store.close()


def _look(home: Home, store: LmdbStore, held: Anchored | Held, *, live: bool) -> Look:
    """One look at all of it; `held` and `live` are from before the head is read."""
    with store.snapshot() as snapshot:
        head = snapshot.head()
    seen = Look(home=home, store=store, live=live, head=head)
    try:
        with mended_by(home.folder):
            check_store(store)
            if isinstance(held, Held):
                raise held
            check_anchor(held, home, store, head, live=live)
            seen.held = held
            seen.signer = open_signer(home, store)
            check_promised(home, store, seen.signer.verifier_keys())
    except Held as error:
        seen.hold = error
    return seen


def _anchor(home: Home) -> Anchored | Held:
    try:
        return read_anchor(home.anchor)
    except Held as error:
        return error
