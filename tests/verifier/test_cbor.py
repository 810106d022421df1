"""Deterministic CBOR is read, all else is refused: one value, one encoding."""

import json
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from tests.collisions import colliding_compounds
from tests.reference import rfc8949
from verifier import MalformedError, cbor

KEYS = st.text(max_size=8) | st.integers(-(2**64), 2**64 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | KEYS | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=30,
)


def refused(data: bytes, match: str, **options) -> None:
    """Refuse `data` with a message that has `match`, and within a second."""
    start = process_time()
    with pytest.raises(MalformedError, match=match):
        cbor.decode(data, **options)
    assert process_time() - start < 1, data[:40].hex()


@given(VALUES)
def test_every_value_is_written_as_rfc_8949_says_and_read_back(value):
    data = cbor.encode(value)
    assert data == rfc8949.encode(value)
    assert cbor.decode(data) == value
    assert cbor.encode(cbor.decode(data)) == data


@given(VALUES, st.data())
def test_whatever_is_read_is_what_would_be_written(value, data):
    spoiled = bytearray(cbor.encode(value))
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        at = data.draw(st.integers(0, len(spoiled)), label="at")
        spoiled[at : at + data.draw(st.integers(0, 2), label="gone")] = data.draw(
            st.binary(max_size=2), label="new"
        )
    try:
        read = cbor.decode(bytes(spoiled))
    except MalformedError:
        return
    assert cbor.encode(read) == bytes(spoiled)


# Why rows of appendix A are refused, by how the row begins.
REFUSED = {
    "c2": "tag",  # bignum
    "c3": "tag",
    "f9": "float",
    "fa": "float",
    "fb": "float",
    "f7": "Undefined",
    "f0": "Simple",
    "f8": "(?i)simple",
    "c0": "tag",
    "c1": "tag",
    "d7": "tag",
    "d8": "tag",
    "5f": "indefinite",
    "7f": "indefinite",
    "9f": "indefinite",
    "bf": "indefinite",
    "83018202039f0405ff": "indefinite",
    "83019f0203ff820405": "indefinite",
    "826161bf61626163ff": "indefinite",
}


def test_each_row_of_appendix_a_is_read_and_written_or_refused_for_its_reason():
    path = foreign.folder("cbor") / "appendix_a.json"
    read = 0
    for row in json.loads(path.read_text()):
        reason = REFUSED.get(row["hex"][:2]) or REFUSED.get(row["hex"])
        if reason:
            refused(bytes.fromhex(row["hex"]), reason)
            continue
        value = cbor.decode(bytes.fromhex(row["hex"]))
        if "decoded" in row:
            assert value == row["decoded"]
        else:
            assert row["diagnostic"] == (
                f"h'{value.hex()}'" if isinstance(value, bytes) else "{1: 2, 3: 4}"
            )
        assert cbor.encode(value).hex() == row["hex"]
        read += 1
    assert read == 37


