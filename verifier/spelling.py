"""One spelling for each value: numbers in decimal, bytes in base64.

Python reads generously: int() takes "+7", " 7", "1_0" and "٣", and b64decode()
takes stray characters and bits that are thrown away. A log whose bytes can be
spelled in two ways has two histories, so everything here is matched against an
ASCII grammar first, and base64 is written again and compared.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from verifier.errors import MalformedError
from verifier.hashing import HASH_SIZE

MAX_SIZE: Final = 2**63 - 1
"""The largest tree size, index or time that the C2SP formats can carry."""

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def parse_decimal(text: str, what: str, *, most: int = MAX_SIZE) -> int:
    """Read a number that is written in ASCII digits, without sign or leading zero."""
    # fullmatch, since "$" would let a trailing newline pass; {0,18}, since
    # int() takes quadratic time and refuses above 4,300 digits in its own words.
    if not _DECIMAL.fullmatch(text) or (number := int(text)) > most:
        raise MalformedError(f"{what} is not a decimal number from 0 to {most}")
    return number


def parse_base64(text: str, what: str) -> bytes:
    """Read padded standard base64, in its one canonical spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise MalformedError(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise MalformedError(f"{what} is base64, but not in its one canonical form")
    return data


def parse_hash(text: str, what: str) -> bytes:
    """Read the base64 of a SHA-256 hash."""
    data = parse_base64(text, what)
    if len(data) != HASH_SIZE:
        raise MalformedError(f"{what} is {len(data)} bytes long, not {HASH_SIZE}")
    return data


def parse_digest(text: object) -> bytes:
    """The hash in a digest such as sha256:2cf24dba…"""
    if type(text) is not str or not _DIGEST.fullmatch(text):
        raise MalformedError("a digest is sha256: and 64 hex digits in lower case")
    return bytes.fromhex(text.removeprefix("sha256:"))


def digest_text(digest: bytes) -> str:
    """Write a SHA-256 hash as records do."""
    return f"sha256:{digest.hex()}"


def base64_text(data: bytes) -> str:
    """Write `data` as padded standard base64."""
    return base64.b64encode(data).decode()
