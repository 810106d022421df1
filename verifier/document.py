"""JSON documents, read strictly.

A document is one JSON object whose numbers are integers that every language can
hold, without null, floats, repeated members or broken Unicode: the data model
of records, so that what is read here can be written as deterministic CBOR and
back. Python's reader takes all of those, and NaN as well.
"""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from verifier.errors import MalformedError

MAX_INTEGER: Final = 2**53 - 1
"""Beyond this, readers that keep numbers as doubles see another number."""
MAX_DEPTH: Final = 16
MAX_VALUES: Final = 65_536


def parse_document(
    data: bytes, what: str, *, most: int, depth: int = MAX_DEPTH
) -> dict[str, Any]:
    """Read `data` as one JSON object of at most `most` bytes."""
    if len(data) > most:
        raise MalformedError(f"{what} of {len(data)} bytes; at most {most} are read")
    try:
        value = json.loads(
            # Decoded here, since json.loads would guess UTF-16 and UTF-32, too.
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise MalformedError(f"{what} is not strict JSON: {reason}") from None
    if type(value) is not dict:
        raise MalformedError(f"{what} is not a JSON object")
    check_value(value, what, most=depth)
    return value


def check_value(value: object, what: str, *, most: int = MAX_DEPTH) -> None:
    """Return if `value` fits the data model, nested at most `most` deep."""
    seen = 0
    todo: list[tuple[object, int]] = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise MalformedError(f"{what} has more than {MAX_VALUES} values")
        if depth == most and isinstance(item, dict | list):
            raise MalformedError(f"{what} is nested more than {most} deep")
        if isinstance(item, dict):
            if not all(type(name) is str for name in item):
                raise MalformedError(f"{what} has a member whose name is not text")
            todo.extend((each, depth + 1) for each in (*item.keys(), *item.values()))
        elif isinstance(item, list):
            todo.extend((each, depth + 1) for each in item)
        else:
            _check_scalar(item, what)


def _check_scalar(item: object, what: str) -> None:
    if isinstance(item, str):
        # A lone surrogate, which JSON can spell and UTF-8 cannot carry.
        if not item.isascii() and any("\ud800" <= each <= "\udfff" for each in item):
            raise MalformedError(f"{what} has text that is not valid Unicode")
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
        raise MalformedError(f'{what} has no member "{name}" that is {_KINDS[kind]}')
    return value


def check_members(document: dict[str, Any], allowed: frozenset[str], what: str) -> None:
    """Return if every member of `document` is one of `allowed`."""
    for name in document:
        if name not in allowed:
            raise MalformedError(f"{what} has a member {name[:40]!r} that nobody reads")


_KINDS: Final[dict[type, str]] = {
    str: "text",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


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


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word[:20]} is no integer; write decimals as text")


def _name(item: object) -> str:
    return "null" if item is None else f"a {type(item).__name__}"
