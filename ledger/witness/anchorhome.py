"""The folder of an anchor service: which logs may anchor here, and what it holds.

    logs.txt        the logs, and by which token each is known
    memory/         the newest head of each

A token of one log says nothing about another; the file has the hashes alone. There
is no going back to an older `memory`: a log would be told that it had never been
further than that.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Final

from ledger.callers.tokenfile import PREFIX, hash_of
from ledger.errors import Refused
from ledger.witness.folder import Folder
from ledger.witness.listed import Listed, change, with_line
from verifier.errors import MalformedError
from verifier.keys import check_name

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


class Anchorers(Listed[Mapping[bytes, Anchorer]]):
    """The logs in a file, by the SHA-256 of the origin."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _parse, mend=f"mend {path}")


@dataclass(frozen=True, slots=True)
class AnchorHome(Folder):
    """Where the things of one anchor service are."""

    KIND: ClassVar[str] = "anchor service"
    INIT: ClassVar[str] = "provlog anchor init"

    def known(self) -> Anchorers:
        """The logs that are anchored here."""
        self.check()
        return Anchorers(self.logs)


def make(folder: Path) -> AnchorHome:
    """Make an anchor service in `folder`, which is empty or not there."""
    home = AnchorHome(folder)
    home.begin(_LOGS_TEXT)
    return home


def add_log(home: AnchorHome, origin: str) -> str:
    """Let the log `origin` anchor here: a token, which is nowhere kept.

    One that is known already gets another token; both are good.
    """
    token = PREFIX + secrets.token_urlsafe(32)

    def added(before: bytes) -> bytes:
        after = with_line(before, f"log {origin} {hash_of(token)}")
        _parse(after)
        return after

    home.check()
    try:
        check_name(origin)
        change(home.logs, added)
    except MalformedError as error:
        raise Refused("log", f"this log cannot be added: {error}") from None
    return token


def remove_log(home: AnchorHome, origin: str) -> int:
    """Let the log `origin` anchor here no longer: how many tokens it had.

    What is held of it stays held. Were it forgotten, a log that was put back could be
    taken out and added, and would be believed.
    """
    tokens = 0

    def left(before: bytes) -> bytes:
        nonlocal tokens
        found = _parse(before).get(sha256(origin.encode()).digest())
        if not found:
            says = f"no log {origin!r} is anchored here; provlog anchor list says which"
            raise Refused("log", says)
        tokens = len(found.hashes)
        lines = before.split(b"\n")
        return b"\n".join(line for line in lines if _origin_in(line) != origin)

    home.check()
    try:
        change(home.logs, left)
    except MalformedError as error:
        raise Refused("log", f"this log cannot be taken out: {error}") from None
    return tokens


def _origin_in(line: bytes) -> str | None:
    found = _LINE.fullmatch(line.decode("utf-8", "replace").strip())
    return found[1] if found else None


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
