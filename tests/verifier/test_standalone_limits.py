"""What is at most so large is so for both verifiers, and one more is too much for both.

The limits are those of docs/format.md, section 16. Trees of 2^63 entries exist only on
paper; here are all their entries alike, so that their hashes can be computed.
"""

import json
from functools import cache
from hashlib import sha256

import pytest

from tests.recordlog import record_id, wrapped
from tests.reference import rfc8949
from tests.testlog import (
    LOG,
    WITNESSES,
    b64,
    checkpoint_text,
    note,
    policy_text,
    receipt_text,
)
from tests.twin import ALONE, HOLDS, UNDECIDED, agree, single

ENTRY = b"entry"
LARGEST = 2**63 - 1


# A tree of so many entries, all alike: RFC 6962, section 2.1


def split(size: int) -> int:
    """The largest power of two that is less than `size`."""
    return 1 << (size - 1).bit_length() - 1


def hashed(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@cache
def root(size: int) -> bytes:
    if size == 1:
        return sha256(b"\x00" + ENTRY).digest()
    return hashed(root(split(size)), root(size - split(size)))


def path(index: int, size: int) -> list[bytes]:
    if size == 1:
        return []
    half = split(size)
    if index < half:
        return [*path(index, half), root(size - half)]
    return [*path(index - half, size - half), root(half)]


def subproof(first: int, second: int, *, known: bool) -> list[bytes]:
    if first == second:
        return [] if known else [root(first)]
    half = split(second)
    if first <= half:
        return [*subproof(first, half, known=known), root(second - half)]
    rest = subproof(first - half, second - half, known=False)
    return [*rest, root(half)]


def proven(index: int, size: int, *more: bytes) -> bytes:
    """The tlog-proof of an entry, with hashes behind it that do not belong there."""
    text = checkpoint_text(size, root(min(size, LARGEST)))
    signed = note(text, LOG.line(text))
    return receipt_text(index, [*path(index, min(size, LARGEST)), *more], signed)


@pytest.mark.parametrize("index", [0, 1, 2**62, LARGEST - 2, LARGEST - 1])
def test_the_largest_tree_has_proofs_of_63_hashes_at_most(index):
    receipt = proven(index, LARGEST)
    assert agree(ALONE, receipt, ENTRY, "opaque") == HOLDS
    assert agree(ALONE, receipt, b"other", "opaque") == "inclusion"
    more = bytes(32)
    assert agree(ALONE, proven(index, LARGEST, more), ENTRY, "opaque") == "form"
    assert len(path(0, LARGEST)) == 63


@pytest.mark.parametrize("number", [LARGEST, LARGEST + 1, 10**19 - 1, 10**19])
def test_a_size_and_an_index_are_below_2_to_the_63(number):
    said = agree(ALONE, proven(0, number), ENTRY, "opaque")
    assert said == (HOLDS if number == LARGEST else "form")
    beyond = receipt_text(number, [], proven(0, LARGEST).partition(b"\n\n")[2])
    assert agree(ALONE, beyond, ENTRY, "opaque") == "form"


@pytest.mark.parametrize("first", [1, 2**62 - 1, 2**62, 2**62 + 1, LARGEST - 1])
def test_the_largest_tree_grew_by_64_hashes_at_most(first):
    text = checkpoint_text(first, root(first))
    proof = subproof(first, LARGEST, known=True)
    before = {
        "checkpoint": b64(note(text, LOG.line(text))),
        "proof": [b64(each) for each in proof],
    }
    bundle = {
        "schema": "provlog/bundle/1",
        "entry": b64(ENTRY),
        "receipt": b64(proven(LARGEST - 1, LARGEST)),
        "before": before,
    }
    assert agree(ALONE, json.dumps(bundle).encode()) == HOLDS
    before["proof"] = before["proof"][1:] + before["proof"][:1]
    spoiled = agree(ALONE, json.dumps(bundle).encode())
    assert spoiled == ("consistency" if len({*proof}) > 1 else HOLDS)
    assert len(subproof(2**62 + 1, LARGEST, known=True)) == 64


# Bytes


@pytest.mark.parametrize("size", [0, 65_534, 65_535, 65_536])
def test_an_entry_has_65535_bytes_at_most(size):
    said = agree(ALONE, single(bytes(size)))
    assert said == (HOLDS if size <= 65_535 else "form")


@pytest.mark.parametrize("size", [0, 64_999, 65_000, 65_001])
def test_a_body_has_65000_bytes_at_most(size):
    wrapper = {"v": 1, "at": 2**41, "by": "s-1", "type": "a/b", "body": bytes(size)}
    said = agree(ALONE, single(rfc8949.encode(wrapper)))
    assert said == (HOLDS if size <= 65_000 else "entry")


@pytest.mark.parametrize("extra", [65_535, 65_536, 65_537])
def test_extra_has_65536_bytes_at_most(extra):
    line = f"@v1\nextra {b64(bytes(extra))}\n".encode()
    receipt = proven(0, 1).replace(b"@v1\n", line, 1)
    said = agree(ALONE, receipt, ENTRY)
    assert said == (HOLDS if extra <= 65_536 else "form")


@pytest.mark.parametrize("size", [524_287, 524_288, 524_289])
def test_a_note_has_524288_bytes_at_most(size):
    text = checkpoint_text(1, root(1))
    bare = note(text, LOG.line(text))
    blob = b64(bytes(30_000))
    lines = "".join(f"\u2014 w{n} {blob}\n" for n in range(13)).encode()
    room = size - len(bare) - len(lines) - len(f"\u2014  {b64(bytes(5))}\n".encode())
    last = f"\u2014 {'w' * room} {b64(bytes(5))}\n".encode()
    data = bare + lines + last
    assert len(data) == size
    said = agree(ALONE, receipt_text(0, [], data), ENTRY)
    assert said == (HOLDS if size <= 524_288 else "form")


@pytest.mark.parametrize("count", [99, 100, 101])
def test_a_note_has_100_signatures_at_most(count):
    text = checkpoint_text(1, root(1))
    more = [f"\u2014 w{n} {b64(bytes(5))}\n" for n in range(count - 1)]
    data = note(text, *more, LOG.line(text))
    said = agree(ALONE, receipt_text(0, [], data), ENTRY)
    assert said == (HOLDS if count <= 100 else "form")


@pytest.mark.parametrize("size", [1, 4, 5])
def test_a_signature_has_a_byte_behind_its_key_id(size):
    text = checkpoint_text(1, root(1))
    data = note(text, LOG.line(text), f"\u2014 w {b64(bytes(size))}\n")
    said = agree(ALONE, receipt_text(0, [], data), ENTRY)
    assert said == (HOLDS if size == 5 else "form")


# Policies


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_policy_has_1048576_bytes_at_most(size):
    policy = ALONE + b"#" * (size - len(ALONE) - 1) + b"\n"
    said = agree(policy, single(ENTRY))
    assert said == (HOLDS if size <= 1 << 20 else UNDECIDED)


@pytest.mark.parametrize("lines", [1_023, 1_024, 1_025])
def test_a_policy_has_1024_lines_at_most(lines):
    policy = ALONE + b"\n" * (lines - ALONE.count(b"\n"))
    said = agree(policy, single(ENTRY))
    assert said == (HOLDS if lines <= 1_024 else UNDECIDED)


@pytest.mark.parametrize("words", range(7))
@pytest.mark.parametrize("kind", ["log", "witness", "group", "quorum", "#", "x"])
def test_a_line_has_as_many_words_for_both(kind, words):
    vkeys = WITNESSES[2].vkey
    line = [kind, "w3", vkeys, "w1", "w2", "w2"]
    if kind == "log":
        line = [kind, vkeys, "url", "more"]
    elif kind == "group":
        line = [kind, "g", "any", "w1", "w2", "w2"]
    elif kind == "quorum":
        line = [kind, "w1", "w2"]
    policy = policy_text(witnesses=WITNESSES[:2], quorum=0)
    if kind == "quorum":
        policy = policy.replace(b"quorum none\n", b"")
    agree(policy + " ".join(line[:words]).encode() + b"\n", single(ENTRY))


@pytest.mark.parametrize(
    "least", ["0", "1", "2", "3", "all", "any", "01", "-1", "\u0661"]
)
@pytest.mark.parametrize("signed", [0, 1, 2])
def test_a_group_stands_with_as_many_for_both(least, signed):
    text = checkpoint_text(1, root(1))
    lines = [LOG.line(text), *(each.line(text) for each in WITNESSES[:signed])]
    policy = policy_text(witnesses=WITNESSES[:2], quorum=0).decode()
    policy = policy.replace("quorum none", f"group g {least} w1 w2\nquorum g")
    receipt = receipt_text(0, [], note(text, *lines))
    said = agree(policy.encode(), receipt, ENTRY)
    needed = {"1": 1, "any": 1, "2": 2, "all": 2}.get(least)
    if needed is None:
        assert said == UNDECIDED
    else:
        assert said == (HOLDS if signed >= needed else "quorum")


# Records and openings


def opened(steps: list, value: object) -> bytes:
    """A bundle with a record that is committed to `value`, and opens it."""
    members = ["provlog/commitment/1", bytes(32), record_id(0), steps, value]
    digest = f"sha256:{sha256(rfc8949.encode(members)).hexdigest()}"
    listed = [{"path": steps, "digest": digest}]
    body = rfc8949.encode({"id": record_id(0), "commitments": listed})
    opening = {"path": steps, "salt": b64(bytes(32)), "value": value}
    return single(wrapped(body), [opening])


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17])
def test_a_path_has_1_to_16_steps(length):
    said = agree(ALONE, opened(["a"] * length, "value"))
    assert said == (HOLDS if 1 <= length <= 16 else "form")


