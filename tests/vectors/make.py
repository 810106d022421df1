"""Make the vectors of our own anew: python -m tests.vectors.make

They are built by hand-written encoders and by the recursive definitions of
tests/reference, not by the code that they test. Only the ML-DSA-44 signature in
subtree-cosignatures.json differs from one run to the next.
"""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.schema.examples import example
from ledger.schema.kinds import KINDS
from tests.reference.rfc6962 import Tree
from tests.testlog import (
    LOG,
    TIME,
    WITNESSES,
    b64,
    checkpoint_text,
    note,
    policy_text,
    receipt_text,
    signer,
)

HERE = Path(__file__).resolve().parent
RECORD = "application/vnd.provlog.record+cbor"
AT = TIME * 1000
ID = "01a0c54a-5ad0-7aa2-bf0c-d051085a3e8f"
SALT = bytes(range(32))
DROP = "(left out)"


def dcbor(value: Any) -> bytes:
    """RFC 8949, section 4.2.1, for what entries and records hold."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(dcbor, value))
    pairs = sorted((dcbor(name), dcbor(each)) for name, each in value.items())
    return head(5, len(value)) + b"".join(name + each for name, each in pairs)


def head(major: int, argument: int) -> bytes:
    """The head of an item, as short as it can be."""
    if argument < 24:
        return bytes([major << 5 | argument])
    size = next(size for size in (1, 2, 4, 8) if argument < 1 << 8 * size)
    more = {1: 24, 2: 25, 4: 26, 8: 27}[size]
    return bytes([major << 5 | more]) + argument.to_bytes(size, "big")


def digest(value: bytes) -> str:
    """A digest as records have it."""
    return f"sha256:{sha256(value).hexdigest()}"


def wrapped(**members: Any) -> bytes:
    """An entry; DROP leaves a member out."""
    true = {"v": 1, "at": AT, "by": "s-1", "body": b"hello", "type": "text/plain"}
    given = {name: each for name, each in (true | members).items() if each != DROP}
    return dcbor(given)


def committed(opening: dict[str, Any], record_id: str = ID) -> str:
    """The commitment that `opening` opens."""
    salt = bytes.fromhex(opening["salt"])
    domain = "provlog/commitment/1"
    path, value = opening["path"], opening["value"]
    return digest(dcbor([domain, salt, record_id, path, value]))


# One function for each file.


def entries() -> Any:
    """The wrapper around what was submitted to a record log."""
    good: list[dict[str, Any]] = [
        {"at": AT, "by": "s-1", "type": "text/plain", "body": b"hello"},
        {"at": 2**32, "by": "!", "type": "a/b", "body": b""},
        {"at": 2**53 - 1, "by": "~" * 128, "type": "x/" + "y" * 253, "body": b"\x00"},
        {"at": AT, "by": "log", "type": "application/cose; x=y", "body": b"a" * 24},
    ]
    true = wrapped()
    bad = {
        "no version": wrapped(v=DROP),
        "no by": wrapped(by=DROP),
        "a member more": wrapped(z=1),
        "version 2": wrapped(v=2),
        "version true": wrapped(v=True),
        "at in 4 bytes": wrapped(at=2**32 - 1),
        "at beyond 2^53-1": wrapped(at=2**53),
        "at as text": wrapped(at=str(AT)),
        "by empty": wrapped(by=""),
        "by of 129": wrapped(by="x" * 129),
        "by with a space": wrapped(by="s 1"),
        "by with a newline": wrapped(by="s-1\n"),
        "type without a slash": wrapped(type="text"),
        "type of 256": wrapped(type="x/" + "y" * 254),
        "body as text": wrapped(body="hello"),
        "by before at": true[:4] + true[16:24] + true[4:16] + true[24:],
        "a second v": b"\xa6" + true[1:] + b"\x61v\x01",
        "v in two bytes": true.replace(b"\x61v\x01", b"\x61v\x18\x01", 1),
        "an endless map": b"\xbf" + true[1:] + b"\xff",
        "a tag around it": b"\xd9\xd9\xf7" + true,
        "a byte more": true + b"\x00",
        "a byte less": true[:-1],
        "nothing": b"",
        "an empty map": b"\xa0",
    }
    return {
        "good": [
            each | {"body": each["body"].hex(), "entry": wrapped(**each).hex()}
            for each in good
        ],
        "bad": [{"why": why, "entry": data.hex()} for why, data in bad.items()],
    }


def records() -> Any:
    """Records as JSON, as CBOR, as an entry, and the leaf of that entry."""
    good: list[dict[str, Any]] = [
        {"id": ID},
        {"id": ID, "b": 1, "aa": 2, "a": {"z": [], "": {}}},
        {"id": ID, "n": [0, 23, 24, -1, -24, -25, 255, 256, 65536, 2**32]},
        {"id": ID, "n": [2**53 - 1, 1 - 2**53], "yes": True, "no": False},
        {"id": ID, "text": 'é e\u0301 \u202e "\\ \u0000 \x7f \U0001f512'},
        {"id": ID, "outputs": [{"name": "weights.bin", "digest": digest(b"w")}]},
    ]
    bad_json = {
        "null": '{"id": "%s", "n": null}',
        "a float": '{"id": "%s", "n": 1.5}',
        "a whole float": '{"id": "%s", "n": 1.0}',
        "an exponent": '{"id": "%s", "n": 1e3}',
        "negative zero": '{"id": "%s", "n": -0}',
        "NaN": '{"id": "%s", "n": NaN}',
        "2^53": '{"id": "%s", "n": 9007199254740992}',
        "a lone surrogate": '{"id": "%s", "n": "\\ud800"}',
        "a member twice": '{"id": "%s", "n": 1, "n": 1}',
        "a member twice, spelt differently": '{"id": "%s", "n": 1, "\\u006e": 1}',
        "no id": '{"kind": "%s"}',
        "an id in capitals": f'{{"id": "{ID.upper()}"}}',
        "an id of version 4": f'{{"id": "{ID.replace("-7", "-4")}"}}',
        "a list": '["%s"]',
        "something after it": '{"id": "%s"} {}',
        "a byte order mark": '\ufeff{"id": "%s"}',
    }
    bad_cbor = {
        "null": b"\xa2\x61n\xf6" + dcbor({"id": ID})[1:],
        "undefined": b"\xa2\x61n\xf7" + dcbor({"id": ID})[1:],
        "a float": b"\xa2\x61n\xf9\x3c\x00" + dcbor({"id": ID})[1:],
        "a byte string": b"\xa2\x61n\x41a" + dcbor({"id": ID})[1:],
        "a tag": b"\xa2\x61n\xc1\x00" + dcbor({"id": ID})[1:],
        "2^53": b"\xa2\x61n" + dcbor(2**53) + dcbor({"id": ID})[1:],
        "a number as a name": b"\xa2\x01\x01" + dcbor({"id": ID})[1:],
        "longer name first": b"\xa2" + dcbor({"id": ID})[1:] + b"\x61n\x01",
        "a list": dcbor([ID]),
        "no id": b"\xa0",
    }
    return {
        "good": [
            {
                "json": json.dumps(each, indent=1),
                "cbor": dcbor(each).hex(),
                "leaf": sha256(
                    b"\x00" + wrapped(type=RECORD, body=dcbor(each))
                ).hexdigest(),
            }
            for each in good
        ],
        "wrapper": {"at": AT, "by": "s-1", "type": RECORD},
        "bad_json": [
            {"why": why, "json": text.replace("%s", ID)}
            for why, text in bad_json.items()
        ],
        "bad_cbor": [
            {"why": why, "cbor": data.hex()} for why, data in bad_cbor.items()
        ],
    }


def kinds() -> Any:
    """A record of each kind as JSON, as CBOR, and the leaf of its entry."""
    made = []
    for kind in KINDS:
        body = dcbor(example(kind))
        leaf = sha256(b"\x00" + wrapped(type=RECORD, body=body)).hexdigest()
        text = json.dumps(example(kind))
        made.append({"kind": kind, "json": text, "cbor": body.hex(), "leaf": leaf})
    return {"wrapper": {"at": AT, "by": "s-1", "type": RECORD}, "records": made}


def commitments() -> Any:
    """What opens a commitment, and what does not."""
    openings: list[dict[str, Any]] = [
        {"path": ["prompt", "text"], "salt": SALT.hex(), "value": "What is owed?"},
        {"path": ["user", 0], "salt": bytes(32).hex(), "value": {"b": [1], "aa": True}},
        {"path": ["a"] * 16, "salt": "ff" * 32, "value": -(2**53) + 1},
        {"path": ["", "é"], "salt": SALT.hex(), "value": ""},
    ]
    true = openings[0]
    spoiled: dict[str, dict[str, Any]] = {
        "another value": {"value": "What is owed!"},
        "another type of value": {"value": ["What is owed?"]},
        "another salt": {"salt": bytes(32).hex()},
        "another path": {"path": ["prompt", "texts"]},
        "a path that is joined": {"path": ["prompt/text"]},
        "a shorter path": {"path": ["prompt"]},
        "another record": {"record_id": ID.replace("0", "1")},
        "a shorter salt": {"salt": bytes(16).hex()},
    }
    return {
        "record_id": ID,
        "good": [
            each | {"listed": each["path"], "digest": committed(each)}
            for each in openings
        ],
        "bad": [
            {
                "why": why,
                **true,
                "listed": true["path"],
                "digest": committed(true),
                **change,
                "check": "form" if "shorter salt" in why else "opening",
            }
            for why, change in spoiled.items()
        ],
    }


OPENING = {"path": ["prompt", "text"], "salt": b64(SALT), "value": "What is owed?"}
OPENING_HEX = OPENING | {"salt": SALT.hex()}
TWO = WITNESSES[:2]


def small_log() -> list[bytes]:
    """Seven entries; number 4 describes a file, and has a commitment."""
    record = {
        "id": ID,
        "outputs": [{"name": "weights.bin", "digest": digest(b"weights")}],
        "commitments": [{"path": OPENING["path"], "digest": committed(OPENING_HEX)}],
    }
    body = dcbor(record)
    return [wrapped(at=AT + n, type=RECORD, body=body) for n in range(7)]


def signed(tree: Tree, size: int, *, witnesses: int = 2, time: int = TIME) -> bytes:
    """A checkpoint with its signatures, which are all Ed25519."""
    text = checkpoint_text(size, tree.mth(0, size))
    lines = [each.line(text, time + n) for n, each in enumerate(TWO[:witnesses])]
    return note(text, LOG.line(text), *lines)


def _later(receipt: bytes) -> bytes:
    """The receipt, with the first witness's cosignature made a second older."""
    [line] = [each for each in receipt.split(b"\n") if TWO[0].name.encode() in each]
    blob = b64decode(line.split(b" ")[2])
    time = int.from_bytes(blob[4:12], "big") - 1
    other = blob[:4] + time.to_bytes(8, "big") + blob[12:]
    return receipt.replace(b64(blob).encode(), b64(other).encode())


