"""A verifier that looks at the ends of a proof only can be shown two histories.

immudb's did. Here every proof that a log makes, up to 64 entries, is spoilt in each
way there is by one step: a hash left out, repeated, flipped, swapped, or put behind
the end. None of them is believed.
"""

from __future__ import annotations

import pytest

from tests.log.fakes import numbered
from tests.spoiling import flipped
from verifier import VerificationError
from verifier.proof import verify_consistency, verify_inclusion
from verifier.tile import Tile


def spoilt(proof: list[bytes]):
    """Each way to change a proof by one step."""
    for at, each in enumerate(proof):
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[:at], each, *proof[at:]]
        for bit in (0, 255):
            yield [*proof[:at], flipped(each, bit), *proof[at + 1 :]]
        if proof[at : at + 2] != proof[at : at + 2][::-1]:
            yield [*proof[:at], *proof[at : at + 2][::-1], *proof[at + 2 :]]
    yield [*proof, bytes(32)]


def is_believed(verify, **claim) -> bool:
    try:
        verify(**claim)
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 33, 63, 64])
def test_immudb_no_proof_but_the_one_that_is_right(new_log, size):
    live = new_log()
    live.append(*numbered(size))
    with live.open() as log:
        reading = log.reading
        for index in range(size):
            root = reading.root(size)
            claim = {"index": index, "size": size, "root": root}
            hashes = reading.hashes(Tile(0, 0, size))
            claim["leaf"] = hashes[32 * index :][:32]
            right = reading.inclusion(index)
            assert is_believed(verify_inclusion, proof=right, **claim)
            for wrong in spoilt(right):
                assert not is_believed(verify_inclusion, proof=wrong, **claim)
        for first in range(1, size):
            claim = {"first": first, "second": size}
            claim |= {"first_root": reading.root(first), "second_root": root}
            right = reading.consistency(first)
            assert is_believed(verify_consistency, proof=right, **claim)
            for wrong in spoilt(right):
                assert not is_believed(verify_consistency, proof=wrong, **claim)
