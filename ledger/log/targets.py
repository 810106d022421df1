"""Asking those who keep a copy: does anybody know a newer tree of ours?

A folder that is put back whole, its anchor with it, looks right from inside. Who
has seen a later checkpoint is outside: a folder or a bucket that the log was
exported to, a mirror. Each is asked when the log is opened for writing; what is
ahead of us, and what does not answer, means that nothing is written.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from shlex import quote
from typing import Final, TypeAlias

from ledger.clock import stopwatch
from ledger.errors import Held, Refused
from ledger.log.reading import root_at
from ledger.objects import SCHEME, Bucket
from ledger.store import LogStore
from verifier.checkpoint import Checkpoint
from verifier.errors import Unavailable, VerificationError
from verifier.keys import KeyType, VerifierKey
from verifier.note import Note, verify_note
from verifier.source import Directory, Source, Url, read_checkpoint

PATIENCE_S: Final = 20.0
"""How long all have together: a start that takes a minute is given up by the service,
and then there are no reads either."""
_Answer: TypeAlias = "queue.SimpleQueue[bytes | Exception]"


def ask_targets(
    targets: Sequence[str],
    *,
    folder: Path,
    store: LogStore,
    keys: Sequence[VerifierKey],
    without: Collection[str] = (),
) -> None:
    """Return if every target answers, and with a tree that ours begins with."""
    until = stopwatch() + PATIENCE_S
    asked = {each: _asked(each, folder) for each in targets if each not in without}
    for target, answer in asked.items():
        try:
            seen = read_own(_taken(answer, until), store.charter.origin, keys)
        except (Refused, Unavailable, VerificationError) as error:
            says = f"the target {target} gives no checkpoint of this log: {error}"
            mend = f"bring it back, or start with --without {quote(target)}"
            if not target.startswith(("http://", "https://")):
                place = target if target.startswith(SCHEME) else str(folder / target)
                new = f"provlog export {quote(str(folder))} {quote(place)}"
                mend += f"; if it is new: {new}"
            raise Held("target_silent", says, mend=mend) from None
        hold_against(seen, store, f"the target {target}")


def _asked(target: str, folder: Path) -> _Answer:
    """Where the checkpoint of `target` will be, or what is wrong with it."""
    answer: _Answer = queue.SimpleQueue()

    def ask() -> None:
        try:
            with closing(source_at(target, folder)) as source:
                answer.put(read_checkpoint(source))
        except Exception as error:  # noqa: BLE001 - it is raised by who waits
            answer.put(error)

    # Who hangs is left behind; a disk of another machine cannot be told to answer.
    threading.Thread(target=ask, daemon=True).start()
    return answer


def _taken(answer: _Answer, until: float) -> bytes:
    try:
        found = answer.get(timeout=max(0.0, until - stopwatch()))
    except queue.Empty:
        raise Unavailable(f"no answer within {PATIENCE_S:g} s") from None
    if isinstance(found, Exception):
        raise found
    return found


def source_at(target: str, folder: Path) -> Source:
    """What `target` names: an address, a bucket, or a folder beside the log's files."""
    if target.startswith(SCHEME):
        return Bucket(target)
    if target.startswith(("http://", "https://")):
        return Url(target)
    return Directory(folder / target)


def read_own(data: bytes, origin: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """A checkpoint that one of our Ed25519 keys has signed."""
    note = Note.parse(data)
    verify_note(note, [key for key in keys if key.type is KeyType.ED25519])
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != origin:
        raise VerificationError(f"it is of {checkpoint.origin}, and this is {origin}")
    return checkpoint


def hold_against(seen: Checkpoint, store: LogStore, who: str) -> None:
    """Return if the log in `store` begins with the tree that somebody has seen."""
    with store.snapshot() as snapshot:
        head = snapshot.head()
        if seen.size > head.size:
            raise Held(
                "rollback",
                f"{who} has a checkpoint of size {seen.size}, "
                f"and this log has {head.size}: it was put back to an older state",
            )
        if root_at(snapshot, seen.size, head) != seen.root:
            raise Held(
                "forked",
                f"{who} has a checkpoint of size {seen.size} that this log does not "
                "begin with: there are two histories under one key",
            )
