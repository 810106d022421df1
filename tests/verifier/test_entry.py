"""An entry of a record log has one encoding, and its time stands in 16 fixed bytes."""

from dataclasses import replace

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import Entry, MalformedError, cbor
from verifier.entry import MAX_AT, MAX_BODY_BYTES, MIN_AT, PREFIX, entry_time

TRUE = Entry(at=1_790_000_000_000, by="s-1", type="text/plain", body=b"hello")
MEMBERS = {"v": 1, "at": TRUE.at, "by": "s-1", "body": b"hello", "type": "text/plain"}

TIMES = st.integers(MIN_AT, MAX_AT)
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
ENTRIES = st.builds(
    Entry,
    at=TIMES,
    by=VISIBLE.filter(lambda by: len(by) <= 128),
    type=st.sampled_from(["text/plain", 'application/cose; cose-type="cose-sign1"']),
    body=st.binary(max_size=300),
)


def spoiled(**members: object) -> bytes:
    """The true entry with other members; None leaves one out."""
    return cbor.encode(
        {k: v for k, v in (MEMBERS | members).items() if v is not None},
    )


# What it looks like


def test_an_entry_is_these_bytes():
    assert TRUE.encode() == bytes.fromhex(
        "a5"  # a map of five
        "6176 01"  # "v": 1
        "626174 1b 000001a0c4506c00"  # "at": in 8 bytes
        "626279 63 732d31"  # "by"
        "64626f6479 45 68656c6c6f"  # "body"
        "6474797065 6a 746578742f706c61696e"  # "type"
    )


@given(ENTRIES)
def test_what_is_written_is_read_again(entry):
    assert Entry.parse(entry.encode()) == entry


@pytest.mark.parametrize(
    "body", [b"", b"dbody", b"dtype", b"dtypejtext/plain", b"x" * 23]
)
@pytest.mark.parametrize("type_", ["x/dtype", "dtype/dbody", "x/" + "y" * 22])
@pytest.mark.parametrize("by", ["dbody", "dbodyE", "dtype", "x" * 23, "x" * 24])
def test_members_that_look_like_the_names_of_members_are_read_again(by, type_, body):
    entry = replace(TRUE, by=by, type=type_, body=body)
    assert Entry.parse(entry.encode()) == entry


