"""JSON documents, read strictly.

A document is one JSON object whose numbers are integers that every language can
hold, without null, floats, repeated members or broken Unicode: the data model
of records, so that what is read here can be written as deterministic CBOR and
back. Python's reader takes all of those, and NaN as well.

What strangers have signed is in no such model, and `parse_json` reads it: with null
and with any number, and as strict as the other in all that lets two readers
of the same bytes see two values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from verifier.errors import MalformedError

MAX_INTEGER: Final = 2**53 - 1
"""Beyond this, readers that keep numbers as doubles see another number."""
MAX_DEPTH: Final = 16
MAX_FOREIGN_DEPTH: Final = 64
MAX_VALUES: Final = 65_536


class NumberText(str):
    """A number as it was written: no integer, or one of many digits, or a -0.

    No float ever stands for it, for nobody agrees on how to write one again.
    """

    __slots__ = ()


def parse_document(
    data: bytes,
    what: str,
    *,
    most: int,
    depth: int = MAX_DEPTH,
    values: int = MAX_VALUES,
) -> dict[str, Any]:
    """Read `data` as one JSON object of at most `most` bytes, and so many values."""
    _check_size(data, what, most)
    value = _loads(data, what, parse_int=_integer, parse_float=_refuse)
    if type(value) is not dict:
        raise MalformedError(f"{what} is not a JSON object")
    check_value(value, what, most=depth, values=values)
    return value


def parse_json(
    data: bytes,
    what: str,
    *,
    most: int,
    depth: int = MAX_FOREIGN_DEPTH,
    values: int = MAX_VALUES,
) -> Any:
    """Read `data`, which a stranger wrote, as one JSON value of at most `most` bytes.

    Members that stand twice, NaN, and text that is not valid Unicode are refused,
    as is what is nested more than `depth` deep. Numbers are int or NumberText.
    """
    _check_size(data, what, most)
    _check_nesting(data, what, depth)
    value = _loads(data, what, parse_int=_number, parse_float=NumberText)
    _walk(value, what, depth, _check_text, values)
    return value


def parse_object(
    data: bytes, what: str, *, most: int, depth: int = MAX_FOREIGN_DEPTH
) -> dict[str, Any]:
    """Read `data` as `parse_json` does, if it is an object."""
    value = parse_json(data, what, most=most, depth=depth)
    if type(value) is not dict:
        raise MalformedError(f"{what} is not a JSON object")
    return value


def _check_size(data: bytes, what: str, most: int) -> None:
    if len(data) > most:
        raise MalformedError(f"{what} of {len(data)} bytes; at most {most} are read")


# A text, closed or not, so that the brackets in it are no marks; or a mark. It
# never fails once it has begun, and so never goes back.
_MARK: Final = re.compile(rb'"[^"\\]*(?:\\.?[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


def _check_nesting(data: bytes, what: str, most: int) -> None:
    """Return if nothing is nested too deep for json, which calls itself in C."""
    depth = 0
    for found in _MARK.finditer(data):
        mark = data[found.start()]
        depth += (mark in b"[{") - (mark in b"]}")
        if depth > most:
            raise MalformedError(f"{what} is nested more than {most} deep")


def _loads(
    data: bytes,
    what: str,
    *,
    parse_int: Callable[[str], Any],
    parse_float: Callable[[str], Any],
) -> Any:
    try:
        return json.loads(
            # Decoded here, since json.loads would guess UTF-16 and UTF-32, too.
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=parse_int,
            parse_float=parse_float,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise MalformedError(f"{what} is not strict JSON: {reason}") from None


def check_value(
    value: object, what: str, *, most: int = MAX_DEPTH, values: int = MAX_VALUES
) -> None:
    """Return if `value` fits the data model, nested at most `most` deep."""
    _walk(value, what, most, _check_scalar, values)


def _walk(
    value: object,
    what: str,
    most: int,
    check: Callable[[object, str], None],
    values: int = MAX_VALUES,
) -> None:
    seen = 0
    todo: list[tuple[object, int]] = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        seen += 1
        if seen > values:
            raise MalformedError(f"{what} has more than {values} values")
        if depth == most and isinstance(item, dict | list):
            raise MalformedError(f"{what} is nested more than {most} deep")
        if isinstance(item, dict):
            if not all(type(name) is str for name in item):
                raise MalformedError(f"{what} has a member whose name is not text")
            todo.extend((each, depth + 1) for each in (*item.keys(), *item.values()))
        elif isinstance(item, list):
            todo.extend((each, depth + 1) for each in item)
        else:
            check(item, what)


def _check_text(item: object, what: str) -> None:
    # A lone surrogate, which JSON can spell and UTF-8 cannot carry.
    if (
        isinstance(item, str)
        and not item.isascii()
        and any("\ud800" <= each <= "\udfff" for each in item)
    ):
        raise MalformedError(f"{what} has text that is not valid Unicode")


def _check_scalar(item: object, what: str) -> None:
    if isinstance(item, str):
        _check_text(item, what)
    elif type(item) is int:
        if not -MAX_INTEGER <= item <= MAX_INTEGER:
            raise MalformedError(f"{what} has an integer beyond ±(2^53−1)")
    elif type(item) is not bool:
        hint = "; write decimals as text" if isinstance(item, float) else ""
        says = f"{what} has {_name(item)}, which records do not have{hint}"
        raise MalformedError(says)


def member(document: dict[str, Any], name: str, kind: type, what: str) -> Any:
    """The member `name` of `document`, which has to be there and be of `kind`."""
    if type(value := document.get(name)) is not kind:
        raise MalformedError(f'{what} has no member "{name}" that is {TYPES[kind]}')
    return value


def check_members(document: dict[str, Any], allowed: frozenset[str], what: str) -> None:
    """Return if every member of `document` is one of `allowed`."""
    for name in document:
        if name not in allowed:
            raise MalformedError(f"{what} has a member {name[:40]!r} that nobody reads")


TYPES: Final[dict[type, str]] = {
    str: "text",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
"""What the types of JSON are called in a message."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has the same member twice")
    return value


def _integer(digits: str) -> int:
    # Bounded before int(), which takes quadratic time.
    if len(digits) > len(str(MAX_INTEGER)) + 1 or digits == "-0":
        raise ValueError("an integer beyond ±(2^53−1), or a negative zero")
    return int(digits)


def _number(digits: str) -> int | NumberText:
    # Those of 64 bits have at most 20 characters; int() takes quadratic time.
    plain = len(digits) <= 20 and digits != "-0"
    return int(digits) if plain else NumberText(digits)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word[:20]} is no integer; write decimals as text")


def _name(item: object) -> str:
    return "null" if item is None else f"a {type(item).__name__}"
