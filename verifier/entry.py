"""Entries of a record log: the wrapper around what was submitted.

The log adds what it saw itself (when, by whom, what type of bytes), so that it
is under the tree, too. The map's head, `v` and `at` are a prefix of 16 fixed
bytes: an audit reads the time of an entry without decoding it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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

MIN_AT: Final = 2**32
"""Below it the shortest encoding has fewer than 8 bytes; it is a day in 1970."""
MAX_AT: Final = 2**53 - 1

_MEMBERS: Final = ["v", "at", "by", "body", "type"]
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

    def encode(self) -> bytes:
        """Write the entry."""
        self.check()
        return cbor.encode(
            {
                "v": VERSION,
                "at": self.at,
                "by": self.by,
                "body": self.body,
                "type": self.type,
            }
        )

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
