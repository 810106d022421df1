"""The types of plain records, which have no surprises.

They are made from those of `ledger.schema.record`. A plain record is ASCII without
backslashes, short, has no member that this version does not know, and says what it
says by digests. Most records are plain; two libraries read, check and write those
without a line of Python between. The one that writes is for DAG-CBOR: of text, whole
numbers, lists and maps with names, which are all that a plain record has, it writes
what `verifier.cbor` does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from libipld import encode_dag_cbor
from msgspec import (
    UNSET,
    Meta,
    MsgspecError,
    Struct,
    UnsetType,
    defstruct,
    json,
    structs,
    to_builtins,
)

from ledger.schema.record import Record
from ledger.schema.words import Name
from verifier import cbor

_NAME: Final = get_args(Name)[1]
_SHORT: Final = Meta(min_length=_NAME.min_length, max_length=_NAME.max_length)
"""The rule of names, for text that is ASCII and has no control characters."""


def read_plain(data: bytes) -> tuple[dict[str, Any], bytes] | None:
    """The record in `data` and its canonical form, if its form is a plain one's.

    What members say about each other was not looked at.
    """
    # More items than a reader of the log takes need more bytes than that.
    if len(data) > cbor.MAX_ITEMS:
        return None
    # Behind a backslash may be a quote, or half a character.
    if b"\\" in data or not data.isascii() or b"\x7f" in data:
        return None
    try:
        record = _decoder()(data)
    except (MsgspecError, RecursionError):
        return None
    # Of two members that are the same C keeps the last, and of -0 it makes 0. What
    # goes out is as long as what came in where neither was, nor any space; else its
    # quotes and minus signs are counted. Without backslashes each quote ends a text.
    again = _encode(record)
    if len(data) != len(again) and (
        data.count(b'"') != again.count(b'"') or data.count(b"-") != again.count(b"-")
    ):
        return None
    value: dict[str, Any] = to_builtins(record)
    return value, encode_dag_cbor(value)


def _plain(of: type[Struct]) -> type[Struct]:
    """The same type without what is not plain."""
    hints = get_type_hints(of, include_extras=True)
    found: list[tuple[str, tuple[Any, ...]]] = []
    for field in structs.fields(of):
        plain = _plain_type(hints[field.name])
        if plain is not None:
            needs = (field.name, plain)
            may = (field.name, plain | UnsetType, UNSET)
            found.append((field.encode_name, needs if field.required else may))
    renamed = {field[0]: name for name, field in found if field[0] != name}
    return defstruct(
        of.__name__,
        [field for _, field in found],
        rename=renamed or None,
        forbid_unknown_fields=True,
        kw_only=True,
        frozen=True,
        gc=False,
    )


def _plain_type(hint: Any) -> Any:
    """The same for the type of a member; None if it may be anything."""
    if hint is Any:
        return None
    origin, members = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kept = [each for each in members if each is not UnsetType]
        made = [_plain_type(each) for each in kept]
        return None if None in made else Union[tuple(made)]  # noqa: UP007 - of a tuple
    if origin is Annotated:
        rules = [_SHORT if each is _NAME else each for each in hint.__metadata__]
        return Annotated[(_plain_type(members[0]), *rules)]
    if origin is list:
        item = _plain_type(members[0])
        return None if item is None else list[item]  # type: ignore[valid-type]
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _plain(hint)
    return hint


@cache
def _decoder() -> Callable[[bytes], Any]:
    """Made when it is first needed: it takes longer than many commands do."""
    return json.Decoder(_plain(Record)).decode


_encode: Final = json.Encoder().encode
