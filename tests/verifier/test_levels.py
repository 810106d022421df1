"""The levels above the spans are held against those below, up to the root.

A log with a full tile on level 2 is too large to be made here. Its 258 spans were
audited by an earlier run, as far as the progress file says.
"""

import functools

import pytest

from tests.copies import Copy
from tests.testlog import ORIGIN
from verifier import Checkpoint
from verifier.audit import audit
from verifier.damage import ranges
from verifier.hashing import root_over
from verifier.progress import Done, Progress, save
from verifier.span import SPAN, Reading


def under(first, count=1):
    return ((first, first + count),)


@functools.cache
def upper():
    """A log of 2^24 entries and more, from level 2 upwards, and its progress."""
    roots = [number.to_bytes(32, "big") for number in range(258)]
    top = root_over(b"".join(roots[:256]))
    whole = root_over(top + root_over(b"".join(roots[256:])))
    files = {
        "tile/2/000": b"".join(roots[:256]),
        "tile/2/001.p/2": b"".join(roots[256:]),
        "tile/3/000.p/1": top,
    }
    checkpoint = Checkpoint(origin=ORIGIN, size=258 * SPAN, root=whole)
    return files, checkpoint, roots


def found_above(**files):
    true_files, checkpoint, roots = upper()
    source = Copy({**true_files, **files})
    reading = Reading(source=source, size=checkpoint.size, record=False, strict=False)
    done = [Done(root, None, ()) for root in roots]
    kept = save(Progress(done=done, record=False), checkpoint, reading)
    outcome = audit(source, checkpoint, kind="opaque", kept=kept)
    return [(each.check, each.path, each.indexes) for each in outcome.damage]


def flipped(path, at):
    data = bytearray(upper()[0][path])
    data[at] ^= 1
    return {path: bytes(data)}


def test_levels_above_the_second_are_held_against_those_below():
    assert found_above() == []


@pytest.mark.parametrize(
    ("path", "at", "first", "count"),
    [
        ("tile/2/000", 7, 0, SPAN),
        ("tile/2/000", 8_191, 255 * SPAN, SPAN),
        ("tile/2/001.p/2", 33, 257 * SPAN, SPAN),
        ("tile/3/000.p/1", 0, 0, 256 * SPAN),
    ],
)
def test_a_flipped_hash_far_up_is_found(path, at, first, count):
    assert found_above(**flipped(path, at)) == [("tile", path, under(first, count))]


def test_rising_numbers_become_ranges():
    assert ranges(iter([])) == ()
    assert ranges(iter([3])) == ((3, 4),)
    assert ranges(iter([0, 1, 2, 5, 7, 8])) == ((0, 3), (5, 6), (7, 9))
