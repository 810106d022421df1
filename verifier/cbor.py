"""The one allowed encoding: deterministic CBOR, and a reader that refuses all else.

RFC 8949, section 4.2.1: shortest heads, definite lengths, map keys in bytewise
order of their encodings, none twice. cbor2 does the decoding, and it is a codec
and not a judge: it takes long integers, unsorted and repeated keys, trailing
bytes, and turns tags into dates, regular expressions and cyclic lists. So what
it reads is written again by `encode` and compared with what came in: whatever
cbor2 was generous about makes a difference there.

The values are maps with text or integer keys, lists, text, byte strings, 64-bit
integers, booleans, None, and the tags that the caller lists. There are no
floats: nobody agrees on how to write them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, NoReturn, TypeAlias

import cbor2

from verifier.errors import MalformedError

Tag: TypeAlias = cbor2.CBORTag
MAX_BYTES: Final = 65_535
"""The largest input: an entry's length has two bytes in an entry tile."""
MAX_DEPTH: Final = 16
MAX_ITEMS: Final = 8_192
"""The most map keys and array members in one input."""
_MAX_REASON: Final = 200
"""Of what cbor2 says, which may have in it whatever it has read."""
MAX_FOREIGN_KEYS: Final = 256
"""The most keys of one map that a stranger wrote: integers can be made to collide."""

NO_TAGS: Final[AbstractSet[int]] = frozenset()


_SCALARS: Final = frozenset({str, bytes, int, bool, type(None)})
# Below a tag cbor2 gives tuples and frozen maps.
_ARRAYS: Final = frozenset({list, tuple})
_MAPS: Final = frozenset({dict, cbor2.frozendict})


def _refuse_tag(*_: object) -> NoReturn:
    raise ValueError("this tag is not allowed here")


# The tags that cbor2 gives a meaning to. A meaning is a Python object that the
# sender chose: a compiled pattern, a huge power of ten, a list inside itself.
# Whatever a later cbor2 adds is still caught when the value is written again.
_MEANINGS: Final[dict[int, Callable[..., Any]]] = dict.fromkeys(
    [
        *(0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100),
        *(256, 258, 260, 261, 1004, 43000, 55799),
    ],
    _refuse_tag,
)


def decode(
    data: bytes,
    *,
    tags: AbstractSet[int] = NO_TAGS,
    text_keys: bool = False,
    most: int = MAX_BYTES,
    sorted_keys: bool = True,
) -> object:
    """Read `data`, or raise MalformedError saying what is wrong with it.

    Map keys are text or integers; with `text_keys`, which is faster, text alone.
    For every value v, decode(encode(v)) == v; for every input that is accepted,
    encode(decode(data)) == data, unless the keys of maps need not be `sorted_keys`.
    """
    _check_size(data, most)
    if not text_keys:
        _check_keys(data, most_items=MAX_ITEMS)
    try:
        value = _loads(data, tags=_MEANINGS, strict=text_keys)
    except Exception as error:  # noqa: BLE001 - cbor2 lets others' errors through
        reason = str(error.__cause__ or error)[:_MAX_REASON]
        raise MalformedError(f"not deterministic CBOR: {reason}") from None
    written = encode(value, tags=tags, sorted_keys=sorted_keys)
    if written != data:
        same = next(
            (
                at
                for at, (a, b) in enumerate(zip(written, data, strict=False))
                if a != b
            ),
            min(len(written), len(data)),
        )
        raise MalformedError(f"not deterministic CBOR: wrong from byte {same} on")
    return value


def decode_foreign(data: bytes, *, most: int = MAX_BYTES) -> object:
    """Read what somebody has signed as it is, and need not have written as we would.

    Numbers and lengths in whatever width, keys in whatever order, floats; but each
    length stated, each key once, text or an integer, no tag that has a meaning to
    Python, and nothing behind it. What is read so is kept by its bytes, never by
    its value.
    """
    _check_size(data, most)
    if _check_keys(data, MAX_FOREIGN_KEYS) != len(data):
        raise MalformedError("not CBOR, or there is something behind it")
    try:
        return _loads(data, tags=_MEANINGS, strict=False)
    except Exception as error:  # noqa: BLE001 - as above
        reason = str(error.__cause__ or error)[:_MAX_REASON]
        raise MalformedError(f"not CBOR: {reason}") from None


def _check_size(data: bytes, most: int) -> None:
    if len(data) > most:
        raise MalformedError(f"CBOR of {len(data)} bytes; at most {most} are read")