@pytest.mark.parametrize("step", ["", "a", 0, 2**53 - 1, -1, 2**53, True])
def test_a_step_is_a_name_or_a_position(step):
    said = agree(ALONE, opened(["a", step], "value"))
    good = type(step) is str or (type(step) is int and 0 <= step < 2**53)
    assert said == (HOLDS if good else "form")


@pytest.mark.parametrize("count", [8_185, 8_186, 8_187])
def test_what_is_hashed_has_8192_members_at_most(count):
    said = agree(ALONE, opened(["a"], [0] * count))
    assert said == (HOLDS if count <= 8_186 else "form")


@pytest.mark.parametrize("depth", [14, 15, 16])
def test_an_opened_value_is_15_deep_at_most(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    said = agree(ALONE, opened(["a"], value))
    assert said == (HOLDS if depth <= 15 else "form")


VALUES = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53 - 1]
VALUES += [-1, -24, -25, -256, -257, -(2**32), -(2**32) - 1, -(2**53) + 1]
SIZES = [0, 23, 24, 255, 256, 65_535, 65_536]


@pytest.mark.parametrize(
    "value",
    [*VALUES, True, False, {}, [], {"b": 1, "a": 2, "aa": 0}, "\u00fc" * 24],
    ids=lambda each: ascii(each)[:20],
)
def test_a_value_of_any_kind_is_opened(value):
    assert agree(ALONE, opened(["a"], value)) == HOLDS
    assert agree(ALONE, opened(["a"], [value, {"x": value}])) == HOLDS


