"""However often something was logged, it is found at once, and page by page."""

import time

import pytest

from ledger.index.follower import Follower
from ledger.index.lookup import MOST, Lookup
from tests.index.following import (
    ALIKE,
    GENESIS,
    follow,
    follower_of,
    numbered,
    places_of,
)


def test_no_more_is_given_at_once_than_was_asked_for(tmp_path):
    size = MOST * ALIKE + 9
    follow(follower_of(tmp_path, size), size)
    lookup = Lookup(tmp_path, GENESIS)
    there = list(range(5, size, ALIKE))
    assert len(there) == MOST + 1
    assert places_of(numbered(5), lookup) == there[:MOST]
    assert places_of(numbered(5), lookup, most=1) == there[:1]
    assert places_of(numbered(5), lookup, most=0) == []


@pytest.mark.parametrize("most", [1, 7, 100])
def test_all_can_be_had_page_by_page(tmp_path, most):
    follow(follower_of(tmp_path, 9000), 9000)
    lookup, found, first = Lookup(tmp_path, GENESIS), [], 0
    while page := places_of(numbered(5), lookup, first=first, most=most):
        assert len(page) <= most
        assert page[0] >= first
        found += page
        first = page[-1] + 1
    assert found == list(range(5, 9000, ALIKE))


class Same:
    """A log of one entry, again and again."""

    def entries(self, start, stop):
        return [b"the same"] * (stop - start)


@pytest.mark.exhaustive
def test_a_digest_that_was_logged_a_million_times_is_found_as_fast(tmp_path):
    follow(Follower(tmp_path, Same(), "opaque", GENESIS), 1_000_000)
    lookup = Lookup(tmp_path, GENESIS)
    assert places_of(b"the same", lookup) == list(range(MOST))
    start = time.perf_counter()
    for first in range(0, 1_000_000, 10_000):
        assert places_of(b"the same", lookup, first=first)[0] == first
    assert time.perf_counter() - start < 100 * 0.1
