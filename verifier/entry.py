"""Entries of a record log: the wrapper around what was submitted.

The log adds what it saw itself (when, by whom, what type of bytes), so that it
is under the tree, too. The map's head, `v` and `at` are a prefix of 16 fixed
bytes: an audit reads the time of an entry without decoding it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from verifier import cbor
from verifier.errors import MalformedError

KINDS: Final = ("auto", "record", "statement", "opaque")
"""How entries are read: as those of such a log, or as they look."""

VERSION: Final = 1
LOG: Final = "log"
"""The submitter of the log's own entries."""
MAX_BODY_BYTES: Final = 65_000

PREFIX: Final = bytes.fromhex("a5 6176 01 626174 1b")
"""A map of five, "v": 1, "at": and the head of an 8-byte integer; its bytes follow."""
PREFIX_BYTES: Final = 16
_LEAST_BYTES: Final = 32
"""Without its time, a submitter, a type or a body an entry has more than these."""

MIN_AT: Final = 2**32
"""Below it the shortest encoding has fewer than 8 bytes; it is a day in 1970."""
MAX_AT: Final = 2**53 - 1

_MEMBERS: Final = ["v", "at", "by", "body", "type"]
_BY, _BODY, _OF_TYPE = map(cbor.encode, _MEMBERS[2:])
"""The keys behind the prefix."""
_text = lru_cache(maxsize=1_024)(cbor.encode)
"""Who submits, and of what types, is the same for many entries."""
BY: Final = re.compile(r"[\x21-\x7e]{1,128}")
_TYPE: Final = re.compile(r"[\x21-\x7e]+/[\x20-\x7e]+")
_MAX_TYPE: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a record log.

    `at` is the log's clock in milliseconds since the epoch, `by` the pseudonym
    of the submitter, `type` the media type of `body`.
    """

    at: int
    by: str
    type: str
    body: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an entry, or raise MalformedError naming what is wrong with it."""
        if (entry := cls._guessed(data)) is not None:
            return entry
        members = cbor.decode(data, text_keys=True)
        if not isinstance(members, dict) or list(members) != _MEMBERS:
            raise MalformedError(f"an entry is a map of exactly: {', '.join(_MEMBERS)}")
        # The type, too: in Python True == 1, and in CBOR it is another byte.
        if type(members["v"]) is not int or members["v"] != VERSION:
            raise MalformedError(
                "the entry's version is not 1; a newer verifier may know it"
            )
        entry = cls(
            at=members["at"],
            by=members["by"],
            type=members["type"],
            body=members["body"],
        )
        entry.check()
        return entry

    @classmethod
    def _guessed(cls, data: bytes) -> Self | None:
        """The entry that `data` looks like, if that is written just so.

        An entry has one encoding: no other is written in these bytes, however the
        members were found in them.
        """
        if len(data) < _LEAST_BYTES or not data.startswith(PREFIX):
            return None
        by, type_ = PREFIX_BYTES + len(_BY), data.rfind(_OF_TYPE, 0, -1)
        end_of_by = data.find(_BODY, by, -1)
        body, after = end_of_by + len(_BODY), type_ + len(_OF_TYPE)
        entry = cls(
            at=int.from_bytes(data[len(PREFIX) : PREFIX_BYTES], "big"),
            by=data[by + _head_bytes(data[by]) : end_of_by].decode("latin-1"),
            type=data[after + _head_bytes(data[after]) :].decode("latin-1"),
            body=data[body + _head_bytes(data[body]) : type_],
        )
        try:
            return entry if entry.encode() == data else None
        except MalformedError:
            return None

    def encode(self) -> bytes:
        """Write the entry."""
        self.check()
        return prefix_of(self.at) + untimed(self.by, self.type, self.body)

    def check(self) -> None:
        """Return if every member is within its bounds."""
        if type(self.at) is not int or not MIN_AT <= self.at <= MAX_AT:
            raise MalformedError(f"at is not a time from {MIN_AT} to {MAX_AT} ms")
        if type(self.by) is not str or not BY.fullmatch(self.by):
            raise MalformedError("by is not 1 to 128 visible ASCII characters")
        if (
            type(self.type) is not str
            or len(self.type) > _MAX_TYPE
            or not _TYPE.fullmatch(self.type)
        ):
            raise MalformedError("type is not a media type")
        if type(self.body) is not bytes or len(self.body) > MAX_BODY_BYTES:
            raise MalformedError(
                f"body is not a byte string of at most {MAX_BODY_BYTES} bytes"
            )


def prefix_of(at: int) -> bytes:
    """The first bytes of every entry that has this time."""
    return PREFIX + at.to_bytes(PREFIX_BYTES - len(PREFIX), "big")


def untimed(by: str, type_: str, body: bytes) -> bytes:
    """An entry without its first bytes, which have the time; nothing is checked."""
    head = cbor.head_of_bytes(len(body))
    return b"".join((_BY, _text(by), _BODY, head, body, _OF_TYPE, _text(type_)))


def _head_bytes(first: int) -> int:
    """How many bytes a head has that begins so, of what has fewer than 65,536."""
    return {24: 2, 25: 3}.get(first & 31, 1)


def entry_time(data: bytes) -> int:
    """The `at` of an entry, from its prefix alone."""
    at = int.from_bytes(data[len(PREFIX) : PREFIX_BYTES], "big")
    if (
        not data.startswith(PREFIX)
        or len(data) < PREFIX_BYTES
        or not MIN_AT <= at <= MAX_AT
    ):
        raise MalformedError("it does not begin as an entry of a record log does")
    return at
