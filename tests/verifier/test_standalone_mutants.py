"""Whatever is done to a true bundle, receipt or policy, both verifiers say the same.

What is spoiled here is what a log made: some mutants stay true, most are refused for
one of many reasons, and the reason is the same one. The sums of the copy are
remembered, so that a signature that stays as it was is not verified a thousand times.
"""

import json
import random
from base64 import b64decode, b64encode
from collections import Counter
from copy import deepcopy
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordlog import (
    CLOSED,
    INDEX,
    OPENED,
    RecordLog,
    record,
    true_bundle,
    wrapped,
)
from tests.reference import rfc8949
from tests.reference.rfc6962 import Tree
from tests.sampled import one_in
from tests.testlog import TestLog, policy_text
from tests.twin import ALONE, HOLDS, agree, single
from tests.verifier.test_standalone_vectors import (
    grown_in_the_copy,
    grown_in_the_verifier,
    in_the_copy,
    in_the_verifier,
    read_cbor,
    refusal,
)
from verifier import MalformedError, standalone
from verifier.bundle import MAX_DEPTH
from verifier.document import parse_document
from verifier.keys import check_name
from verifier.record import MEDIA_TYPE

POLICY = policy_text()
TRUE = true_bundle()
BUNDLE = TRUE.encode()
RECEIPT = TRUE.receipt.encode()

Source = random.Random


# Spoiling bytes, lines, and what JSON holds


def one_place(draw: Source, data: bytes) -> bytes:
    """`data` with a bit, a byte, or some bytes changed, lost, or there twice."""
    at, some = draw.randrange(len(data)), draw.choice([1, 1, 4, 32, 44, 45])
    part = data[at : at + some]
    spoiled = draw.choice(
        [
            bytes([data[at] ^ 1 << draw.randrange(8)]),
            draw.choice([b"\n", b"\r", b" ", b"0", b"=", b"+", b"{", b'"', b"\xff"]),
            b"",
            part + part,
            bytes([draw.randrange(256)]) + part,
        ]
    )
    return data[:at] + spoiled + data[at + (some if not spoiled else 1) :]


