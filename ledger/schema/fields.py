"""Which fields the schema has, by their paths: for who demands one and misspells it."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from msgspec import inspect

from ledger.schema.record import Record

_RECORD: Final = inspect.type_info(Record)


def has_field(way: tuple[str, ...]) -> bool:
    """Whether the schema has a field of this path; of a list its members are meant."""
    return ".".join(way) in _fields()


def nearest_field(way: tuple[str, ...]) -> str:
    """The field whose path looks most like this one; nothing if none does."""
    return next(iter(get_close_matches(".".join(way), _fields(), 1)), "")


@lru_cache(maxsize=1)
def _fields() -> tuple[str, ...]:
    return tuple(_inside(_RECORD))


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