def test_keys_stand_in_bytewise_order_and_not_the_shortest_first():
    # RFC 7049, and what cbor2 calls canonical, put the one-byte key first.
    assert cbor.encode({100: 1, -1: 2}).hex() == "a2 1864 01 20 02".replace(" ", "")
    assert cbor.cbor2.dumps({100: 1, -1: 2}, canonical=True).hex() == "a22002186401"
    refused(bytes.fromhex("a22002186401"), "wrong from byte 1 on")
    assert list(cbor.decode(cbor.encode({"b": 0, "aa": 0, "a": 0}))) == ["a", "b", "aa"]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        pytest.param("a201000200" + "00", "wrong from byte 5 on", id="a byte behind"),
        pytest.param("a2020001 00".replace(" ", ""), "from byte 1", id="unsorted keys"),
        pytest.param("a201000101", "(?i)duplicate", id="a key twice"),
        pytest.param("a2616100616101", "(?i)duplicate", id="a text key twice"),
        pytest.param("a20100f500", "(?i)duplicate|map key", id="1 and True"),
        pytest.param("a1f500", "map key", id="True as a key"),
        pytest.param("a1f600", "map key", id="null as a key"),
        pytest.param("a1416100", "map key", id="bytes as a key"),
        pytest.param("a1f93c0000", "map key", id="float as a key"),
        pytest.param("a18000", "map key", id="a list as a key"),
        pytest.param("1800", "wrong from byte 0", id="0 in two bytes"),
        pytest.param("190017", "wrong from byte 0", id="23 in three bytes"),
        pytest.param("1a0000ffff", "wrong from byte 0", id="65535 in five bytes"),
        pytest.param("1b00000000ffffffff", "wrong from byte 0", id="nine bytes"),
        pytest.param("3800", "wrong from byte 0", id="-1 in two bytes"),
        pytest.param("580141", "wrong from byte 0", id="a long length of bytes"),
        pytest.param("780141", "wrong from byte 0", id="a long length of text"),
        pytest.param("980100", "wrong from byte 0", id="a long length of a list"),
        pytest.param("b8010000", "wrong from byte 0", id="a long length of a map"),
        pytest.param("5fff", "indefinite", id="indefinite bytes"),
        pytest.param("7fff", "indefinite", id="indefinite text"),
        pytest.param("9fff", "indefinite", id="indefinite list"),
        pytest.param("bfff", "indefinite", id="indefinite map"),
        pytest.param("ff", "not deterministic", id="a break alone"),
        pytest.param("63eda080", "not deterministic", id="lone surrogate"),
        pytest.param("61ff", "not deterministic", id="text that is not UTF-8"),
        pytest.param("62c080", "not deterministic", id="overlong UTF-8"),
        pytest.param("", "not deterministic", id="nothing"),
        pytest.param("81", "premature", id="a list that ends early"),
        pytest.param("1c", "not deterministic", id="a reserved head"),
        pytest.param("f820", "not allowed", id="a simple value"),
    ],
)
def test_what_cbor2_is_generous_about_is_refused(data, match):
    refused(bytes.fromhex(data), match)


@pytest.mark.parametrize("major", ["5", "7", "9", "b"])
@pytest.mark.parametrize(
    "length", ["bffffffffffffffff", "b3fffffffffffffff", "affffffff"]
)
def test_a_huge_declared_length_costs_nothing(major, length):
    refused(bytes.fromhex(major + length) + bytes(100), "not deterministic CBOR")
    refused(bytes.fromhex("81" + major + length), "not deterministic CBOR")


ALL_TAGS = [*range(1_101), 43_000, 55_799, 65_535, 65_536, 2**32, 2**64 - 1]
UNDER_TAGS = [
    bytes.fromhex(each)
    for each in ("00", "20", "6128", "4101", "80", "820a1a3b9aca00", "a10000", "f6")
]


def test_no_tag_has_a_meaning_and_each_is_refused_quickly():
    start = process_time()
    for number in ALL_TAGS:
        for below in UNDER_TAGS:
            data = rfc8949.head(rfc8949.TAG, number) + below
            refused(data, "tag")
            refused(b"\xa1\x00" + data, "tag")
    assert process_time() - start < 10


def test_no_tag_is_turned_into_an_object_of_the_senders_choice():
    for number in ALL_TAGS:
        for below in UNDER_TAGS:
            data = rfc8949.head(rfc8949.TAG, number) + below
            try:
                value = cbor.cbor2.loads(data, semantic_decoders=cbor._MEANINGS)
            except cbor.cbor2.CBORDecodeError:
                continue
            assert type(value) is cbor.Tag, number


def test_only_a_listed_tag_passes_and_in_one_encoding():
    signed = cbor.Tag(18, [b"\xa1\x01\x26", {4: b"kid", 33: [b"c"]}, None, bytes(64)])
    data = cbor.encode(signed, tags={18})
    assert data == rfc8949.encode(signed)
    read = cbor.decode(data, tags={18})
    assert (read.tag, list(read.value)[0::2]) == (18, [b"\xa1\x01\x26", None])
    assert cbor.encode(read, tags={18}) == data
    refused(data, "tag 18 is not allowed")
    refused(b"\xd8\x12" + data[1:], "wrong from byte 0", tags={18})
    for number in (0, 2, 17, 19, 55_799):
        refused(rfc8949.head(rfc8949.TAG, number) + data[1:], "tag", tags={18})


def test_sixteen_levels_are_read_and_seventeen_are_not():
    deepest = b"\x81" * 15 + b"\x80"
    assert cbor.encode(cbor.decode(deepest)) == deepest
    refused(b"\x81" + deepest, "deep")
    refused(b"\x81" * 60_000 + b"\x80", "depth")
    refused(b"\xa1\x00" * 30_000 + b"\x00", "depth")
    refused(b"\xd2" * 60_000 + b"\x00", "depth", tags={18})