@pytest.mark.parametrize("bit", range(8 * len(TRUE.encode())))
def test_other_bytes_are_another_entry_or_none(bit):
    data = bytearray(TRUE.encode())
    data[bit // 8] ^= 1 << bit % 8
    try:
        other = Entry.parse(bytes(data))
    except MalformedError:
        return
    assert other != TRUE
    assert other.encode() == bytes(data)


@given(ENTRIES)
def test_what_is_written_is_deterministic_cbor_as_strangers_write_it(entry):
    members = cbor2.loads(entry.encode())
    assert list(members) == ["v", "at", "by", "body", "type"]
    assert cbor2.dumps(members) == entry.encode()


@given(TIMES)
def test_the_time_stands_in_a_prefix_of_16_bytes_whatever_it_is(at):
    data = replace(TRUE, at=at).encode()
    assert data[:8] == PREFIX
    assert data[8:16] == at.to_bytes(8, "big")
    assert entry_time(data) == at
    assert data[16:] == TRUE.encode()[16:]


# What it has to have


def test_the_true_members_are_an_entry():
    assert Entry.parse(spoiled()) == TRUE


@pytest.mark.parametrize("name", MEMBERS)
def test_no_member_may_be_missing(name):
    with pytest.raises(MalformedError, match="exactly: v, at, by, body, type"):
        Entry.parse(spoiled(**{name: None}))


@pytest.mark.parametrize("name", ["", "a", "zz", "V"])
def test_no_member_may_be_added(name):
    with pytest.raises(MalformedError, match="exactly"):
        Entry.parse(spoiled(**{name: 1}))


def test_no_member_may_stand_under_a_number():
    with pytest.raises(MalformedError, match="not int"):
        Entry.parse(cbor.encode({**MEMBERS, 1: 1}))


@pytest.mark.parametrize("value", [[], "an entry", 5, True, None, b"", list(MEMBERS)])
def test_an_entry_is_a_map(value):
    with pytest.raises(MalformedError, match="an entry is a map"):
        Entry.parse(cbor.encode(value))


@pytest.mark.parametrize("at", range(4))
def test_the_members_have_one_order(at):
    pairs = [cbor.encode(k) + cbor.encode(v) for k, v in MEMBERS.items()]
    pairs[at], pairs[at + 1] = pairs[at + 1], pairs[at]
    with pytest.raises(MalformedError, match="deterministic"):
        Entry.parse(b"\xa5" + b"".join(pairs))


def test_no_member_stands_twice():
    twice = b"\xa6" + TRUE.encode()[1:] + b"\x61v\x01"
    with pytest.raises(MalformedError, match="deterministic"):
        Entry.parse(twice)


def test_nothing_follows_the_entry():
    with pytest.raises(MalformedError, match="deterministic"):
        Entry.parse(TRUE.encode() + b"\x00")


@pytest.mark.parametrize("stop", range(len(TRUE.encode())))
def test_an_entry_that_was_cut_off_is_none(stop):
    with pytest.raises(MalformedError):
        Entry.parse(TRUE.encode()[:stop])


# What the members may be


@pytest.mark.parametrize("version", [0, 2, -1, True, "1", b"\x01", [1]])
def test_the_version_is_the_integer_1(version):
    with pytest.raises(MalformedError, match="version"):
        Entry.parse(spoiled(v=version))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("at", MIN_AT - 1),
        ("at", MAX_AT + 1),
        ("at", -MIN_AT),
        ("at", True),
        ("at", "1790000000000"),
        ("at", [MIN_AT]),
        ("by", ""),
        ("by", "x" * 129),
        ("by", "s 1"),
        ("by", "s-1\n"),
        ("by", "s\x7f"),
        ("by", "ß"),
        ("by", b"s-1"),
        ("by", 1),
        ("type", "text"),
        ("type", "/plain"),
        ("type", "text/"),
        ("type", "te xt/plain"),
        ("type", "text/plain\n"),
        ("type", "text/pläin"),
        ("type", "text/" + "x" * 251),
        ("type", b"text/plain"),
        ("body", "hello"),
        ("body", [b"hello"]),
        ("body", bytes(MAX_BODY_BYTES + 1)),
    ],
)
def test_a_member_out_of_its_bounds_is_named(member, value):
    with pytest.raises(MalformedError, match=f"^{member} is not"):
        Entry.parse(spoiled(**{member: value}))
    with pytest.raises(MalformedError, match=f"^{member} is not"):
        replace(TRUE, **{member: value}).encode()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("at", MIN_AT),
        ("at", MAX_AT),
        ("by", "!"),
        ("by", "~" * 128),
        ("type", "a/b"),
        ("type", "text/plain; charset=utf-8"),
        ("type", "text/" + "x" * 250),
        ("body", b""),
        ("body", bytes(MAX_BODY_BYTES)),
    ],
)
def test_a_member_may_lie_on_its_bounds(member, value):
    entry = replace(TRUE, **{member: value})
    assert Entry.parse(entry.encode()) == entry


def test_the_largest_entry_fits_into_an_entry_tile():
    largest = Entry(at=MAX_AT, by="x" * 128, type="x/" + "y" * 253, body=bytes(65_000))
    assert len(largest.encode()) <= 65_535


# The time alone


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PREFIX,
        TRUE.encode()[:15],
        b"\x00" + TRUE.encode(),
        b"\xa4" + TRUE.encode()[1:],
        PREFIX + (MIN_AT - 1).to_bytes(8, "big"),
        PREFIX + (MAX_AT + 1).to_bytes(8, "big"),
        PREFIX + b"\xff" * 8,
    ],
)
def test_no_time_is_read_from_what_does_not_begin_as_an_entry(data):
    with pytest.raises(MalformedError, match="does not begin"):
        entry_time(data)


def test_the_time_is_read_from_the_prefix_alone():
    assert entry_time(TRUE.encode()[:16]) == TRUE.at
