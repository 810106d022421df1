"""A parser returns or raises MalformedError, whatever it is fed, and soon.

The progress file of an audit is the auditor's own and no evidence: if it cannot be
read, the audit is Unavailable; if it covers more than the checkpoint, the log shrank.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from time import process_time
from tracemalloc import get_traced_memory, start, stop
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collisions import colliding_compounds
from tests.fuzz import signed
from tests.reference import rfc8949
from tests.reference.rfc6962 import Tree
from tests.testlog import (
    LOG,
    ORIGIN,
    WITNESSES,
    Signer,
    checkpoint_text,
    note,
    policy_text,
    receipt_text,
    signer,
)
from verifier import cbor, progress
from verifier.bundle import Before, Bundle
from verifier.checkpoint import Checkpoint
from verifier.commitment import Opening
from verifier.damage import Damage
from verifier.entry import Entry, entry_time
from verifier.errors import GrowthError, MalformedError, Unavailable
from verifier.evidence import parse_evidence
from verifier.explain import explain
from verifier.keys import VerifierKey
from verifier.memory import Memory
from verifier.misbehaviour import Misbehaviour
from verifier.note import Note, NoteSignature
from verifier.policy import MAX_LINES, Policy
from verifier.receipt import Receipt
from verifier.record import (
    MEDIA_TYPE,
    encode_record,
    parse_path,
    parse_record,
    parse_record_json,
)
from verifier.report import Report
from verifier.source import Directory
from verifier.span import Reading
from verifier.tile import ENTRIES, Tile, encode_entries, parse_entries

RECORD = {"id": "0190a0b0-0000-7000-8000-000000000001", "tokens": 7, "tags": ["ü"]}
ENTRY = Entry(at=2**41, by="p1", type=MEDIA_TYPE, body=encode_record(RECORD)).encode()
TREE = Tree([b"%d" % number for number in range(6)] + [ENTRY])
TEXT = checkpoint_text(7, TREE.mth(0, 7))
NOTE = note(TEXT, LOG.line(TEXT), *(each.line(TEXT) for each in WITNESSES))
QUANTUM = signer(ORIGIN, 0x06)
LARGE_NOTE = note(TEXT, LOG.line(TEXT), QUANTUM.line(TEXT))
RECEIPT = receipt_text(6, TREE.path(6, 7), NOTE)
OPENING = Opening(path=("prompt", 0), salt=bytes(32), value={"text": ["a", 1, True]})
BUNDLE = Bundle(
    entry=ENTRY,
    receipt=Receipt.parse(RECEIPT),
    openings=(OPENING,),
    before=Before(checkpoint=NOTE, proof=tuple(TREE.consistency(3, 7))),
).encode()
FORK = Misbehaviour(first=NOTE, second=LARGE_NOTE, prefix=bytes(32), proof=(bytes(32),))
CHECKPOINT = Checkpoint(origin=ORIGIN, size=10**6, root=bytes(32))
READING = Reading(source=Directory(Path()), size=10**6, record=True, strict=False)
FORM = Damage(check="form", path="tile/0/000", says="x", indexes=((1, 2),))
AUDIT = progress.save(
    progress.Progress(done=[progress.Done(bytes(32), (1, 2), (FORM,))], record=True),
    CHECKPOINT,
    READING,
)
PAIR = Tile(ENTRIES, 0, 2)


def text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return text(data)


def a_list(data: bytes) -> list:
    found = value(data)
    return found if type(found) is list else [found]


# Each parser with what it should read, and how that is written again.
Parser = Callable[[bytes], Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
PARSERS: dict[str, tuple[Parser, list[bytes], Callable[[Any], bytes] | None]] = {
    "note": (Note.parse, [NOTE, LARGE_NOTE], Note.encode),
    "checkpoint": (
        lambda data: Checkpoint.parse(text(data)),
        [TEXT.encode()],
        lambda read: read.text().encode("utf-8", "surrogateescape"),
    ),
    "signature": (
        lambda data: NoteSignature.parse(text(data)),
        [LOG.line(TEXT)[:-1].encode()],
        lambda read: read.text()[:-1].encode(),
    ),
    "vkey": (
        lambda data: VerifierKey.parse(text(data)),
        [LOG.vkey.encode(), QUANTUM.vkey.encode()],
        lambda read: read.text().encode(),
    ),
    "policy": (Policy.parse, [policy_text(), policy_text((QUANTUM,), (), 0)], None),
    "receipt": (Receipt.parse, [RECEIPT], Receipt.encode),
    "tile": (
        lambda data: Tile.parse(text(data)),
        [b"tile/0/x001/x234/067.p/12", b"tile/entries/000"],
        lambda read: read.path().encode(),
    ),
    "entries": (
        lambda data: parse_entries(data, PAIR),
        [encode_entries([ENTRY, b""])],
        encode_entries,
    ),
    "cbor": (
        cbor.decode,
        [ENTRY, cbor.encode({-1: [None, True, b"x"]})],
        cbor.encode,
    ),
    "entry": (Entry.parse, [ENTRY], Entry.encode),
    "entry time": (entry_time, [ENTRY[:16], ENTRY], None),
    "record": (parse_record, [encode_record(RECORD)], encode_record),
    "record json": (parse_record_json, [json.dumps(RECORD).encode()], None),
    "opening": (
        lambda data: Opening.parse(value(data)),
        [json.dumps(OPENING.document()).encode()],
        None,
    ),
    "path": (lambda data: parse_path(a_list(data)), [b'["prompt", 0]'], None),
    "bundle": (Bundle.parse, [BUNDLE], None),
    "misbehaviour": (Misbehaviour.parse, [FORK.encode()], None),
    "memory": (
        Memory.parse,
        [
            Memory(held=NOTE, since=7).encode(),
            Memory(held=NOTE, since=7, signed=(LARGE_NOTE,)).encode(),
            Memory(signed=(NOTE, LARGE_NOTE)).encode(),
        ],
        None,
    ),
    "evidence": (
        parse_evidence,
        [
            *(BUNDLE, RECEIPT, FORK.encode()),
            *(signed.RECEIPT, signed.GROWN, signed.TRANSPARENT),
        ],
        None,
    ),
    "progress": (lambda data: progress.load(data, CHECKPOINT, READING), [AUDIT], None),
    "explain": (
        lambda data: explain(data, Report()),
        [
            *(BUNDLE, RECEIPT, FORK.encode(), ENTRY, NOTE, policy_text()),
            *(LOG.vkey.encode(), signed.TRANSPARENT, signed.ENVELOPE, signed.BUNDLE),
            *(signed.REGISTER, signed.OWN, signed.WRAPPED, signed.KEYS.encode()),
        ],
        None,
    ),
    **signed.SIGNED,
}
EVERYTHING = sorted({seed for _, seeds, _ in PARSERS.values() for seed in seeds})
TOKENS = [b"\n", b"\n\n", b"\r", b"\0", b"=", b"+", b" ", b"x", b"9" * 20, b"\xff"]
TOKENS += [b"\xed\xa0\x80", b"\xc2\x85", b"[", b"{", b'"', b"null", b"-1", b"1e9"]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 2**70, 0.5, "", "\ud800", "x", [], [[]], {}]
)


def refusals(name: str) -> tuple[type[Exception], ...]:
    return (Unavailable, GrowthError) if name == "progress" else (MalformedError,)


def spoil_json(draw: Draw, document: Any) -> Any:
    """Replace one value somewhere in `document`, take it away, or add another."""
    if isinstance(document, dict) and document and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(document)))
        if draw(st.integers(0, 5)) == 0:
            return {key: each for key, each in document.items() if key != name}
        return document | {name: spoil_json(draw, document[name])}
    if isinstance(document, list) and document and draw(st.booleans()):
        at = draw(st.integers(0, len(document) - 1))
        return [*document[:at], spoil_json(draw, document[at]), *document[at + 1 :]]
    return draw(ODD | st.lists(ODD, max_size=2) | st.just({"x": document}))


def spoil_bytes(draw: Draw, data: bytes) -> Any:
    """Flip a bit, cut, repeat, or put in a piece of something else."""
    at = draw(st.integers(0, len(data)))
    end = draw(st.integers(at, min(len(data), at + 64)))
    match draw(st.sampled_from(["flip", "cut", "end", "repeat", "splice", "token"])):
        case "flip" if at < len(data):
            flip = 1 << draw(st.integers(0, 7))
            return data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
        case "cut":
            return data[:at] + data[end:]
        case "end":
            return data[:at]
        case "repeat":
            return data[:end] + data[at:]
        case "splice":
            other = draw(st.sampled_from(EVERYTHING))
            return data[:at] + other[draw(st.integers(0, len(other))) :]
        case _:
            return data[:at] + draw(st.sampled_from(TOKENS)) + data[end:]


@st.composite
def hostile(draw: Draw, seeds: list[bytes]) -> Any:
    kind = draw(st.sampled_from(["own", "own", "json", "foreign", "noise"]))
    if kind == "noise":
        return draw(st.binary(max_size=200))
    data = draw(st.sampled_from(EVERYTHING if kind == "foreign" else seeds))
    if kind == "json" and data[:1] in (b"{", b"["):
        return json.dumps(spoil_json(draw, json.loads(data))).encode()
    for _ in range(draw(st.integers(1, 4))):
        data = spoil_bytes(draw, data)
    return data


@pytest.mark.parametrize("name", PARSERS)
def test_what_should_be_read_is_read(name):
    parse, seeds, write = PARSERS[name]
    for seed in seeds:
        read = parse(seed)
        assert write is None or write(read) == seed


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [x for x in PARSERS if x not in signed.SIGNED])
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_parser_returns_or_raises_malformed_and_nothing_else(name, data):
    parse, seeds, write = PARSERS[name]
    given_bytes = data.draw(hostile(seeds), label="input")
    try:
        read = parse(given_bytes)
    except refusals(name):
        return
    # What is read has one spelling, where the format promises that.
    assert write is None or write(read) == given_bytes


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_so_do_all_those_of_what_is_signed_whichever_of_them_is_given_it(data):
    seeds = [seed for _, each, _ in signed.SIGNED.values() for seed in each]
    given_bytes = data.draw(hostile(seeds), label="input")
    for parse, _, write in signed.SIGNED.values():
        try:
            read = parse(given_bytes)
        except MalformedError:
            continue
        assert write is None or write(read) == given_bytes


MB = 1 << 20


def filled(head: bytes, unit: bytes, tail: bytes, most: int) -> bytes:
    return head + unit * ((most - len(head) - len(tail)) // len(unit)) + tail


def policy_bomb(line: Callable[[int], str]) -> bytes:
    lines = [f"log {LOG.vkey}", *map(line, range(MAX_LINES - 2)), "quorum none"]
    return "".join(f"{each}\n" for each in lines).encode()


def many_witnesses() -> bytes:
    keys = (
        Signer(f"w{at}", 0x04, at.to_bytes(32, "big")) for at in range(MAX_LINES - 2)
    )
    vkeys = [key.vkey for key in keys]
    return policy_bomb(lambda at: f"witness {at} {vkeys[at]}")


def colliding_integers() -> bytes:
    """Python hashes an integer modulo 2^61 - 1, and looks at the low bits first."""
    keys = [(at << 51) + (2**61 - 1) * turn for turn in range(8) for at in range(800)]
    return rfc8949.encode({key: None for key in keys if key < 2**64})


JSON = ["bundle", "evidence", "explain", "progress", "record json", "memory"]
CBOR = ["cbor", "entry", "record", "explain"]
BOMBS: dict[str, tuple[list[str], Callable[[], bytes]]] = {
    "16 MiB of [": (JSON, lambda: b"[" * (16 * MB)),
    '2 MiB of {"a":': (JSON, lambda: b'{"a":' * (2 * MB // 5)),
    "[[],[],... at the cap": (
        ["bundle"],
        lambda: filled(b'{"a":[', b"[],", b"[]]}", 2 * MB),
    ),
    "{},{},... at the cap": (
        ["evidence"],
        lambda: filled(b'{"a":[', b"{},", b"{}]}", 2 * MB),
    ),
    "a quarter million numbers": (
        ["memory"],
        lambda: filled(b'{"signed":[', b"0,", b"0]}", MB // 2),
    ),
    "10^6 digits in JSON": (JSON, lambda: b'{"a":' + b"9" * 10**6 + b"}"),
    "10^6 digits in text": (
        ["checkpoint", "receipt", "tile", "policy"],
        lambda: b"c2sp.org/tlog-proof@v1\nindex " + b"9" * 10**6 + b"\n\n",
    ),
    "10^6 digits of size": (
        ["checkpoint"],
        lambda: b"log\n" + b"9" * 10**6 + b"\nAAAA\n",
    ),
    "a threshold of 10^6 digits": (
        ["policy"],
        f"witness w {WITNESSES[0].vkey}\ngroup g {'9' * 10**6} w\n".encode,
    ),
    "millions of newlines": (
        ["note", "checkpoint", "policy", "receipt", "vkey", "explain"],
        lambda: b"\n" * (4 * MB),
    ),
    "newlines at the cap of a note": (["note", "explain"], lambda: b"\n" * (MB // 2)),
    "spaces at the cap of a policy": (["policy"], lambda: b" " * (MB - 1) + b"\n"),
    "a receipt of 300,000 lines": (
        ["receipt"],
        lambda: b"c2sp.org/tlog-proof@v1\nindex 0\n" + b"A\n" * 300_000 + b"\n",
    ),
    "base64 at the cap of a receipt": (
        ["receipt"],
        lambda: b"c2sp.org/tlog-proof@v1\nextra " + b"QUJD" * 160_000 + b"\nindex",
    ),
    "16 MiB of base64": (
        ["signature", "vkey"],
        lambda: "\u2014 log+00000000+".encode() + b64encode(bytes(12 * MB)),
    ),
    "a name of 16 MiB": (
        ["signature", "vkey"],
        lambda: b"\xe2\x80\x94 " + b"a" * 16 * MB,
    ),
    "a head that declares 2^62": (CBOR, lambda: b"\x9b\x40" + bytes(7)),
    "text that declares 2^62": (CBOR, lambda: b"\x7b\x40" + bytes(7)),
    "lists of 2^24 in lists": (CBOR, lambda: b"\x9a\x00\xff\xff\xff" * 13_000),
    "65,535 levels of CBOR": (CBOR, lambda: b"\x81" * 65_535),
    "65,535 tags": (CBOR, lambda: b"\xd2" * 65_535),
    "a list of 65,532 numbers": (CBOR, lambda: rfc8949.encode([0] * 65_532)),
    "colliding integer keys": (CBOR, colliding_integers),
    "colliding compound keys": (CBOR, colliding_compounds),
    "a policy full of witnesses": (["policy", "explain"], many_witnesses),
    "the same witness on every line": (
        ["policy"],
        lambda: policy_bomb(lambda at: f"witness w{at} {WITNESSES[0].vkey}"),
    ),
    "100 lines of ML-DSA-44": (
        ["note", "explain"],
        lambda: note(TEXT, *[QUANTUM.line(TEXT)] * 100),
    ),
    "101 lines of ML-DSA-44": (
        ["note"],
        lambda: note(TEXT, *[QUANTUM.line(TEXT)] * 101),
    ),
}


# Its bytes are few; to trace every step of checking its keys takes a quarter minute.
UNTRACED = {"a policy full of witnesses"}


def ends(name: str, data: bytes) -> str:
    """What the parser `name` has against `data`."""
    try:
        PARSERS[name][0](data)
    except refusals(name) as error:
        return str(error)
    return ""


# Tracing would be what is timed.
@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "bomb"),
    [
        pytest.param(name, bomb, id=f"{name}-{bomb}")
        for bomb, (names, _) in BOMBS.items()
        for name in names
    ],
)
def test_a_bomb_ends_within_a_second_and_a_hundred_megabytes(name, bomb):
    data = BOMBS[bomb][1]()
    before = process_time()
    says = ends(name, data)
    assert process_time() - before < 1
    assert len(says) < 1_000, "the message quotes what was sent"
    if bomb in UNTRACED:
        return
    start()
    ends(name, data)
    peak = get_traced_memory()[1]
    stop()
    assert peak < 100_000_000