def parts(draw: Source, data: bytes, between: bytes = b"\n") -> bytes:
    """`data` with a line lost, repeated, moved, or spoiled."""
    lines = data.split(between)
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(4):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            lines.insert(one, lines[other])
        case 2:
            del lines[one]
        case _:
            lines[one] = one_place(draw, lines[one] or b"\n")
    return between.join(lines)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each place in `value`: what it is in, and the name or position there."""
    found: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        item = todo.pop()
        steps = list(item) if isinstance(item, dict) else range(len(item))
        found += [(item, step) for step in steps]
        todo += [item[step] for step in steps if isinstance(item[step], dict | list)]
    return found


NUMBERS = [0, 1, -1, 16, 2**53 - 1, 2**53, -(2**53), 2**64 - 1]
TEXTS = ["", "a", "AA==", "AB==", "\ud800", "provlog/bundle/1", "1"]
HOLDERS: list[Any] = [[], {}, [[]], {"a": 1}, ["prompt"]]
OTHERS: list[Any] = [None, True, False, *NUMBERS, *TEXTS, *HOLDERS]


def a_member(draw: Source, value: Any) -> Any:
    """`value` with something in it changed, lost, moved, or there twice."""
    value = deepcopy(value)
    holder, step = draw.choice(places(value))
    other = deepcopy(draw.choice([draw.choice(OTHERS), holder[step], value]))
    match draw.randrange(5):
        case 0 | 1:
            holder[step] = other
        case 2:
            del holder[step]
        case 3 if isinstance(holder, dict):
            holder[draw.choice(["x", "value", "path", "salt", "proof", "id"])] = other
        case 3:
            holder.insert(draw.randrange(len(holder) + 1), other)
        case _ if isinstance(holder[step], list):
            draw.shuffle(holder[step])
        case _:
            holder[step] = inside(draw, holder[step])
    return value


def inside(draw: Source, value: Any) -> Any:
    """Spoil what is in base64; anything else becomes another thing."""
    try:
        data = b64decode(value, validate=True)
        return b64encode(draw.choice([one_place, parts])(draw, data)).decode()
    except (TypeError, ValueError):
        return draw.choice(OTHERS)


# The kinds of mutants


def spoiled_bundle(draw: Source) -> tuple[bytes, bytes, bytes | None]:
    text = json.dumps(a_member(draw, json.loads(BUNDLE))).encode()
    if draw.random() < 0.2:
        text = draw.choice([one_place, parts])(draw, text)
    return POLICY, text, None


def spoiled_bytes(draw: Source) -> tuple[bytes, bytes, bytes | None]:
    return POLICY, one_place(draw, BUNDLE), None


def spoiled_receipt(draw: Source) -> tuple[bytes, bytes, bytes | None]:
    entry = one_place(draw, TRUE.entry) if draw.random() < 0.1 else TRUE.entry
    return POLICY, draw.choice([one_place, parts])(draw, RECEIPT), entry


def spoiled_policy(draw: Source) -> tuple[bytes, bytes, bytes | None]:
    between = draw.choice([b"\n", b" "])
    spoil = draw.choice([one_place, lambda s, data: parts(s, data, between)])
    return spoil(draw, POLICY), BUNDLE, None


def spoiled_record(draw: Source) -> tuple[bytes, bytes, bytes | None]:
    """A log that has logged what is no record, or another one, or no wrapper."""
    body: Any = record(INDEX)
    openings = draw.choice([(), (OPENED,), (CLOSED,), (OPENED, CLOSED)])
    for _ in range(draw.choice([1, 1, 2])):
        body = a_member(draw, body)
    wrapper = {"v": 1, "at": 2**41, "by": "s-1", "type": MEDIA_TYPE}
    try:
        wrapper["body"] = rfc8949.encode(body)
        if draw.random() < 0.3:
            wrapper = a_member(draw, wrapper)
        entry = rfc8949.encode(wrapper)
    except (AttributeError, UnicodeEncodeError):  # the reference writes no such thing
        entry = one_place(draw, TRUE.entry)
    if draw.random() < 0.2:
        entry = one_place(draw, entry)
    opened = [each.document() for each in openings]
    return ALONE, single(entry, opened), None


MUTANTS = {
    each.__name__: each
    for each in (
        spoiled_bundle,
        spoiled_bytes,
        spoiled_receipt,
        spoiled_policy,
        spoiled_record,
    )
}
FEW = 100
"""Mutants of one kind and seed: two thousand in all, and ten thousand more."""


def verdicts(kind: str, seed: int, count: int) -> Counter[str]:
    draw = Source(f"{kind} {seed}")
    found: Counter[str] = Counter()
    for _ in range(count):
        policy, evidence, entry = MUTANTS[kind](draw)
        read = draw.choice(["auto", "record", "opaque"])
        found[agree(policy, evidence, entry, read)] += 1
    return found


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", MUTANTS)
def test_of_no_mutant_the_two_say_different_things(kind, seed):
    assert verdicts(kind, seed, FEW).total() == FEW


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", one_in(5, range(100, 110)))
@pytest.mark.parametrize("kind", MUTANTS)
def test_nor_of_many_more(kind, seed):
    assert verdicts(kind, seed, 2 * FEW).total() == 2 * FEW


@pytest.mark.exhaustive
def test_the_mutants_break_every_check():
    found = sum((verdicts(kind, 0, FEW) for kind in MUTANTS), Counter())
    words = {"form", "signature", "log", "inclusion", "entry", "opening"}
    assert words | {HOLDS, "undecided"} <= found.keys()


# One thing at a time


@pytest.mark.parametrize("line", range(len(RECEIPT.split(b"\n"))))
def test_each_line_of_a_receipt_lost_repeated_or_moved_is_judged_alike(line):
    lines = RECEIPT.split(b"\n")
    for spoiled in (
        lines[:line] + lines[line + 1 :],
        [*lines[: line + 1], *lines[line:]],
        [*lines[line:], *lines[:line]],
        [*lines[:line], *lines[line : line + 2][::-1], *lines[line + 2 :]],
    ):
        agree(POLICY, b"\n".join(spoiled), TRUE.entry)


@pytest.mark.parametrize("line", range(len(POLICY.split(b"\n"))))
def test_each_line_of_a_policy_lost_repeated_or_moved_is_judged_alike(line):
    lines = POLICY.split(b"\n")
    for spoiled in (
        lines[:line] + lines[line + 1 :],
        [*lines[: line + 1], *lines[line:]],
        [*lines[line:], *lines[:line]],
        [lines[line] + b" more", *lines[:line], *lines[line + 1 :]],
    ):
        agree(b"\n".join(spoiled), BUNDLE)


@pytest.mark.parametrize("members", [(), ("openings",), ("before",)])
def test_what_is_optional_may_be_missing_in_both(members):
    document = json.loads(BUNDLE)
    for name in members:
        del document[name]
    assert agree(POLICY, json.dumps(document).encode()) == HOLDS


@pytest.mark.parametrize("size", range(1, 14))
def test_every_proof_of_every_small_tree_and_every_spoiling_of_it(size):
    tree = Tree([b"%d" % number for number in range(size)])
    for index in range(size):
        leaf, root = tree.mth(index, index + 1), tree.mth(0, size)
        for proof in spoilings(tree.path(index, size)):
            for other in {index, index ^ 1}:
                case = leaf, other, size, proof, root
                said = refusal(in_the_copy, *case)
                assert said == refusal(in_the_verifier, *case)
        true = leaf, index, size, tree.path(index, size), root
        assert refusal(in_the_copy, *true) == HOLDS
    for first in range(1, size + 1):
        roots = tree.mth(0, first), tree.mth(0, size)
        for proof in spoilings(tree.consistency(first, size)):
            case = first, roots[0], size, roots[1], proof
            said = refusal(grown_in_the_copy, *case)
            assert said == refusal(grown_in_the_verifier, *case)
        true = first, roots[0], size, roots[1], tree.consistency(first, size)
        assert refusal(grown_in_the_copy, *true) == HOLDS


def spoilings(proof: list[bytes]) -> list[list[bytes]]:
    """The proof itself, and what becomes of it: less, more, turned round, changed."""
    found = [proof, proof[::-1], [*proof, bytes(32)], [bytes(32), *proof]]
    found += [proof[:at] + proof[at + 1 :] for at in range(len(proof))]
    found += [[*proof[: at + 1], *proof[at:]] for at in range(len(proof))]
    found += [[*proof[:at], bytes(32), *proof[at + 1 :]] for at, _ in enumerate(proof)]
    return found + [
        [*proof[:at], two, one, *proof[at + 2 :]]
        for at, (one, two) in enumerate(pairwise(proof))
    ]


# Logs, CBOR, JSON and names that Hypothesis thinks of


@pytest.mark.exhaustive
@given(
    entries=st.lists(st.binary(max_size=20), min_size=1, max_size=20),
    data=st.data(),
    quorum=st.integers(0, 3),
)
def test_any_log_is_believed_by_both_until_a_byte_is_another(entries, data, quorum):
    log = TestLog(Path("nowhere"), entries, quorum=quorum)
    index = data.draw(st.integers(0, len(entries) - 1), label="index")
    receipt = log.receipt(index)
    policy = policy_text(quorum=quorum)
    assert agree(policy, receipt, entries[index], "opaque") == HOLDS
    at = data.draw(st.integers(0, len(receipt) - 1), label="at")
    byte = data.draw(st.integers(0, 255), label="byte")
    spoiled = receipt[:at] + bytes([byte]) + receipt[at + 1 :]
    agree(policy, spoiled, entries[index], "opaque")


ELEVEN = RecordLog(entries=[wrapped(b"%d" % n, n, type="a/b") for n in range(11)])


def with_before(index: int, earlier: int, proof: list[bytes]) -> bytes:
    """A bundle for one of eleven entries, and the tree of so many before it."""
    before = {
        "checkpoint": b64encode(ELEVEN.cosigned(earlier, (9, 9, 9))).decode(),
        "proof": [b64encode(each).decode() for each in proof],
    }
    document = json.loads(ELEVEN.bundle(index).encode())
    return json.dumps(document | {"before": before}).encode()


@pytest.mark.exhaustive
@given(st.integers(0, 10), st.integers(1, 11))
def test_any_earlier_tree_is_before_for_both_or_for_none(index, earlier):
    proof = ELEVEN.tree.consistency(earlier, 11)
    said = agree(POLICY, with_before(index, earlier, proof))
    assert said == (HOLDS if earlier <= index else "consistency")


def test_every_tree_has_grown_from_none_and_there_is_nothing_to_prove():
    assert agree(POLICY, with_before(0, 0, [])) == HOLDS
    assert agree(POLICY, with_before(0, 0, [bytes(32)])) == "form"


@pytest.mark.parametrize("text", ["no text", 7, True, ["A" * 43 + "="], {}])
def test_what_is_no_text_is_no_hash(text):
    document = json.loads(with_before(5, 4, []))
    document["before"]["proof"] = [text]
    assert agree(POLICY, json.dumps(document).encode()) == "form"


@given(st.binary(max_size=24))
def test_any_bytes_are_the_same_cbor_to_both(data):
    read_cbor(data)


WRITTEN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.text(max_size=4)
    | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.exhaustive
@given(WRITTEN, st.randoms(use_true_random=False))
def test_any_value_is_the_same_cbor_to_both_and_so_is_what_becomes_of_it(value, draw):
    data = rfc8949.encode(value)
    read_cbor(data)
    read_cbor(one_place(draw, data))


@pytest.mark.parametrize("depth", [1, 8, 15, 16, 17, 18, 60_000])
@pytest.mark.parametrize(("begin", "each"), [("81", 1), ("a16161", 1), ("a1616181", 2)])
def test_cbor_is_as_deep_for_both(depth, begin, each):
    deep = begin * (depth // each)
    read_cbor(bytes.fromhex(deep)[:65_535])
    said = read_cbor(bytes.fromhex(f"{deep}00")[:65_535])
    assert (said == HOLDS) is (depth // each * each <= 16)


@pytest.mark.exhaustive
@pytest.mark.parametrize("count", [8_191, 8_192, 8_193])
def test_cbor_has_as_many_members_for_both(count):
    assert (read_cbor(rfc8949.encode([0] * count)) == HOLDS) is (count <= 8_192)
    pairs = {f"{number:04x}": 0 for number in range(count)}
    assert (read_cbor(rfc8949.encode(pairs)) == HOLDS) is (count <= 8_192)
    nested = [[0] * (count - 4_001), [0] * 3_999]
    assert (read_cbor(rfc8949.encode(nested)) == HOLDS) is (count <= 8_192)


def read_json(data: bytes) -> str:
    """What both say of the JSON in `data`."""
    said = refusal(standalone.parse_json, data)
    try:
        value = parse_document(data, "it", most=1 << 20, depth=MAX_DEPTH)
    except MalformedError:
        assert said == "form", data
        return said
    assert said == HOLDS, data
    assert standalone.parse_json(data) == value
    return said


@given(st.binary(max_size=30) | st.text('{}[]":,\\ud8019.-eEtrunl \n').map(str.encode))
def test_any_bytes_are_the_same_json_to_both(data):
    read_json(data)
    read_json(b'{"a":' + data + b"}")


JSON = ["0", "-0", "1.0", "1e2", "01", "9007199254740991", "-9007199254740992"]
JSON += [
    "9007199254740992",
    "1" * 5_000,
    "NaN",
    "-Infinity",
    "null",
    "true",
    '"\\ud800"',
]
JSON += [
    '"\\ud83d\\ude00"',
    '"\ud800"',
    '"\\udc00\\ud800"',
    '{"b":1,"b":1}',
    '"\t"',
    "",
]


@pytest.mark.parametrize("value", JSON, ids=lambda each: ascii(each)[:20])
def test_any_value_is_the_same_json_to_both(value):
    data = value.encode("utf-8", "surrogatepass")
    for before, after in product([b"", b"\xef\xbb\xbf", b" \n"], [b"", b"\x00", b"\t"]):
        read_json(before + b'{"a":' + data + b"}" + after)
        read_json(before + b"[" + data + b"]" + after)
        read_json(before + b'{"a":[' + data + b",0]}" + after)


@pytest.mark.parametrize("depth", [1, 17, 18, 19, 20, 400, 900])
@pytest.mark.parametrize(
    ("begin", "end"), [("[", "]"), ('{"a":', "}"), ('[{"":', "}]")]
)
def test_json_is_as_deep_for_both(depth, begin, end):
    text = f'{{"a":{begin * depth}0{end * depth}}}'
    read_json(text.encode())
    read_json(text.replace("0", "").encode())


@pytest.mark.exhaustive
@pytest.mark.parametrize("count", [65_535, 65_536, 65_537])
def test_json_has_as_many_values_for_both(count):
    # The object, a name and a list are three of them.
    text = json.dumps({"a": [0] * (count - 3)}).encode()
    assert (read_json(text) == HOLDS) is (count <= 65_536)


@pytest.mark.exhaustive
def test_names_are_values_for_both():
    members = {str(number): 0 for number in range(32_768)}
    assert read_json(json.dumps(members).encode()) == "form"
    del members["0"]
    assert read_json(json.dumps(members).encode()) == HOLDS


def is_a_name(text: str) -> bool:
    return refusal(check_name, text) == HOLDS


@pytest.mark.parametrize("plane", [range(0x3100), range(0xD700, 0x11000, 7)])
def test_the_same_characters_are_in_names(plane):
    for code in plane:
        for name in (chr(code), f"a{chr(code)}", f"{chr(code)}a"):
            said = refusal(standalone.match, standalone.NAME, name, "it")
            assert (said == HOLDS) is is_a_name(name), hex(code)


@given(st.text(max_size=12) | st.text("AQgwB+/=", max_size=12))
def test_the_same_base64_is_read(text):
    try:
        data = b64decode(text.encode("ascii"), validate=True)
        canonical = b64encode(data).decode() == text
    except ValueError:
        canonical = False
    assert (refusal(standalone.unbase64, text) == HOLDS) is canonical
    if canonical:
        assert standalone.unbase64(text) == data
