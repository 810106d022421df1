"""The folder of an anchor service: which logs may anchor here, and what it holds.

    logs.txt        the logs, and by which token each is known
    memory/         the newest head of each

A token of one log says nothing about another; the file has the hashes alone. There
is no going back to an older `memory`: a log would be told that it had never been
further than that.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from ledger.callers.tokenfile import PREFIX, hash_of
from ledger.errors import Held, Refused
from verifier.durable import locked, write_atomically
from verifier.errors import MalformedError, Unavailable
from verifier.keys import check_name
from verifier.source import read_file

if TYPE_CHECKING:
    from ledger.witness.remembered import Remembered

MAX_BYTES: Final = 1 << 24
_LINE: Final = re.compile(r"log (\S+) ([0-9a-f]{64})")
_LOGS_TEXT: Final = b"""\
# The logs that are anchored here, and the SHA-256 of a token of each: log ORIGIN HASH
# provlog anchor add writes such lines. Take one out, and its token lets nobody in;
# it counts from the next request on.
"""


@dataclass(frozen=True, slots=True)
class Anchorer:
    """A log that is anchored here: its origin, and the hashes of its tokens."""

    origin: str
    hashes: tuple[str, ...]

    def knows(self, token: str) -> bool:
        """Whether `token` is one of its own."""
        digest = hash_of(token)
        # Each of them, and in constant time: how long it takes tells nothing.
        return sum(hmac.compare_digest(digest, each) for each in self.hashes) > 0


@dataclass(slots=True)
class Anchorers:
    """The logs in a file, read again when it has changed."""

    path: Path
    _seen: tuple[int, int, int] | None = None
    _logs: Mapping[bytes, Anchorer] = field(default_factory=dict)

    def all(self) -> Mapping[bytes, Anchorer]:
        """The logs, by the SHA-256 of the origin; Held if the file is no list."""
        try:
            found = os.stat(self.path)
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                # Looked at before it was read: what changes meanwhile is read again.
                self._logs = _parse(read_file(self.path, MAX_BYTES))
                self._seen = seen
        except (OSError, MalformedError) as error:
            says = f"the list of logs cannot be used: {self.path}: {error}"
            raise Held("config", says, mend=f"mend {self.path}") from None
        return self._logs


@dataclass(frozen=True, slots=True)
class AnchorHome:
    """Where the things of one anchor service are."""

    folder: Path

    @property
    def logs(self) -> Path:
        """The list of logs."""
        return self.folder / "logs.txt"

    @property
    def memory(self) -> Path:
        """What it holds."""
        return self.folder / "memory"

    def check(self) -> None:
        """Return if there is an anchor service."""
        if not self.logs.is_file() or not self.memory.is_dir():
            says = f"there is no anchor service in {self.folder}"
            mend = f"provlog anchor init {quote(str(self.folder))}"
            raise Held("absent", says, mend=mend)

    def known(self) -> Anchorers:
        """The logs that are anchored here."""
        self.check()
        return Anchorers(self.logs)

    def remembering(self) -> Remembered:
        """What it holds, for one process; Held if that is not what it was."""
        self.check()
        return _memory().open(self.memory)


def make(folder: Path) -> AnchorHome:
    """Make an anchor service in `folder`, which is empty or not there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Refused("folder", f"{folder} is not empty; nothing was made")
    folder.chmod(0o700)
    home = AnchorHome(folder)
    _memory().create(home.memory)
    # Last: without the list it is none, and has not forgotten anything.
    write_atomically(home.logs, _LOGS_TEXT)
    return home


def add_log(home: AnchorHome, origin: str) -> str:
    """Let the log `origin` anchor here: a token, which is nowhere kept.

    One that is known already gets another token; both are good.
    """
    home.check()
    token = PREFIX + secrets.token_urlsafe(32)
    try:
        check_name(origin)
        with locked(home.logs):
            before = read_file(home.logs, MAX_BYTES)
            ended = before if before.endswith(b"\n") or not before else before + b"\n"
            after = ended + f"log {origin} {hash_of(token)}\n".encode()
            _parse(after)
            write_atomically(home.logs, after)
    except MalformedError as error:
        raise Refused("log", f"this log cannot be added: {error}") from None
    except (Unavailable, OSError) as error:
        raise Held("config", f"the list of logs cannot be changed: {error}") from None
    return token


def _parse(data: bytes) -> dict[bytes, Anchorer]:
    hashes: dict[str, list[str]] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if not (found := _LINE.fullmatch(words)):
            raise MalformedError(f"line {number} is not: log ORIGIN HASH")
        hashes.setdefault(found[1], []).append(found[2])
    return {
        sha256(origin.encode()).digest(): Anchorer(origin, tuple(each))
        for origin, each in hashes.items()
    }


def _memory() -> type[Remembered]:
    # LMDB, which nobody needs who lists logs, or asks for help.
    from ledger.witness.remembered import Remembered  # noqa: PLC0415

    return Remembered