def _loads(data: bytes, *, tags: dict[int, Callable[..., Any]], strict: bool) -> object:
    value: object = cbor2.loads(
        data,
        max_depth=MAX_DEPTH + 1,
        allow_indefinite=False,
        allow_duplicate_keys=False,
        strict_hashable_types=strict,
        semantic_decoders=tags,
    )
    return value


def _check_keys(data: bytes, most_keys: int = 0, most_items: int = 0) -> int:
    """Where the first item of `data` ends, if no key in it is a list, a map or a tag.

    cbor2 hashes keys before anybody can look at them, and the hash of a tuple is
    no secret: 64 kB of keys that collide would keep it busy for half a minute.
    What is malformed otherwise ends this walk; cbor2 says it better.
    """
    at = items = 0
    # For each open item: how many are still to come in it, and whether it is a map.
    todo: list[tuple[int, bool]] = [(1, False)]
    while todo and at < len(data) and len(todo) <= MAX_DEPTH + 2:
        left, is_map = todo.pop()
        if left == 0:
            continue
        todo.append((left - 1, is_map))
        major, info = data[at] >> 5, data[at] & 31
        if is_map and not left & 1 and major > 3:
            raise MalformedError("a map key is neither text nor an integer")
        width = 1 << info - 24 if info >= 24 else 0
        head = data[at + 1 : at + 1 + width]
        argument = int.from_bytes(head, "big") if width else info
        at += 1 + width + (argument if major in (2, 3) else 0)
        if most_keys and major == 5 and argument > most_keys:
            raise MalformedError(f"a map of more than {most_keys} keys")
        if major in (4, 5):
            items += min(argument, len(data) - at)
        if most_items and items > most_items:
            # `encode` would say so as well, when all of them had been made.
            raise MalformedError(f"more than {most_items} items")
        if major in (4, 5, 6):
            members = {4: argument, 5: 2 * argument, 6: 1}[major]
            todo.append((members, major == 5))
    return at


def encode(
    value: object, *, tags: AbstractSet[int] = NO_TAGS, sorted_keys: bool = True
) -> bytes:
    """Write `value` in its one encoding, or raise MalformedError if it has none.

    Without `sorted_keys` the members of maps stay in the order that they have.
    """
    out: list[bytes] = []
    items = 0
    # A stack and no recursion: the depth of the input must not be ours.
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        kind = type(item)
        if kind is _Raw:
            out.append(item)
        elif kind in _SCALARS:
            out.append(_write(item))
        elif depth == MAX_DEPTH:
            raise MalformedError(f"nested more than {MAX_DEPTH} deep")
        elif kind in _ARRAYS or kind in _MAPS:
            items += len(item)
            if items > MAX_ITEMS:
                raise MalformedError(f"more than {MAX_ITEMS} items")
            out.append(_head(0x80 if kind in _ARRAYS else 0xA0, len(item)))
            members = _pairs(item, sorted_keys) if kind in _MAPS else item
            todo.extend((each, depth + 1) for each in reversed(members))
        elif kind is Tag and item.tag in tags:
            out.append(_head(0xC0, item.tag))
            todo.append((item.value, depth + 1))
        else:
            raise MalformedError(f"{_name(item)} is not allowed here")
    return b"".join(out)


class _Raw(bytes):
    """Bytes that are encoded already."""


def _pairs(item: Mapping[Any, Any], sorted_keys: bool) -> list[Any]:  # noqa: FBT001 - private
    """Keys and members in turn, in the order of the encoded keys, or in their own."""
    if not all(type(key) is str or type(key) is int for key in item):
        raise MalformedError("a map key is neither text nor an integer")
    keys = [(_Raw(_write(key)), key) for key in item]
    if sorted_keys:
        keys.sort()
    return [each for encoded, key in keys for each in (encoded, item[key])]


def _write(item: str | bytes | int | None) -> bytes:
    if isinstance(item, int) and not -(2**64) <= item < 2**64:
        raise MalformedError("an integer needs more than 64 bits")
    try:
        return cbor2.dumps(item)
    except Exception:  # noqa: BLE001 - a lone surrogate
        raise MalformedError("text that is not valid Unicode") from None


def _head(major: int, argument: int) -> bytes:
    # An array, a map and a tag start as the integer of the same argument does.
    head = cbor2.dumps(argument)
    return bytes([head[0] | major]) + head[1:]


def _name(item: object) -> str:
    return f"tag {item.tag}" if isinstance(item, Tag) else type(item).__name__
