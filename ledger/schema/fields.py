"""Which fields the schema has, by their paths: for who demands one and misspells it."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import Any

from msgspec import inspect

from ledger.schema.checking import record_type


def has_field(way: tuple[str, ...]) -> bool:
    """Whether the schema has a field of this path; of a list its members are meant."""
    return ".".join(way) in _fields()


def nearest_field(way: tuple[str, ...]) -> str:
    """The field whose path looks most like this one; nothing if none does."""
    return next(iter(get_close_matches(".".join(way), _fields(), 1)), "")


@cache
def _fields() -> tuple[str, ...]:
    return tuple(_inside(record_type()))


def _inside(info: Any) -> list[str]:
    """The paths of what is in a type."""
    while isinstance(info, inspect.Metadata | inspect.ListType):
        info = info.type if isinstance(info, inspect.Metadata) else info.item_type
    if not isinstance(info, inspect.StructType):
        return []
    paths = []
    for field in info.fields:
        name = field.encode_name
        paths += [name, *(f"{name}.{more}" for more in _inside(field.type))]
    return paths
