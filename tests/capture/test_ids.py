"""Ids are UUIDv7, each larger than the one before, whatever the clock does."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.ids import IDS, Ids
from verifier.record import check_record

MS = st.integers(0, 2**47)


def ids_at(times, random_bits=lambda bits: 0):
    """Ids made at these times, one after the other."""
    clock = iter(times)
    made = Ids(now_ms=lambda: next(clock), random_bits=random_bits)
    return [made.new() for _ in times]


def test_the_recipe_for_others_makes_what_a_record_may_have():
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    recipe, _, _ = page.partition("```python\n")[2].partition("```")
    names = {}
    exec(recipe, names)  # noqa: S102 - it is the page's own
    one, two = names["new_id"](), names["new_id"]()
    assert check_record({"id": one}) != check_record({"id": two})
    assert abs((UUID(one).int >> 80) - (UUID(IDS.new()).int >> 80)) < 60_000


@given(st.lists(MS, min_size=2, max_size=50), st.integers(0, 2**74 - 1))
def test_each_is_larger_than_the_one_before_whatever_the_clock_does(times, drawn):
    made = ids_at(times, lambda bits: drawn & (1 << bits) - 1)
    assert made == sorted(set(made))


@given(MS, st.integers(0, 2**74 - 1))
def test_each_is_a_uuid_of_version_7_as_a_record_has_it(ms, drawn):
    (id_,) = ids_at([ms], lambda bits: drawn)
    made = UUID(id_)
    assert (made.version, made.variant) == (7, RFC_4122)
    check_record({"id": id_})


@given(MS, st.integers(0, 2**74 - 1))
def test_it_begins_with_the_time(ms, drawn):
    (id_,) = ids_at([ms], lambda bits: drawn)
    assert UUID(id_).int >> 80 == ms


@given(MS, st.integers(0, 2**74 - 1))
def test_every_random_bit_is_in_it(ms, drawn):
    (id_,) = ids_at([ms], lambda bits: drawn)
    number = UUID(id_).int
    assert (number >> 64 & 0xFFF) << 62 | number & (1 << 62) - 1 == drawn


def test_where_the_random_part_is_used_up_the_time_goes_on():
    first, second = ids_at([5, 5], lambda bits: (1 << bits) - 1)
    assert first < second
    assert UUID(second).int >> 80 == 6


def test_the_example_of_the_rfc_is_what_its_time_and_chance_give():
    # RFC 9562, A.6.
    drawn = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    assert ids_at([0x017F22E279B0], lambda bits: drawn) == [
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    ]


def test_threads_never_get_the_same():
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda _: [IDS.new() for _ in range(500)], range(8)))
    assert all(part == sorted(part) for part in parts)
    assert len({id_ for part in parts for id_ in part}) == 8 * 500


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_go_on_where_its_parent_was(monkeypatch):
    monkeypatch.setattr(IDS, "_now_ms", lambda: 5)
    monkeypatch.setattr(IDS, "_random_bits", lambda bits: os.getpid())
    IDS.new()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, IDS.new().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = UUID(os.read(reader, 36).decode())
    os.close(reader)
    os.close(writer)
    assert theirs.int & (1 << 62) - 1 == child
