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

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import repeat
from operator import itemgetter
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


_Inside: TypeAlias = Iterator[tuple[bytes, Any]]
"""What is in a container: what stands before each member, which is its key, and it."""
_Shape: TypeAlias = tuple[tuple[bytes, ...], Callable[[Any], tuple[Any, ...]]]
_SHAPES: Final[dict[tuple[str, ...], _Shape]] = {}
_MAX_SHAPES: Final = 512
_FEW: Final = 64
_SHORT: Final = 32
"""A shape is remembered if it has few names, and short ones: a megabyte of them."""
_first: Final = itemgetter(0)


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
    # Iterators and no recursion: the depth of the input must not be ours.
    opened: list[_Inside] = []
    here: _Inside = iter(((b"", value),))
    while True:
        for start, item in here:
            out.append(start)
            kind = type(item)
            if kind is str:
                data = _utf8(item)
                size = len(data)
                out.append(_TEXTS[size] if size < 256 else _head(0x60, size))
                out.append(data)
                continue
            if kind in _SCALARS:
                out.append(_write(item))
                continue
            if len(opened) == MAX_DEPTH:
                raise MalformedError(f"nested more than {MAX_DEPTH} deep")
            head, inside, count = _opened(item, kind, tags, sorted_keys)
            items += count
            if items > MAX_ITEMS:
                raise MalformedError(f"more than {MAX_ITEMS} items")
            out.append(head)
            opened.append(here)
            here = inside
            break
        else:
            if not opened:
                return b"".join(out)
            here = opened.pop()


def head_of_bytes(size: int) -> bytes:
    """What a byte string of `size` bytes begins with, for who has the bytes already."""
    return _head(0x40, size)


def _opened(
    item: Any,
    kind: type,
    tags: AbstractSet[int],
    sorted_keys: bool,  # noqa: FBT001 - private
) -> tuple[bytes, _Inside, int]:
    """What a container begins with, what is in it, and how many items."""
    if kind in _MAPS:
        return _head(0xA0, len(item)), _pairs(item, sorted_keys), len(item)
    if kind in _ARRAYS:
        return _head(0x80, len(item)), zip(repeat(b""), item), len(item)
    if kind is Tag and item.tag in tags:
        return _head(0xC0, item.tag), iter(((b"", item.value),)), 0
    raise MalformedError(f"{_name(item)} is not allowed here")


def _pairs(item: Mapping[Any, Any], sorted_keys: bool) -> _Inside:  # noqa: FBT001 - private
    """Encoded keys and their members, in the order of the former, or in their own."""
    if sorted_keys and 1 < len(item) <= _FEW:
        names = tuple(item)
        shape = _SHAPES.get(names) or _shape(names)
        if shape:
            return zip(shape[0], shape[1](item), strict=True)
    pairs = [(_key(key), each) for key, each in item.items()]
    if sorted_keys:
        pairs.sort(key=_first)
    return iter(pairs)


def _shape(names: tuple[Any, ...]) -> _Shape | None:
    """How a map with these keys is written; most maps have keys that others had."""
    if not all(type(name) is str and len(name) <= _SHORT for name in names):
        return None
    pairs = sorted((_text(name), name) for name in names)
    if len(_SHAPES) >= _MAX_SHAPES:
        _SHAPES.clear()
    shape = tuple(text for text, _ in pairs), itemgetter(*(name for _, name in pairs))
    _SHAPES[names] = shape
    return shape


def _key(key: object) -> bytes:
    if type(key) is str:
        return _text(key)
    if type(key) is int:
        return _write(key)
    raise MalformedError("a map key is neither text nor an integer")


def _text(item: str) -> bytes:
    data = _utf8(item)
    return _head(0x60, len(data)) + data


def _utf8(item: str) -> bytes:
    try:
        return item.encode()
    except UnicodeEncodeError:  # a lone surrogate
        raise MalformedError("text that is not valid Unicode") from None


def _write(item: bytes | int | None) -> bytes:
    if isinstance(item, bytes):
        return head_of_bytes(len(item)) + item
    if item is None or isinstance(item, bool):
        return _SIMPLE[item]
    return _head(0x00, item) if item >= 0 else _head(0x20, -1 - item)


_SIMPLE: Final = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}
_WIDTHS: Final = ((1, 24), (2, 25), (4, 26), (8, 27))
"""The bytes that an argument needs from 24 on, and the mark that says so."""


def _head(major: int, argument: int) -> bytes:
    """What an item of a major type begins with, in its shortest form."""
    if argument < 24:
        return _HEADS[major | argument]
    for width, mark in _WIDTHS:
        if not argument >> 8 * width:
            return _HEADS[major | mark] + argument.to_bytes(width, "big")
    raise MalformedError("an integer needs more than 64 bits")


_HEADS: Final = tuple(bytes([each]) for each in range(256))
_TEXTS: Final = tuple(_head(0x60, size) for size in range(256))
"""With what a text begins that has so many bytes."""


def _name(item: object) -> str:
    return f"tag {item.tag}" if isinstance(item, Tag) else type(item).__name__