def bundles() -> Any:
    """A true bundle, and what must be refused once one place in it is another."""
    log = small_log()
    tree, fork = Tree(log), Tree([b"fork", *log[1:]])
    receipt = receipt_text(4, tree.path(4, 7), signed(tree, 7, time=TIME + 100))
    proof = [b64(each) for each in tree.consistency(3, 7)]
    true = {
        "schema": "provlog/bundle/1",
        "entry": b64(log[4]),
        "receipt": b64(receipt),
        "openings": [OPENING],
        "before": {"checkpoint": b64(signed(tree, 3)), "proof": proof},
    }
    spoiled: list[tuple[str, list[str | int], Any, str]] = [
        ("one byte of the entry", ["entry"], b64(log[4][:-1] + b"\x00"), "inclusion"),
        ("another entry", ["entry"], b64(log[5]), "inclusion"),
        ("no entry", ["entry"], DROP, "form"),
        ("no receipt", ["receipt"], DROP, "form"),
        ("no schema", ["schema"], DROP, "form"),
        ("another schema", ["schema"], "provlog/bundle/2", "form"),
        ("a key", ["key"], LOG.vkey, "form"),
        ("null", ["before"], None, "form"),
        ("base64 with spare bits", ["entry"], "AB==", "form"),
        ("another value", ["openings", 0, "value"], "Nothing.", "opening"),
        ("another salt", ["openings", 0, "salt"], b64(bytes(32)), "opening"),
        ("a short salt", ["openings", 0, "salt"], b64(bytes(31)), "form"),
        ("no commitment there", ["openings", 0, "path"], ["prompt"], "opening"),
        ("opened twice", ["openings"], [OPENING, OPENING], "opening"),
        ("a proof without its end", ["before", "proof"], proof[:-1], "form"),
        ("a proof that goes on", ["before", "proof"], [*proof, proof[0]], "form"),
        ("a proof turned round", ["before", "proof"], proof[::-1], "consistency"),
    ]
    receipts = [
        (
            "another index",
            receipt_text(5, tree.path(4, 7), signed(tree, 7)),
            "inclusion",
        ),
        (
            "an index outside",
            receipt_text(7, tree.path(4, 7), signed(tree, 7)),
            "form",
        ),
        ("no path", receipt_text(4, [], signed(tree, 7)), "form"),
        ("a fork", receipt_text(4, tree.path(4, 7), signed(fork, 7)), "inclusion"),
        (
            "one witness of two",
            receipt_text(4, tree.path(4, 7), signed(tree, 7, witnesses=1)),
            "quorum",
        ),
        (
            "no signature of the log",
            receipt.replace(b"\xe2\x80\x94 " + LOG.name.encode(), b"\xe2\x80\x94 x", 1),
            "log",
        ),
        ("a time changed", _later(receipt), "signature"),
    ]
    earlier = [
        ("with the entry in it", signed(tree, 5), "consistency"),
        ("of a fork", signed(fork, 3), "consistency"),
        ("of one witness", signed(tree, 3, witnesses=1), "quorum"),
        ("of size 0, with a proof", signed(tree, 0), "form"),
    ]
    spoiled += [
        (f"receipt: {why}", ["receipt"], b64(data), check)
        for why, data, check in receipts
    ]
    spoiled += [
        (f"before: {why}", ["before", "checkpoint"], b64(data), check)
        for why, data, check in earlier
    ]
    return {
        "policy": policy_text(witnesses=TWO).decode(),
        "not_before": TIME,
        "not_after": TIME + 101,
        "artifact": sha256(b"weights").hexdigest(),
        "bundle": true,
        "spoiled": [
            {"why": why, "at": at, "check": check} | ({} if to == DROP else {"to": to})
            for why, at, to, check in spoiled
        ],
    }


