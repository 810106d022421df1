"""What a producer may give us as a record: JSON, or canonical CBOR; all else is named.

Whoever exports with another program gets byte order marks, arrays and other
encodings; what they have to change is said, not at which byte a parser gave up.
"""

from __future__ import annotations

import json
from typing import Final

from ledger.errors import Refused
from ledger.schema.demands import NOTHING, Demands
from ledger.schema.faults import Fault
from ledger.schema.reading import read_json
from verifier.errors import MalformedError

_SPACE: Final = b" \t\r\n"
_MAP: Final = range(0xA0, 0xC0)
"""With what a CBOR map begins."""
_MARKS: Final = {
    b"\xef\xbb\xbf": "it begins with a byte order mark; save it without one",
    b"\xff\xfe": "it is UTF-16; save it as UTF-8",
    b"\xfe\xff": "it is UTF-16; save it as UTF-8",
}
_SHOWN: Final = 12


class Canonical(bytes):
    """A record that we have checked, and written in the form that is logged.

    Whoever gets one need not read it again to know that it is right, by which demands,
    its id, and which of them it does not meet: for what it `lacks` it is not taken.
    """

    id: str
    demands: Demands
    lacks: list[Fault]
    flags: tuple[Fault, ...]


def record_in(data: bytes, *, by_line: bool, demands: Demands = NOTHING) -> bytes:
    """The record in a file, or in a line, in canonical CBOR; or Refused.

    CBOR is handed on as it is: whether it is canonical is for the log to say.
    """
    text = data.lstrip(_SPACE)
    if text[:1] == b"{":
        try:
            record, body = read_json(data, demands)
        except MalformedError as error:
            raise Refused("form", str(error)) from None
        written = Canonical(body)
        written.id = record["id"]
        written.demands = demands
        written.lacks = demands.refusals(record)
        written.flags = demands.flags(record)
        return written
    if data[:1] and data[0] in _MAP and not by_line:
        return data
    raise Refused("form", _mistake(data, text, by_line=by_line))


def is_json(data: bytes, *, whole: bool = False) -> bool:
    """Whether it looks like JSON; with `whole`, whether it is."""
    if data.lstrip(_SPACE)[:1] not in (b"{", b"["):
        return False
    if whole:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return False
    return True


def _mistake(data: bytes, text: bytes, *, by_line: bool) -> str:
    """What somebody has to change who gave something else."""
    for mark, says in _MARKS.items():
        if data.startswith(mark):
            return says
    if not text:
        return "an empty line" if by_line else "an empty record"
    if text[:1] == b"[":
        says = "a JSON array; a record is an object"
        return says if by_line else f"{says}. Many are given one a line"
    wanted = "no JSON object" if by_line else "neither a JSON object nor a CBOR map"
    return f"{wanted}; it begins with {text[:_SHOWN]!r}"
