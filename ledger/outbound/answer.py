"""What became of a question to somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class NoAnswer(Exception):
    """Nobody answered, or not as one may; it says what, and where.

    Of the answer nothing is quoted, and of the address no more than the host: whoever
    is asked could have us write to our own log what we have told them as a secret,
    and the path of a webhook often is one.
    """


class Reply(NamedTuple):
    """A whole answer, of any status; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
