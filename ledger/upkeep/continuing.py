"""A new origin that goes on where another log has ended, or was lost.

When a key is stolen, or nobody can say any more what was promised, the old name
is not used again. The new log has the same entries, another name and other keys;
a record log says in an entry of its own which tree it continues.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ledger.clock import Clock, read_clock
from ledger.errors import Refused
from ledger.log.anchor import Anchored, write_anchor
from ledger.log.home import Home
from ledger.log.log import Log
from ledger.log.own import genesis, schema_publish
from ledger.store import WRITER, Head
from ledger.store.copying import copy_store
from ledger.store.environment import DATA
from ledger.store.lmdb import LmdbStore
from ledger.upkeep.birth import new_charter, new_keys, write_papers
from ledger.upkeep.copies import tree_of, verify_store
from ledger.upkeep.making import made_whole


def begin_again(
    folder: Path, origin: str, copy: Path, *, clock: Clock = read_clock
) -> Head:
    """Make the log `origin` in the empty `folder`, with the entries of `copy`."""
    if not (copy / "store" / DATA).exists():
        raise Refused(
            "copy",
            f"{copy} is neither a log nor a backup of one; a new origin begins with "
            "one of these, for an export does not say all that a log knows",
        )
    with made_whole(folder) as beside:
        # The old log has ended, perhaps; the new one begins.
        head = replace(verify_store(copy / "store"), frozen=False)
        store = LmdbStore(copy / "store", readonly=True)
        try:
            old = store.charter
            if origin == old.origin:
                raise Refused(
                    "origin",
                    f"{origin} is the old name; whoever knows it would see two "
                    "histories under it. Give another one",
                )
            charter = new_charter(origin, kind=old.kind, dedupe=old.dedupe)
            before = tree_of(store, head)
            new = beside / "store"
            copy_store(store, new, role=WRITER, charter=charter, frozen=False)
        finally:
            store.close()
        keys = new_keys(charter)
        home = Home.at(beside)
        held = Anchored(genesis=charter.genesis, data=home.data_identity())
        write_anchor(home.anchor, held.at(head))
        write_papers(home, keys)
        if charter.kind == "record":
            public = [key.verifier_key for key in keys.keys]
            with Log.open(beside, clock=clock) as log:
                own = genesis(charter, public, continues=before)
                head = log.submit([own, schema_publish()]).wait().head
    return head
