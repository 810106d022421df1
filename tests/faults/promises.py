"""What a writer has told the world, and whether a log still keeps it.

A writer prints a line for each answer it gets. Whatever is done to it then, the
log has to hold all that was printed: `judge` opens it with the engine itself,
audits all of it, and writes to it again.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Self

from ledger.errors import Halted, Held, Unavailable, WrongBytes
from ledger.keys.keyfile import read_key_file
from ledger.log.log import Log
from ledger.log.targets import read_own
from ledger.upkeep.source import StoreSource
from verifier import Checkpoint, VerificationError, verify_log
from verifier.keys import VerifierKey
from verifier.source import CHECKPOINT, Directory

NEWEST = 8
"""How many of the newest checkpoints are held against the log each time."""
OK, AHEAD = "ok", "ok-ahead"
"""Nothing is missing; or there is one batch more, which nobody was told about."""


def entry(name: str, number: int) -> bytes:
    """Entry `number` of the batch called `name`: a line of 70 to 530 bytes."""
    seed = sha256(f"{name}/{number}".encode())
    times = 1 + seed.digest()[0] % 8
    return f"{name}/{number} {seed.hexdigest() * times}".encode()


def entries(name: str, count: int) -> list[bytes]:
    """The batch called `name`."""
    return [entry(name, number) for number in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Entries [first, stop) are the batch `name`; so says a signed checkpoint.

    Without a name it is a checkpoint that was exported, with what is below it. The
    console script shows no checkpoint; then `note` is empty.
    """

    name: str
    first: int
    stop: int
    note: bytes = b""

    def line(self) -> bytes:
        """The line that a writer prints."""
        note = b64encode(self.note).decode()
        return f"ACK {self.name or '-'} {self.first} {self.stop} {note}\n".encode()

    @classmethod
    def parse(cls, line: bytes) -> Self | None:
        """Read a line, if it is one, whole."""
        match line.decode("ascii", "replace").split(" "):
            case ["ACK", name, first, stop, note] if note.endswith("\n"):
                return cls(
                    name="" if name == "-" else name,
                    first=int(first),
                    stop=int(stop),
                    note=b64decode(note),
                )
        return None


def promises(output: bytes) -> list[Promise]:
    """All that was promised in what a writer has printed."""
    lines = map(Promise.parse, output.splitlines(keepends=True))
    return [each for each in lines if each]


def judge(folder: Path, told: Sequence[Promise], *, again: bool = True) -> str:
    """OK, AHEAD, or what is wrong with the log; with `again` it is written to."""
    try:
        with Log.open(folder) as log:
            if log.hold:
                return f"HELD {log.hold.state}: {log.hold}"
            size = log.head.size
            if wrong := _lost(log, told) or _forked(log, told):
                return wrong
            newest = shown(log.checkpoint(), folder)
            verify_log(StoreSource(log.store), newest, kind="opaque")
            if again:
                answer = log.append([b"afterwards"])
                if [*answer.indexes] != [size]:
                    return f"CORRUPT: what comes next is at {answer.indexes}"
    except (Held, Halted, Unavailable, WrongBytes, VerificationError) as error:
        return f"CORRUPT: {type(error).__name__}: {error}"
    most = max((each.stop for each in told), default=size)
    return AHEAD if size > most else OK


def _lost(log: Log, told: Sequence[Promise]) -> str:
    size = log.head.size
    most = max((each.stop for each in told), default=0)
    if most > size:
        return f"LOST: the log has {size} entries, and {most} were promised"
    logged = log.reading.entries(0, most) if most else []
    for each in told:
        wanted = entries(each.name, each.stop - each.first) if each.name else []
        if wanted and logged[each.first : each.stop] != wanted:
            return f"LOST: other entries are at {each.first} than were promised"
    return ""


def _forked(log: Log, told: Sequence[Promise]) -> str:
    """Two signed trees, one of which is not the beginning of the other."""
    # An older one has other entries than were promised, or the same root.
    for each in [each for each in told if each.note][-NEWEST:]:
        seen = shown(each.note, log.home.folder)
        if seen.size < each.stop:
            return f"CORRUPT: a checkpoint of {seen.size} for an entry {each.stop - 1}"
        if log.reading.root(seen.size) != seen.root:
            return f"FORK: another root was shown for size {seen.size}"
    return ""


@cache
def shown(note: bytes, folder: Path) -> Checkpoint:
    """The checkpoint that somebody was shown; the log in `folder` has signed it."""
    keys = keys_of(folder)
    return read_own(note, keys[0].name, keys)


@cache
def keys_of(folder: Path) -> list[VerifierKey]:
    """The public keys of the log in `folder`."""
    return [key.verifier_key for key in read_key_file(folder / "key").keys]


def judge_export(dest: Path, folder: Path, told: Sequence[Promise]) -> str:
    """OK, if the exported log in `dest` is whole, and as new as was said."""
    data = Directory(dest).read(CHECKPOINT, 1 << 20) if dest.is_dir() else None
    said = max((each.stop for each in told if not each.name), default=0)
    if data is None:
        return f"LOST: no exported checkpoint, and one of {said} was" if said else OK
    try:
        seen = shown(data, folder)
        verify_log(Directory(dest), seen, kind="opaque")
    except (VerificationError, ValueError) as error:
        return f"CORRUPT: the exported log: {error}"
    if seen.size < said:
        return f"LOST: exported is {seen.size}, and {said} was"
    return OK