def misbehaviour() -> Any:
    """Two histories under one key, and what is not that."""
    log = small_log()
    tree, fork = Tree(log), Tree([b"fork", *log[1:]])

    def claim(first: bytes, second: bytes, **more: Any) -> dict[str, Any]:
        schema = "provlog/misbehaviour/1"
        return {"schema": schema, "first": b64(first), "second": b64(second), **more}

    def related(other: Tree) -> dict[str, Any]:
        proof = [b64(each) for each in other.consistency(3, 7)]
        return {"prefix": b64(other.mth(0, 3)), "proof": proof}

    def alone(of: Tree, size: int) -> bytes:
        return signed(of, size, witnesses=0)

    two = (alone(tree, 3), alone(fork, 7))
    return {
        "policy": policy_text().decode(),
        "good": [
            {"why": "equal sizes", "claim": claim(alone(tree, 7), alone(fork, 7))},
            {"why": "two sizes", "claim": claim(*two, **related(fork))},
        ],
        "bad": [
            {
                "why": "the log has only grown",
                "claim": claim(alone(tree, 3), alone(tree, 7), **related(tree)),
                "check": "consistency",
            },
            {
                "why": "the same checkpoint twice",
                "claim": claim(alone(tree, 7), alone(tree, 7)),
                "check": "consistency",
            },
            {
                "why": "the proof of another tree",
                "claim": claim(*two, **related(tree)),
                "check": "consistency",
            },
            {"why": "nothing relates them", "claim": claim(*two), "check": "form"},
            {
                "why": "a prefix without its proof",
                "claim": claim(*two, prefix=related(fork)["prefix"]),
                "check": "form",
            },
            {
                "why": "a proof without its prefix",
                "claim": claim(*two, proof=related(fork)["proof"]),
                "check": "form",
            },
            {
                "why": "a proof between equal sizes",
                "claim": claim(alone(tree, 7), alone(fork, 7), **related(fork)),
                "check": "form",
            },
            {
                "why": "the larger first",
                "claim": claim(*two[::-1], **related(fork)),
                "check": "form",
            },
            {
                "why": "not signed by the log",
                "claim": claim(two[0], two[1].replace(b"example", b"exbmple")),
                "check": "log",
            },
        ],
    }


