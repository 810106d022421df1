"""docs/record.md: the reference of records, for people; made from the types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import get_args

from msgspec import inspect

from ledger.schema.checking import wanted_of
from ledger.schema.examples import example
from ledger.schema.kinds import DONE, KINDS, Kind
from ledger.schema.record import Record
from ledger.schema.words import TARGETS, Relation


def page(begin: str, code: Callable[[str], str]) -> str:
    """All of it from the heading Kinds on; what stands before is written by hand.

    `code` is how one of a kind is made in Python, `begin` what stands before that.
    """
    parts = dict(_parts(inspect.type_info(Record)))
    return "".join(
        [
            "## Kinds\n\nIn Python each is a line or two, behind these:\n\n",
            f"```python\n{begin}```\n\n",
            *(_kind(name, each, code(name)) for name, each in KINDS.items()),
            "## Members\n\n",
            *(_part(name, part) for name, part in parts.items()),
            "## Links\n\n",
            "`rel` is one of ",
            ", ".join(f"`{each}`" for each in get_args(Relation)),
            ".\n\n| `target` | what it is |\n|---|---|\n",
            *(f"| `{start}…` | {says} |\n" for start, (_, says) in TARGETS.items()),
        ]
    )


def _kind(name: str, kind: Kind, code: str) -> str:
    needs = ", ".join(f"`{each}`" for each in kind.needs) or "nothing more"
    done = ", ".join(f"`{each}`" for each in kind.done)
    ended = f"; in the phases {', '.join(DONE)} also {done}" if done else ""
    record = json.dumps(example(name), indent=2)
    return (
        f"### {name}\n\n{kind.says} It needs {needs}{ended}.\n\n"
        f"```json\n{record}\n```\n\n```python\n{code}```\n\n"
    )


def _parts(info: inspect.Type) -> Iterator[tuple[str, inspect.StructType]]:
    """Every object that there is in a record, the record first, each once."""
    todo = [info]
    while todo:
        found = todo.pop(0)
        match found:
            case inspect.Metadata():
                todo.insert(0, found.type)
            case inspect.ListType():
                todo.append(found.item_type)
            case inspect.StructType():
                yield found.cls.__name__, found
                todo += [each.type for each in found.fields]


def _part(name: str, info: inspect.StructType) -> str:
    says = (info.cls.__doc__ or "").replace("\n\n", "\n").replace("\n    ", "\n")
    rows = "".join(
        f"| `{each.encode_name}` | {'yes' if each.required else ''} "
        f"| {_said(each.type)} |\n"
        for each in info.fields
    )
    title = "The record" if name == "Record" else name
    return (
        f"### {title}\n\n{says.strip()}\n\n"
        f"| member | needed | what it is |\n|---|---|---|\n{rows}\n"
    )


def _said(info: inspect.Type) -> str:
    """What a member is, in a cell of a table."""
    bare = info
    while isinstance(bare, inspect.Metadata):
        bare = bare.type
    match bare:
        case inspect.StructType():
            return f"[{bare.cls.__name__}](#{bare.cls.__name__.lower()})"
        case inspect.ListType():
            return f"a list of: {_said(bare.item_type)}"
        case inspect.AnyType():
            return "anything, or sealed"
        case inspect.UnionType():
            return "a name, or a position"
    said = wanted_of(info)
    return "one of the forms [below](#links)" if "one of the forms" in said else said
