"""Rows are the bytes that docs/store.md shows, sort as numbers, and read back alone."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Held
from ledger.store import Charter, Head, layout
from tests.reference.rfc6962 import Tree
from verifier import cbor

PAGE = Path(__file__).resolve().parents[2] / "docs" / "store.md"
CHARTER = Charter(
    origin="log.example/doc",
    kind="opaque",
    dedupe=False,
    genesis=bytes(range(16)),
    operator="p-1",
)
ROOT = Tree([b"", b"a", b"b"]).mth(0, 3)
HEAD = Head(batch=1, size=3, root=ROOT, at=1_790_000_000_000, frozen=False)

numbers = st.integers(0, 2**64 - 1)
heads = st.builds(
    Head,
    batch=numbers,
    size=numbers,
    root=st.binary(min_size=32, max_size=32),
    at=numbers,
    frozen=st.booleans(),
)


def refused(read, data):
    """The words with which `read` says that `data` is damage."""
    with pytest.raises(Held) as raised:
        read(data)
    assert raised.value.state == "damaged"
    return str(raised.value)


def spelled(**members):
    """A charter with members that it should not have."""
    true = {name: getattr(CHARTER, name) for name in Charter.__slots__}
    return cbor.encode(true | members)


# Keys


@given(numbers, numbers)
def test_keys_sort_as_numbers_do(one, other):
    keys = layout.index_key(one), layout.index_key(other)
    assert (keys[0] < keys[1]) == (one < other)
    assert {len(key) for key in keys} == {8}
    assert layout.parse_index(keys[0]) == one


@given(st.tuples(st.integers(0, 63), numbers), st.tuples(st.integers(0, 63), numbers))
def test_keys_of_tiles_sort_by_level_and_then_by_index(one, other):
    keys = layout.tile_key(one), layout.tile_key(other)
    assert (keys[0] < keys[1]) == (one < other)
    assert layout.parse_tile_key(keys[0]) == one


# Head


@given(heads)
def test_a_head_reads_back(head):
    assert layout.parse_head(layout.head_value(head)) == head


@pytest.mark.parametrize("length", [0, 1, 48, 56, 58, 114])
def test_a_head_of_another_length_is_damage(length):
    data = (layout.head_value(HEAD) * 2)[:length]
    assert f"{length} bytes, not 57" in refused(layout.parse_head, data)


def test_what_says_neither_frozen_nor_not_is_damage():
    refused(layout.parse_head, layout.head_value(HEAD)[:-1] + b"\2")


# Charter


@pytest.mark.parametrize("kind", ["record", "statement", "opaque"])
@pytest.mark.parametrize("dedupe", [False, True])
def test_a_charter_reads_back(kind, dedupe):
    charter = replace(CHARTER, kind=kind, dedupe=dedupe)
    assert layout.parse_charter(layout.charter_value(charter)) == charter


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xa0", id="no members"),
        pytest.param(cbor.encode([]), id="no map"),
        pytest.param(layout.charter_value(CHARTER)[:-1], id="cut short"),
        pytest.param(layout.charter_value(CHARTER) + b"\0", id="longer"),
        pytest.param(spelled(more=1), id="more members"),
        pytest.param(spelled(kind="diary"), id="a kind there is none of"),
        pytest.param(spelled(genesis=bytes(15)), id="short genesis"),
        pytest.param(spelled(genesis="0123456789abcdef"), id="genesis of text"),
        pytest.param(spelled(genesis=16), id="genesis a number"),
        pytest.param(spelled(origin=b"log.example/doc"), id="origin of bytes"),
        pytest.param(spelled(dedupe=1), id="dedupe a number"),
        pytest.param(spelled(operator=[]), id="operator a list"),
    ],
)
def test_a_charter_that_none_would_write_is_damage(data):
    refused(layout.parse_charter, data)


@given(st.integers(0, 8 * len(layout.charter_value(CHARTER)) - 1))
def test_one_flipped_bit_never_makes_a_charter_of_other_types(bit):
    data = int.from_bytes(layout.charter_value(CHARTER)) ^ 1 << bit
    try:
        charter = layout.parse_charter(data.to_bytes(-(-data.bit_length() // 8)))
    except Held:
        return
    types = {name: type(getattr(charter, name)) for name in Charter.__slots__}
    assert types == {name: type(getattr(CHARTER, name)) for name in types}


# Role and stamp


@pytest.mark.parametrize("data", [b"", b"Writer", b"writer\n", b"copywriter", b"\xff"])
def test_a_role_that_there_is_none_of_is_damage(data):
    refused(layout.parse_role, data)


def test_both_roles_read_back():
    assert [layout.parse_role(each) for each in (b"writer", b"copy")] == [
        "writer",
        "copy",
    ]


def test_a_stamp_is_this_one_or_the_store_is_of_another_version():
    layout.check_format(b"provlog/store/1")
    refused(layout.check_format, None)
    for stamp in (b"provlog/store/2", b"provlog/store/1\n", b"", b"\xff" * 1_000):
        with pytest.raises(Held) as raised:
            layout.check_format(stamp)
        assert raised.value.state == "format"
        assert len(str(raised.value)) < 200


# docs/store.md

SHOWN = {
    "charter": lambda: layout.charter_value(CHARTER).hex(),
    "head": lambda: layout.head_value(HEAD).hex(),
    "tile-keys": lambda: lines(layout.tile_key((0, 256)), layout.tile_key((2, 1))),
    "entry-keys": lambda: lines(layout.index_key(600 // 256), layout.index_key(600)),
}


def lines(*keys: bytes) -> str:
    return "\n".join(key.hex() for key in keys)


def examples():
    found = re.findall(
        r"^```example (\S+)\n(.*?)\n```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.mark.parametrize("name", SHOWN)
def test_a_worked_example_of_the_page_is_what_is_stored(name):
    shown = examples()[name]
    if "keys" not in name:
        shown = "".join(shown.split("\n"))
    assert shown == SHOWN[name]()


def test_every_worked_example_of_the_page_is_looked_at_here():
    assert set(examples()) == set(SHOWN)


def test_the_page_names_every_database_and_every_row():
    names = {*layout.DATABASES, layout.FORMAT_KEY, layout.CHARTER_KEY}
    names |= {layout.ROLE_KEY, layout.HEAD_KEY}
    rows = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
    assert {name.decode() for name in names} <= rows