@pytest.mark.parametrize("size", SIZES)
def test_a_text_or_a_list_of_any_size_is_opened(size):
    assert agree(ALONE, opened(["a"], "x" * size)) == HOLDS
    if size <= 256:
        assert agree(ALONE, opened(["a"], [0] * size)) == HOLDS
        assert agree(ALONE, opened(["a"], {f"{n:03}": n for n in range(size)})) == HOLDS


@pytest.mark.parametrize("count", [1_023, 1_024, 1_025])
def test_a_bundle_has_1024_openings_at_most(count):
    openings = [
        {"path": [at], "salt": b64(at.to_bytes(32, "big")), "value": 0}
        for at in range(count)
    ]
    said = agree(ALONE, single(ENTRY, openings))
    # They are too many to fit; what fits no record is refused for that alone.
    assert said == ("opening" if count <= 1_024 else "form")


@pytest.mark.parametrize("number", [2**53 - 1, 2**53, -(2**53) + 1, -(2**53)])
def test_a_record_has_integers_up_to_2_to_the_53(number):
    body = rfc8949.encode({"id": record_id(0), "n": number})
    assert agree(ALONE, single(wrapped(body))) == (
        HOLDS if abs(number) < 2**53 else "form"
    )


@pytest.mark.parametrize("inner", [None, b"", b"x", 1.5])
def test_a_record_has_no_null_and_no_bytes(inner):
    if isinstance(inner, float):
        body = rfc8949.encode({"id": record_id(0), "n": "~"})
        body = body.replace(b"\x61~", bytes.fromhex("f93e00"))
    else:
        body = rfc8949.encode({"id": record_id(0), "n": [{"a": inner}]})
    assert agree(ALONE, single(wrapped(body))) == "form"


@pytest.mark.parametrize(
    ("listed", "openly", "said"),
    [
        ([["a"], ["b"]], {}, HOLDS),
        ([["a"], ["a"]], {}, "form"),
        ([["a"], ["a", "b"]], {}, "form"),
        ([["a", "b"], ["a"]], {}, "form"),
        ([["a", "b"], ["a", "c"]], {"a": {}}, HOLDS),
        ([["a"]], {"a": 1}, "form"),
        ([["a", "b"]], {"a": {"b": []}}, "form"),
        ([["a", "b"]], {"a": "b"}, HOLDS),
        ([["a", 0]], {"a": ["x"]}, "form"),
        ([["a", 1]], {"a": ["x"]}, HOLDS),
        ([["a", 0]], {"a": "x"}, HOLDS),
        ([["a", 0]], {"a": {"0": 1}}, HOLDS),
        ([["a", "0"]], {"a": ["x"]}, HOLDS),
        ([["a", 0, "b"]], {"a": [{"b": 1}]}, "form"),
        ([["commitments", 0]], {}, "form"),
        ([["commitments", 1]], {}, HOLDS),
        ([["id"]], {}, "form"),
    ],
)
def test_a_value_has_one_place(listed, openly, said):
    digest = f"sha256:{'0' * 64}"
    commitments = [{"path": each, "digest": digest} for each in listed]
    body = {"id": record_id(0), **openly, "commitments": commitments}
    assert agree(ALONE, single(wrapped(rfc8949.encode(body)))) == said
