"""Map keys that all have the same hash in Python, whatever seed it was started with."""

from tests.reference import rfc8949


def colliding_compounds() -> bytes:
    """Keys around pairs that all have the same hash: xxHash in CPython, no secret."""
    word, one, two = 2**64, 11400714785074694791, 14029467366897019727
    keys = []
    for first in range(12_800):
        lane = (2870177450012600261 + first * two) % word
        lane = (lane << 31 | lane >> 33) * one % word
        second = (-lane * pow(two, -1, word) + word // 2) % word - word // 2
        if abs(second) < 2**61 - 1 and second != -1:
            keys.append(b"\xa1" * 3 + rfc8949.encode([first, second]) + bytes(3))
    keys = keys[:3_200]
    return rfc8949.head(rfc8949.MAP, len(keys)) + b"".join(key + b"\0" for key in keys)
