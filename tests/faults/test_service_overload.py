"""A log that is asked for more than it can do refuses, and keeps its word.

Refusals say when to come again, memory stays within the limit of the whole service,
and what was acknowledged is there. How much it takes meanwhile is a figure, and
stands in benchmarks/overload.py.
"""

import shutil

import pytest

from benchmarks import limited, overload
from tests.tools import need

pytestmark = pytest.mark.exhaustive
CAPACITY = 200
"""So little that ten times as much can be offered on a machine that is busy, too."""


@pytest.fixture
def group():
    """256 MiB for everything that a service is."""
    need("wrk")
    if why := limited.unavailable():
        pytest.skip(why)
    with limited.limited(overload.MEMORY) as made:
        yield made


def test_ten_times_the_load_is_refused_in_words_and_loses_nothing(tmp_path, group):
    assert shutil.which("wrk")
    with overload.overloaded(tmp_path, group, CAPACITY) as url:
        before = overload.offer(url, CAPACITY, 2)
        held = group.private_bytes()
        found = overload.offer(url, 10 * CAPACITY, 4)
        grown = group.private_bytes() - held
        acknowledged = before.indexes + found.indexes
        size = overload.published(url, max(acknowledged) + 1)
        assert found.refused > len(found.indexes) > 0
        assert found.untold == 0
        assert len(set(acknowledged)) == len(acknowledged)
        assert size > max(acknowledged)
        assert group.killed() == 0
        assert grown < 32 << 20