def test_a_list_inside_itself_is_not_written():
    endless: list = []
    endless.append(endless)
    with pytest.raises(MalformedError, match="nested more than 16 deep"):
        cbor.encode(endless)


def test_8192_items_are_read_and_one_more_is_not():
    most = cbor.encode([0] * 8_192)
    assert cbor.decode(most) == [0] * 8_192
    refused(rfc8949.encode([0] * 8_193), "more than 8192 items")
    refused(rfc8949.encode([[0] * 4_096, [0] * 4_096]), "more than 8192 items")
    refused(rfc8949.encode(dict.fromkeys(range(8_193))), "more than 8192 items")


def test_65535_bytes_are_read_and_one_more_is_not():
    most = rfc8949.encode(bytes(65_532))
    assert len(most) == 65_535
    assert cbor.decode(most) == bytes(65_532)
    refused(rfc8949.encode(bytes(65_533)), "at most 65535 are read")


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (2**64, "64 bits"),
        (-(2**64) - 1, "64 bits"),
        (0.5, "float is not allowed"),
        ("\ud800", "not valid Unicode"),
        ({"\udfff": 0}, "not valid Unicode"),
        ({True: 0}, "neither text nor an integer"),
        ({b"a": 0}, "neither text nor an integer"),
        ({2**64: 0}, "64 bits"),
        ({-(2**64) - 1: 0}, "64 bits"),
        (bytearray(b"a"), "bytearray is not allowed"),
        ({1, 2}, "set is not allowed"),
        (type("Text", (str,), {})("a"), "Text is not allowed"),
        (cbor.Tag(18, 0), "tag 18 is not allowed"),
    ],
)
def test_a_value_that_has_no_encoding_is_not_written(value, match):
    with pytest.raises(MalformedError, match=match):
        cbor.encode(value)
    with pytest.raises(MalformedError, match=match):
        cbor.encode([value])


@pytest.mark.parametrize("data", ["a100f4", "a12000", "81a100f4", "a16161a10000"])
def test_where_keys_are_text_no_integer_is_one(data):
    assert cbor.decode(bytes.fromhex(data)) is not None
    with pytest.raises(MalformedError, match="not int"):
        cbor.decode(bytes.fromhex(data), text_keys=True)
    assert cbor.decode(bytes.fromhex("a1616100"), text_keys=True) == {"a": 0}


@pytest.mark.parametrize(
    "data",
    [
        "a18000",  # a list
        "a1a000",  # a map
        "a1d20000",  # a tag
        "a1f400",  # false
        "a2000080f6",  # the second key
        "8200a18000",  # inside a list, behind an integer
        "82a0a18000",  # behind an empty map
        "8280a18000",  # behind an empty list
        "a100a18000",  # inside a value
        "a161" + "61" + "a18000",  # behind a text
        "8242ffffa18000",  # behind bytes that are none of it
        "82" + "1800" + "a18000",  # behind a number of one byte more
        "821b" + "00" * 8 + "a18000",  # and of eight
        "825818" + "00" * 24 + "a18000",  # behind a length of its own byte
        "9818" + "00" * 23 + "a18000",  # in a long list
        "b818"
        + "".join(f"18{n:02x}00" for n in range(24, 47))
        + "8000",  # in a long map
        "d2a18000",  # under a tag
        "a26161d2008000",  # behind a tag
        "81" * 16 + "a18000",  # as deep as it goes
    ],
)
def test_what_is_no_key_is_noticed_before_anything_is_hashed(data, monkeypatch):
    looked = []
    loads = cbor.cbor2.loads
    monkeypatch.setattr(
        cbor.cbor2, "loads", lambda *a, **k: looked.append(0) or loads(*a, **k)
    )
    refused(bytes.fromhex(data), "neither text nor an integer", tags={18})
    assert not looked


def test_keys_whose_hashes_collide_cost_nothing():
    refused(colliding_compounds(), "neither text nor an integer")
    refused(b"\x81" + colliding_compounds(), "neither text nor an integer")


def test_tags_count_as_depth():
    value: object = 0
    for _ in range(16):
        value = cbor.Tag(18, value)
    assert cbor.encode(value, tags={18}) == b"\xd2" * 16 + b"\x00"
    with pytest.raises(MalformedError, match="nested more than 16 deep"):
        cbor.encode(cbor.Tag(18, value), tags={18})
