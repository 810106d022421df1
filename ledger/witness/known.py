"""Which logs a witness knows: the file `logs.txt`, which may change while it serves.

    # as in c2sp.org/tlog-policy: the key's name is the log's origin
    log log.example/prod+52d5e0a4+AWvJ5T0kY2uQm1cXn8sP…

A log may have several keys, a line each. The lists of the public witness network
can be used as they are: `logs/v0`, then `vkey` and `origin` for each log, where an
origin may be another than the key's name.

A witness for everybody would be one for nobody: each log it knows, and no other,
may have rows in its memory.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from ledger.errors import Held, Refused
from verifier.durable import locked, write_atomically
from verifier.errors import MalformedError, Unavailable
from verifier.keys import KeyType, VerifierKey
from verifier.source import read_file

MAX_BYTES: Final = 1 << 24
_NETWORK: Final = "logs/v0"
_MAX_ORIGIN: Final = 255
"""In bytes; cosignatures of ML-DSA-44 count them in one byte."""
_IGNORED: Final = ("qpd", "contact")

Logs = dict[str, tuple[VerifierKey, ...]]
"""The keys of each origin."""


class Known:
    """The logs in a file, read again when it has changed."""

    def __init__(self, path: Path, *, own: Collection[VerifierKey] = ()) -> None:
        self.path = path
        self._own = own
        self._seen: tuple[int, int, int] | None = None
        self._logs: Logs = {}

    def keys_of(self, origin: str) -> tuple[VerifierKey, ...]:
        """The keys of a log, none if it is unknown; Held if the file is no list."""
        return self.all().get(origin, ())

    def all(self) -> Logs:
        """The keys of all logs, by origin."""
        try:
            found = os.stat(self.path)
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                # Looked at before it was read: what changes meanwhile is read again.
                self._logs = parse_logs(read_file(self.path, MAX_BYTES), own=self._own)
                self._seen = seen
        except (OSError, MalformedError) as error:
            says = f"the list of logs cannot be used: {self.path}: {error}"
            mend = f"mend {self.path}; provlog witness list says what it is now"
            raise Held("config", says, mend=mend) from None
        return self._logs


def parse_logs(data: bytes, *, own: Collection[VerifierKey] = ()) -> Logs:
    """Read a list of logs, or raise MalformedError naming the line."""
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise MalformedError("the list of logs is not valid UTF-8") from None
    logs: Logs = {}
    network, key = False, None
    for number, line in enumerate(lines, start=1):
        word, _, rest = line.strip(" \t").partition(" ")
        rest = rest.strip(" \t")
        try:
            match word:
                case _ if not word or word.startswith("#"):
                    continue
                case _ if network and word in _IGNORED:
                    continue
                case "logs/v0" if not rest and not logs:
                    network = True
                case "log" if not network:
                    key = VerifierKey.parse(rest.partition(" ")[0])
                    _add(logs, key.name, key, own)
                case "vkey" if network:
                    key = VerifierKey.parse(rest)
                    _add(logs, key.name, key, own)
                case "origin" if key and network and rest:
                    _rename(logs, key, rest, own)
                    key = None
                case _:
                    raise MalformedError('it is not "log VKEY", and no comment')
        except MalformedError as error:
            raise MalformedError(f"line {number}: {error}") from None
    return logs


def add_log(path: Path, vkey: str, *, own: Collection[VerifierKey]) -> VerifierKey:
    """Let the log be known whose key is `vkey`; Refused if it cannot be."""
    try:
        key = VerifierKey.parse(vkey)
        with locked(path):
            before = read_file(path, MAX_BYTES)
            if parse_logs(before).get(key.name, ()).count(key):
                raise Refused("log", f"{key.name} is known by this key already")
            ended = before if before.endswith(b"\n") or not before else before + b"\n"
            line = "vkey" if before.lstrip().startswith(_NETWORK.encode()) else "log"
            after = ended + f"{line} {key.text()}\n".encode()
            parse_logs(after, own=own)
            write_atomically(path, after)
    except MalformedError as error:
        raise Refused("log", f"this log cannot be added: {error}") from None
    except (Unavailable, OSError) as error:
        raise Held("config", f"the list of logs cannot be changed: {error}") from None
    return key


def _add(
    logs: Logs, origin: str, key: VerifierKey, own: Collection[VerifierKey]
) -> None:
    if key.type is KeyType.COSIGNATURE:
        raise MalformedError("a key of type 0x04 is a witness's, not a log's")
    if any(origin == each.name for each in own):
        raise MalformedError(f"{origin} is this witness itself")
    if any(key.public_key == each.public_key for each in own):
        raise MalformedError("that is a key of this witness itself")
    if len(origin.encode()) > _MAX_ORIGIN:
        raise MalformedError(f"an origin of more than {_MAX_ORIGIN} bytes")
    known = logs.get(origin, ())
    if any(each.name == key.name and each.id == key.id for each in known):
        # Signatures are told apart by name and id: it would not be known whose it is.
        raise MalformedError(f"a second key {key.name}+{key.id.hex()}")
    logs[origin] = (*known, key)


def _rename(
    logs: Logs, key: VerifierKey, origin: str, own: Collection[VerifierKey]
) -> None:
    if origin == key.name:
        return
    rest = tuple(each for each in logs[key.name] if each != key)
    logs[key.name] = rest
    if not rest:
        del logs[key.name]
    _add(logs, origin, key, own)
