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

from collections.abc import Collection
from pathlib import Path
from typing import Final

from ledger.errors import Refused
from ledger.witness.listed import Listed, change, with_line
from verifier.errors import MalformedError
from verifier.keys import KeyType, VerifierKey

_NETWORK: Final = "logs/v0"
_MAX_ORIGIN: Final = 255
"""In bytes; cosignatures of ML-DSA-44 count them in one byte."""
_IGNORED: Final = ("qpd", "contact")
_KEYED: Final = ("log", "vkey")
_OF_A_KEY: Final = ("origin", *_IGNORED)

Logs = dict[str, tuple[VerifierKey, ...]]
"""The keys of each origin."""


class Known(Listed[Logs]):
    """The logs in a file, by origin."""

    def __init__(self, path: Path, *, own: Collection[VerifierKey] = ()) -> None:
        mend = f"mend {path}; provlog witness list says what it is now"
        super().__init__(path, lambda data: parse_logs(data, own=own), mend=mend)

    def keys_of(self, origin: str) -> tuple[VerifierKey, ...]:
        """The keys of a log, none if it is unknown; Held if the file is no list."""
        return self.all().get(origin, ())


def parse_logs(data: bytes, *, own: Collection[VerifierKey] = ()) -> Logs:
    """Read a list of logs, or raise MalformedError naming the line."""
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise MalformedError("the list of logs is not valid UTF-8") from None
    logs: Logs = {}
    network, key = False, None
    for number, line in enumerate(lines, start=1):
        word, rest = _words(line)
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

    def added(before: bytes) -> bytes:
        if parse_logs(before).get(key.name, ()).count(key):
            raise Refused("log", f"{key.name} is known by this key already")
        line = "vkey" if before.lstrip().startswith(_NETWORK.encode()) else "log"
        after = with_line(before, f"{line} {key.text()}")
        parse_logs(after, own=own)
        return after

    try:
        key = VerifierKey.parse(vkey)
        _add({}, key.name, key, own)
        change(path, added)
    except MalformedError as error:
        where = "its key is the word after log in the log's policy.txt"
        raise Refused("log", f"it cannot be added: {error}; {where}") from None
    return key


def remove_log(path: Path, vkey: str) -> tuple[str, ...]:
    """Let no log be known by `vkey`: the origins of those that were.

    What was cosigned stays remembered. Were it forgotten, a log could be taken out,
    added again, and have a second history cosigned.
    """
    origins: tuple[str, ...] = ()
    where = "provlog witness list --json has the keys"

    def left(before: bytes) -> bytes:
        nonlocal origins
        known = parse_logs(before)
        origins = tuple(each for each, keys in known.items() if key in keys)
        if not origins:
            says = f"no log is known by the key {key.name}+{key.id.hex()}"
            raise Refused("log", f"{says}; {where}")
        return _without(before, key)

    try:
        key = VerifierKey.parse(vkey)
        change(path, left)
    except MalformedError as error:
        raise Refused("log", f"it cannot be taken out: {error}; {where}") from None
    return origins


def _without(listed: bytes, key: VerifierKey) -> bytes:
    """The list without the lines of a key; comments stay."""
    left, its = [], False
    for line in listed.decode().split("\n"):
        word, rest = _words(line)
        if word in _KEYED:
            its = VerifierKey.parse(rest.partition(" ")[0]) == key
        # In a list of the network, more is said of a key in the lines below it.
        if not (its and word in (*_KEYED, *_OF_A_KEY)):
            left.append(line)
    return "\n".join(left).encode()


def _words(line: str) -> tuple[str, str]:
    """The first word, and all that comes behind it."""
    word, _, rest = line.strip(" \t").partition(" ")
    return word, rest.strip(" \t")


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
