"""Whom to believe: c2sp.org/tlog-policy, read exactly.

A policy comes from the person who verifies, never from the evidence. Names are
bytes and stay bytes: the meaning of a policy must not hang on a table of
Unicode. Groups refer only to earlier lines and each name is a member once, so
that a policy is a tree and each witness counts once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Self

from verifier.errors import MalformedError
from verifier.keys import Algorithm, KeyType, VerifierKey
from verifier.spelling import parse_decimal

MAX_BYTES: Final = 1 << 20
MAX_LINES: Final = 1_024

_ALLOWED: Final = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_WHITESPACE: Final = re.compile(rb"[ \t]+")
_NONE: Final = b"none"


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness line: the name it has in this policy, its key and its URL, if any."""

    name: bytes
    key: VerifierKey
    url: bytes | None


@dataclass(frozen=True, slots=True)
class Group:
    """A group line: satisfied when `least` of its members are."""

    least: int
    members: tuple[bytes, ...]


@dataclass(slots=True)
class Policy:
    """Logs, witnesses, groups and a quorum:

        log log.example/prod+…
        witness w1 witness.example/w1+…
        witness w2 witness.example/w2+… https://witness.example/w2
        group both all w1 w2
        quorum both

    A checkpoint holds when any one of the logs signed it and the quorum did.
    """

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[bytes, Witness] = field(default_factory=dict)
    groups: dict[bytes, Group] = field(default_factory=dict)
    quorum: bytes = b""
    _members: set[bytes] = field(default_factory=set)
    _log_keys: set[bytes] = field(default_factory=set)
    _witness_keys: set[bytes] = field(default_factory=set)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy, or raise MalformedError naming the line and what is wrong."""
        if len(data) > MAX_BYTES:
            raise MalformedError(
                f"a policy of {len(data)} bytes; at most {MAX_BYTES} are read"
            )
        if not _ALLOWED.fullmatch(data):
            raise MalformedError("the policy has a control character; CR is one")
        if not data.endswith(b"\n"):
            raise MalformedError("the policy's last line does not end in a newline")
        lines = data[:-1].split(b"\n")
        if len(lines) > MAX_LINES:
            raise MalformedError(f"the policy has more than {MAX_LINES} lines")
        policy = cls()
        for number, line in enumerate(lines, start=1):
            words = [word for word in _WHITESPACE.split(line) if word]
            if not words or words[0].startswith(b"#"):
                continue
            try:
                policy._read(words)
            except MalformedError as error:
                raise MalformedError(f"policy line {number}: {error}") from None
        if not policy.quorum:
            raise MalformedError('the policy has no "quorum" line')
        return policy

    def satisfied_by(self, witnesses: AbstractSet[bytes]) -> bool:
        """Whether these witnesses are a quorum."""
        held = {_NONE, *witnesses}
        # Groups refer to earlier ones only, so one pass in their order is enough.
        for name, group in self.groups.items():
            if sum(member in held for member in group.members) >= group.least:
                held.add(name)
        return self.quorum in held

    @property
    def asks_witnesses(self) -> bool:
        """Whether the quorum needs anybody at all."""
        return self.quorum != _NONE

    def without_witnesses(self) -> Policy:
        """The same logs, and nobody else asked."""
        return Policy(logs=self.logs, quorum=_NONE)

    def _read(self, words: list[bytes]) -> None:
        readers: Mapping[bytes, Callable[[list[bytes]], None]] = {
            b"log": self._read_log,
            b"witness": self._read_witness,
            b"group": self._read_group,
            b"quorum": self._read_quorum,
        }
        if words[0] not in readers:
            raise MalformedError(
                "it starts with none of: log, witness, group, quorum, #"
            )
        readers[words[0]](words[1:])

    def _read_log(self, words: list[bytes]) -> None:
        if not 1 <= len(words) <= 2:
            raise MalformedError("log VKEY [URL]")
        key = _vkey(words[0])
        _refuse_second(key, self._log_keys)
        self.logs.append(key)

    def _read_witness(self, words: list[bytes]) -> None:
        if not 2 <= len(words) <= 3:
            raise MalformedError("witness NAME VKEY [URL]")
        key = _vkey(words[1])
        if key.type is KeyType.ED25519:
            # Witnesses sign with type 0x04 only. Policies in use name them by the
            # vkey of type 0x01 all the same, and Go's tools read it as this.
            key = VerifierKey(key.name, KeyType.COSIGNATURE, key.public_key)
        if key.public_key.algorithm is Algorithm.ECDSA_P256:
            raise MalformedError("a witness's key is Ed25519 or ML-DSA-44")
        _refuse_second(key, self._witness_keys)
        name = self._new_name(words[0])
        self.witnesses[name] = Witness(name, key, words[2] if len(words) == 3 else None)

    def _read_group(self, words: list[bytes]) -> None:
        if len(words) < 3:
            raise MalformedError("group NAME all|any|K MEMBER...")
        name, threshold, *members = words
        for member in members:
            self._check_defined(member)
            if member in self._members:
                raise MalformedError(f"{_show(member)} is a member of a group already")
            self._members.add(member)
        self.groups[self._new_name(name)] = Group(
            _least(threshold, members), tuple(members)
        )

    def _read_quorum(self, words: list[bytes]) -> None:
        if len(words) != 1:
            raise MalformedError("quorum NAME|none")
        if self.quorum:
            raise MalformedError("a second quorum")
        if words[0] != _NONE:
            self._check_defined(words[0])
        self.quorum = words[0]

    def _new_name(self, name: bytes) -> bytes:
        if name == _NONE:
            raise MalformedError(
                '"none" is the quorum of nobody and names nothing else'
            )
        if name in self.witnesses or name in self.groups:
            raise MalformedError(f"{_show(name)} is defined twice")
        return name

    def _check_defined(self, name: bytes) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise MalformedError(f"{_show(name)} is defined on no earlier line")


def _vkey(word: bytes) -> VerifierKey:
    try:
        return VerifierKey.parse(word.decode())
    except UnicodeDecodeError:
        raise MalformedError("the vkey is not valid UTF-8") from None


def _refuse_second(key: VerifierKey, keys: set[bytes]) -> None:
    # Whatever name, type or id: who has the one key has the other's vote, too.
    if key.public_key.raw in keys:
        raise MalformedError(f"the key of {key.name} is listed already")
    keys.add(key.public_key.raw)


def _least(threshold: bytes, members: list[bytes]) -> int:
    match threshold:
        case b"all":
            return len(members)
        case b"any":
            return 1
    least = parse_decimal(
        threshold.decode("latin-1"), "the threshold", most=len(members)
    )
    if least == 0:
        raise MalformedError(
            "the threshold is 0; a group needs at least one member to agree"
        )
    return least


def name_text(name: bytes) -> str:
    """A name as text; no two names give the same."""
    return name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def _show(name: bytes) -> str:
    return repr(name_text(name[:40]))
