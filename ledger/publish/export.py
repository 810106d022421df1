"""Becoming public: the log as files, in the layout of c2sp.org/tlog-tiles.

Any web server can serve the folder, and `python -m verifier audit` accepts it.
First entries and tiles, each whole and durable under its name, then the checkpoint:
who reads the folder at any moment finds all that its checkpoint covers. What is
full never changes, so a later export writes only what is new. One export at a time
works on a folder, and what it finds there under the lock it never goes back on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from ledger.clock import Instant
from ledger.errors import Held, Unavailable
from ledger.log.anchor import read_anchor
from ledger.log.look import Look
from ledger.log.recovery import BACKWARD_MS, check_clock, check_names
from ledger.log.targets import read_own
from ledger.publish.feeding import (
    Ours,
    Public,
    Watch,
    new_tiles,
    what_it_has,
    write_tiles,
)
from ledger.publish.folder import Folder
from ledger.publish.publication import Eyes
from ledger.publish.target import Target
from verifier.checkpoint import Checkpoint
from verifier.cosignature import verify_checkpoint_signature
from verifier.errors import VerificationError
from verifier.keys import VerifierKey
from verifier.note import Note
from verifier.source import CHECKPOINT
from verifier.tile import tiles_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What is public now, how many entries were before, how many files are new.

    `witnessed` says whether the policy's quorum has cosigned it just now.
    """

    before: int
    checkpoint: Checkpoint
    written: int
    witnessed: bool = True


def signing_time(seen: Look, now: Instant) -> int:
    """The time to cosign at, in seconds, if the clock can be right."""
    if seen.hold:
        raise seen.hold
    check_clock(seen.home, seen.head, now)
    return now.wall_ms // 1000


def export(
    seen: Look,
    dest: Path | Target,
    *,
    time: int,
    eyes: Eyes | None = None,
    watch: Watch | None = None,
    check: bool = False,
    without: Collection[str] = (),
) -> Exported:
    """Bring `dest`, a folder or a bucket, up to the newest tree; `time` is in seconds.

    `eyes` are asked to cosign it. With `check` every file that is there is compared
    with the log, and what is missing or wrong is written again. Anchors elsewhere that
    are named in `without` are not asked.
    """
    check_names(seen.home, without)
    seen.checkpoint(without=without)  # what cannot be signed makes no folder
    target = Folder.beside(seen.home, dest) if isinstance(dest, Path) else dest
    keys = seen.signer.verifier_keys() if seen.signer else []
    ours = Ours(
        store=seen.store,
        reading=seen.reading,
        keys=keys,
        anchored=lambda: max(seen.newest.size, read_anchor(seen.home.anchor).size),
    )
    what_it_has(target, ours)
    with target.alone():
        # Again: another one may have been at work until now.
        public = what_it_has(target, ours)
        before = public.tree.size if public else 0
        if public and before > seen.newest.size:
            return Exported(before=before, checkpoint=public.tree, written=0)
        time = _not_before(public, target.name, time, keys)
        signed = seen.checkpoint(time=time, without=without)
        newest = read_own(signed, seen.store.charter.origin, keys)
        signed, witnessed = _cosigned(signed, newest, seen, eyes)
        new = tiles_of(newest.size) if check else new_tiles(before, newest.size)
        written = write_tiles(target, ours.reading, new, watch=watch, check=check)
        # Who has the one with cosignatures of this tree is not served one without.
        if witnessed or not public or public.tree != newest:
            target.replace_checkpoint(public.note if public else None, signed)
    return Exported(
        before=before, checkpoint=newest, written=written, witnessed=witnessed
    )


def _cosigned(
    signed: bytes, tree: Checkpoint, seen: Look, eyes: Eyes | None
) -> tuple[bytes, bool]:
    """What is signed, with the cosignatures that `eyes` give; whether they do."""
    if eyes is None:
        return signed, not seen.home.whom_to_believe().asks_witnesses
    gathered = eyes.gather(signed, tree, seen.reading.consistency)
    if not gathered.quorum and seen.home.config.witness_failure == "closed":
        says = f"no quorum of witnesses has cosigned size {tree.size}"
        raise Unavailable("quorum", f"{says}; nothing was published")
    return gathered.note, gathered.quorum


def _not_before(
    public: Public | None, name: str, time: int, keys: list[VerifierKey]
) -> int:
    """`time`, if nobody has seen a later one: cosignatures do not go back either."""
    stated = max(_stated(public, keys), default=0) if public else 0
    # A clock that is put right by a moment repeats the last time, as `at` does.
    if time < 0 or (stated - time) * 1000 > BACKWARD_MS:
        path = f"{name}/{CHECKPOINT}"
        says = f"the clock says {time}, and {path} was cosigned at {stated}"
        mend = f"set the clock; if it was wrong then: remove {quote(path)}, and repeat"
        raise Held("clock", f"{says} (seconds since 1970)", mend=mend)
    return max(time, stated)


def _stated(public: Public, keys: list[VerifierKey]) -> Iterator[int]:
    """The times at which ours cosigned what is public."""
    published = Note.parse(public.note)
    text, tree = published.text, public.tree
    for line in published.signatures:
        for key in keys:
            if (key.name, key.id) == (line.name, line.key_id):
                with suppress(VerificationError):
                    yield (
                        verify_checkpoint_signature(key, text, tree, line.signature)
                        or 0
                    )
