"""Whether a record keeps all rules, and every one that it breaks.

It walks the types of `ledger.schema.record` along the record. It is thorough, and
asked only where `ledger.schema.reading` has found that something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, Final

from msgspec import inspect

from ledger.schema.faults import ENOUGH, Fault, Path, spelled
from ledger.schema.kinds import needs_of
from ledger.schema.record import VERSIONS, Record
from verifier.document import MAX_INTEGER, NumberText
from verifier.errors import MalformedError
from verifier.record import commitments_of

_LEAVE: Final = "leave it out"
_SHOWN: Final = 40
_TYPES: Final = {
    dict: "an object",
    list: "a list",
    str: "text",
    NumberText: "a decimal number",
    float: "a decimal number",
    int: "a number",
    bool: "true or false",
    bytes: "bytes",
    type(None): "null",
}


@cache
def record_type() -> inspect.Type:
    """What is known of a record; it is found out when it is first needed."""
    return inspect.type_info(Record)


def faults_in(record: object) -> list[Fault]:
    """What is wrong with `record`, ENOUGH at most; nothing if it keeps every rule."""
    if type(record) is not dict:
        says = f"is {_called(record)}"
        return [Fault("the record", says, "an object with named members")]
    if (version := _wrong_version(record)) is not None:
        return [version]
    found = list(islice(_all_in(record), ENOUGH))
    return list(dict.fromkeys(found or _together(record)))


def _all_in(record: dict[str, Any]) -> Iterator[Fault]:
    """What is wrong with the members, one by one."""
    yield from _outside_the_model(record)
    yield from _walk(record_type(), record, (), "")
    kind, phase = record.get("kind"), record.get("phase")
    if isinstance(kind, str) and isinstance(phase, str):
        yield from _missing(record, kind, phase)


def _wrong_version(record: dict[str, Any]) -> Fault | None:
    """What is wrong with the schema, by which all else is read."""
    known = " or ".join(VERSIONS)
    says = f"{known}, which this log knows"
    if "schema" not in record:
        return Fault("schema", "is missing", says)
    given = record["schema"]
    if type(given) is str and given in VERSIONS:
        return None
    shown = f"{given[:_SHOWN]!a}" if isinstance(given, str) else _called(given)
    return Fault("schema", f"is {shown}", says)


def _outside_the_model(record: dict[str, Any]) -> Iterator[Fault]:
    """What no record has, whatever it is called: null, and numbers that are not whole.

    Only what has no type here: members that have one are looked at by that.
    """
    todo: list[tuple[Path, Any]] = [((), record)]
    while todo:
        path, item = todo.pop()
        if isinstance(item, dict):
            for name in item:
                if type(name) is not str:
                    says = "a name that is text"
                    yield Fault(spelled(path), "has a member without a name", says)
            todo += [((*path, str(name)), item[name]) for name in reversed(item)]
        elif isinstance(item, list):
            todo += [((*path, at), item[at]) for at in reversed(range(len(item)))]
        elif item is None:
            yield Fault(spelled(path), "is null", _LEAVE)
        elif isinstance(item, float | NumberText):
            mend = "a whole number within 2^53-1 of 0, or a decimal as text"
            yield Fault(spelled(path), f"is {_called(item)}", mend)
        elif isinstance(item, int) and abs(item) > MAX_INTEGER:
            mend = "a whole number within 2^53-1 of 0, or its digits as text"
            yield Fault(spelled(path), "is a number that not all can hold", mend)
        elif isinstance(item, bytes):
            yield Fault(spelled(path), "is bytes", "text, or the digest of the bytes")


def _walk(info: inspect.Type, value: Any, path: Path, mend: str) -> Iterator[Fault]:
    """What is wrong with `value`, of which the type `info` says how it has to be."""
    info, said = _bare(info)
    if value is None or isinstance(value, float | NumberText | bytes):
        return  # it is told of already, and may be in any place
    match info:
        case inspect.StructType():
            yield from _walk_object(info, value, path)
        case inspect.ListType():
            yield from _walk_list(info, value, path)
        case inspect.UnionType():
            if not any(not [*_walk(each, value, path, "")] for each in info.types):
                wanted = "a name, or a number"
                yield Fault(spelled(path), f"is {_called(value)}", wanted)
        case _:
            if rule := _broken(info, value):
                yield Fault(spelled(path), rule, said or mend or wanted_of(info))


def _bare(info: inspect.Type) -> tuple[inspect.Type, str]:
    """A type without what is said about it, and what is said of how to mend it."""
    mend = ""
    while isinstance(info, inspect.Metadata):
        mend = (info.extra or {}).get("mend", mend)
        info = info.type
    return info, mend


def _walk_object(info: inspect.StructType, value: Any, path: Path) -> Iterator[Fault]:
    if type(value) is not dict:
        yield Fault(spelled(path), f"is {_called(value)}", "an object")
        return
    for field in info.fields:
        name = field.encode_name
        if name in value:
            yield from _walk(field.type, value[name], (*path, name), "")
        elif field.required:
            yield Fault(spelled((*path, name)), "is missing", wanted_of(field.type))


def _walk_list(info: inspect.ListType, value: Any, path: Path) -> Iterator[Fault]:
    if type(value) is not list:
        yield Fault(spelled(path), f"is {_called(value)}", "a list")
        return
    shortest, longest = info.min_length or 0, info.max_length or len(value)
    if not shortest <= len(value) <= longest:
        wanted = f"a list of {shortest} to {longest}"
        yield Fault(spelled(path), f"has {len(value)} members", wanted)
    for at, each in enumerate(value):
        yield from _walk(info.item_type, each, (*path, at), "")


def _broken(info: inspect.Type, value: Any) -> str:
    """The rule that a single value breaks, or nothing."""
    one: Any = value
    wanted: dict[type, type] = {
        inspect.StrType: str,
        inspect.LiteralType: str,
        inspect.IntType: int,
        inspect.BoolType: bool,
    }
    if type(value) is not wanted.get(type(info), type(value)):
        return f"is {_called(value)}"
    match info:
        case inspect.StrType():
            return _broken_text(info, one)
        case inspect.IntType():
            least = -MAX_INTEGER if info.ge is None else info.ge
            most = MAX_INTEGER if info.le is None else info.le
            return "" if least <= one <= most else f"is {one}"
        case inspect.LiteralType():
            return "" if one in info.values else f"is {one[:_SHOWN]!a}"
    return ""


def _broken_text(info: inspect.StrType, value: str) -> str:
    if len(value) > (info.max_length or len(value)):
        return f"has {len(value)} characters"
    if len(value) < (info.min_length or 0):
        return "is empty"
    if info.pattern and not re.search(info.pattern, value):
        return f"is {value[:_SHOWN]!a}"
    return ""


def wanted_of(info: inspect.Type) -> str:
    """What somebody has to write who has written nothing, or something else."""
    info, mend = _bare(info)
    if mend:
        return mend
    match info:
        case inspect.LiteralType():
            return f"one of {', '.join(map(str, info.values))}"
        case inspect.StructType():
            names = [each.encode_name for each in info.fields if each.required]
            return f"an object with {', '.join(names)}" if names else "an object"
        case inspect.ListType():
            return "a list"
        case inspect.BoolType():
            return "true or false"
    return "text"


def _missing(record: dict[str, Any], kind: str, phase: str) -> Iterator[Fault]:
    """What a record of this kind cannot be without."""
    for need in needs_of(kind, phase):
        if not has(record, need):
            mend = f"a record of the kind {kind} needs it"
            yield Fault(spelled(need), "is missing", mend)


def has(record: Any, need: tuple[str, ...]) -> bool:
    """Whether there is something at the end of a path such as model.digest."""
    for step in need:
        if type(record) is not dict or step not in record:
            return False
        record = record[step]
    return not isinstance(record, list) or bool(record)


def _together(record: dict[str, Any]) -> Iterator[Fault]:
    """What members that are right by themselves say against each other."""
    try:
        sealed = commitments_of(record)
    except MalformedError as error:
        yield Fault("commitments", "cannot be", str(error))
        return
    begin, end = record["time"], record.get("end_time")
    if end is not None and end[:-1] < begin[:-1]:
        yield Fault("end_time", f"is before time, {begin}", "the time when it ended")
    for name in ("inputs", "outputs"):
        for at, each in enumerate(record.get(name, ())):
            here = any(path[:2] == (name, at) for path in sealed)
            if "digest" not in each and "content" not in each and not here:
                mend = "its digest, or a commitment to its content"
                yield Fault(spelled((name, at)), "says nothing of its content", mend)


def _called(value: object) -> str:
    return _TYPES.get(type(value), type(value).__name__)