def subtree_cosignatures() -> Any:
    """ML-DSA-44 under a subtree that does not start at 0, and thus without a time."""
    witness = signer("witness.example/pq", 0x06)
    node = Tree(small_log()).mth(4, 6)
    blob = witness.subtree_blob(LOG.name, 4, 6, node, 0)
    other = signer("witness.example/other", 0x06)
    spoiled: list[tuple[str, dict[str, Any], str]] = [
        ("another origin", {"origin": "log.example/other"}, "signature"),
        ("another subtree", {"start": 6, "end": 8}, "signature"),
        ("not a subtree", {"start": 5, "end": 7}, "form"),
        ("no entries", {"end": 4}, "form"),
        ("another hash", {"node": bytes(32).hex()}, "signature"),
        ("a short hash", {"node": bytes(31).hex()}, "form"),
        ("an Ed25519 key", {"vkey": WITNESSES[0].vkey}, "signature"),
    ]
    return {
        "good": {
            "vkey": witness.vkey,
            "origin": LOG.name,
            "start": 4,
            "end": 6,
            "node": node.hex(),
            "blob": b64(blob),
            "time": 0,
        },
        "bad": [
            {"why": why, "change": change, "check": check}
            for why, change, check in spoiled
        ]
        + [
            {
                "why": "another key",
                "change": {"vkey": other.vkey},
                "check": "signature",
            },
            {"why": "a time", "time": TIME, "check": "form"},
        ],
    }


FILES = {
    "entries.json": entries,
    "records.json": records,
    "kinds.json": kinds,
    "commitments.json": commitments,
    "bundles.json": bundles,
    "misbehaviour.json": misbehaviour,
    "subtree-cosignatures.json": subtree_cosignatures,
}


def make(folder: Path) -> None:
    """Write every file to `folder`."""
    for name, build in FILES.items():
        text = json.dumps(build(), indent=1) + "\n"
        (folder / name).write_text(text, encoding="ascii")


if __name__ == "__main__":
    make(HERE)
