"""RFC 8949, section 4.2.1, as it is written there.

Core deterministic encoding of what a record may hold: the argument of a head in
the fewest bytes, definite lengths, and the keys of a map in the bytewise order of
their own encodings.
"""

from __future__ import annotations

from typing import Any

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG = range(7)


def encode(value: Any) -> bytes:
    """The one encoding of `value`."""
    match value:
        case bool() | None:
            data = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
        case int():
            data = head(UNSIGNED, value) if value >= 0 else head(NEGATIVE, -1 - value)
        case bytes():
            data = head(BYTES, len(value)) + value
        case str():
            data = head(TEXT, len(value.encode())) + value.encode()
        case list() | tuple():
            data = head(ARRAY, len(value)) + b"".join(map(encode, value))
        case dict():
            members = {encode(key): encode(each) for key, each in value.items()}
            data = head(MAP, len(value))
            data += b"".join(key + members[key] for key in sorted(members))
        case _:
            data = head(TAG, value.tag) + encode(value.value)
    return data


def head(major: int, argument: int) -> bytes:
    """The initial byte and the argument, in the shortest form that holds it."""
    if argument < 24:
        return bytes([major << 5 | argument])
    for info, width in ((24, 1), (25, 2), (26, 4)):
        if argument < 256**width:
            return bytes([major << 5 | info]) + argument.to_bytes(width, "big")
    return bytes([major << 5 | 27]) + argument.to_bytes(8, "big")
