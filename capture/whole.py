"""What no record can have, with its place: found before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from verifier.document import MAX_INTEGER

MOST: Final = 10
"""How many are told at once."""
_MOST_ITEMS: Final = 100_000
_MOST_DEPTH: Final = 32
_MENDS: Final[dict[type, tuple[str, str]]] = {
    type(None): ("null", "leave it out"),
    bytes: ("bytes", "give their digest, or base64 as text"),
    tuple: ("a tuple", "make it a list"),
    set: ("a set", "make it a list"),
}


def odd_in(
    value: Any, path: str = "", *, lists: tuple[type, ...] = (list,)
) -> Iterator[str]:
    """Each place in `value` where something is that no record has, and its mend.

    What is larger, or deeper, than any record is not looked through.
    """
    todo: list[tuple[str, Any, int]] = [(path, value, 0)]
    for _ in range(_MOST_ITEMS):
        if not todo:
            return
        at, item, depth = todo.pop()
        below: list[tuple[str, Any]] = []
        if isinstance(item, Mapping):
            below = [(f"{at}.{name}" if at else f"{name}", item[name]) for name in item]
        elif isinstance(item, lists):
            some: Any = item
            below = [(f"{at}[{number}]", each) for number, each in enumerate(some)]
        elif mend := _mend(item):
            yield f"{at} is {mend}"
        if depth < _MOST_DEPTH:
            todo += ((name, each, depth + 1) for name, each in reversed(below))


def _mend(item: Any) -> str:
    if isinstance(item, str | bool):
        return ""
    if isinstance(item, int):
        if -MAX_INTEGER <= item <= MAX_INTEGER:
            return ""
        return "an integer beyond ±(2^53-1): write it as text"
    if isinstance(item, float):
        return f"{item!r}: write decimals as text"
    called, mend = _MENDS.get(type(item), (f"a {type(item).__name__}", ""))
    if hasattr(item, "isoformat"):
        mend = "write it as text, a time in UTC as 2026-11-30T12:00:00Z"
    return f"{called}: {mend or 'write it as text, or leave it out'}"
