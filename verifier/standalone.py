"""The reading copy: a bundle or a tlog-proof checked again, in one file, to be read.

    standalone.py --policy FILE [--entry FILE] [--entries auto|record|opaque] EVIDENCE

It needs Python 3.11, and nothing else of anybody. It checks what docs/format.md says,
by other means than the verifier of this project: with arithmetic instead of libraries,
with the recursion of RFC 6962 instead of loops. Numbers in parentheses are sections of
docs/format.md. ML-DSA-44 and ECDSA signatures are not checked, nor those of producers
inside entries: they are `unchecked`, and count for nothing. Exit status: 0 it holds,
1 it does not, and BROKEN says which check (14.3), 2 it could not be carried out.
"""

import binascii
import datetime as dt
import json
import os
import re
import sys
from hashlib import sha256, sha512
from itertools import islice
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036 - a traceback would end with status 1
    sys.stderr.write("this needs Python 3.11 or newer\n")
    raise SystemExit(2)
UNDECIDED = "undecided"
NAME = r"[^+\s\x00-\x1f\ud800-\udfff]+"  # bytes that are no UTF-8 become surrogates
ED25519, ECDSA, COSIGNATURE, ML_DSA = 1, 2, 4, 6
KEY_BYTES = {ED25519: 32, ECDSA: 91, COSIGNATURE: 32, ML_DSA: 1_312}
STATEMENT = "application/(cose; |vnd[.]dsse[.]envelope|vnd[.]dev[.]sigstore[.]bundle)"
UNCHECKED = {ECDSA: "ECDSA", ML_DSA: "ML-DSA-44"}
P256_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Key = tuple[str, int, bytes]  # name, type, and the key itself
Point = tuple[int, int, int, int]  # of Ed25519, in extended coordinates


class Broken(Exception):
    """What does not hold, a word of 14.3 or UNDECIDED, and a sentence about it."""


def require(holds: Any, says: str, check: str = "form") -> Any:
    if not holds:
        raise Broken(check, says)
    return holds


def match(pattern: str, text: str, what: str) -> list[str]:
    found = require(re.fullmatch(pattern, text), f"{what} is not spelled as it must be")
    return [*found.groups("")]


def decimal(text: str) -> int:
    require(re.fullmatch("0|[1-9][0-9]{0,18}", text) and int(text) < 2**63, "no number")
    return int(text)


def unbase64(text: str, size: int | None = None) -> bytes:
    form = "[A-Za-z0-9+/]*(?:[AQgw]==|[AEIMQUYcgkosw048]=)?"  # unused bits are zero
    match(form if len(text) % 4 == 0 else "", text, "base64")
    data = binascii.a2b_base64(text)
    require(size in (None, len(data)), f"{len(data)} bytes where {size} belong")
    return data


def multiply(*terms: tuple[int, Point]) -> Point:
    """The sum of points, each so many times (RFC 8032, 5.1.4)."""

    def add(p: Point, q: Point) -> Point:
        a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
        c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
        e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
        return e * f % P, g * h % P, f * g % P, e * h % P

    total = (0, 1, 1, 0)
    for bit in reversed(range(max(times.bit_length() for times, _ in terms))):
        total = add(total, total)
        for point in [point for times, point in terms if times >> bit & 1]:
            total = add(total, point)
    return total


def decode_point(data: bytes) -> Point:
    """The point that a key is (RFC 8032, 5.1.3)."""
    y = int.from_bytes(data, "little") % 2**255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    require(y < P and x * x % P == square, "no Ed25519 key in its canonical form")
    x = x if x % 2 == data[31] >> 7 else P - x
    return x, y, 1, x * y % P


def signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether [S]B - [k]A is R, byte for byte, and not of small order (5.2)."""
    r, s = signature[:32], int.from_bytes(signature[32:64], "little")
    k = int.from_bytes(sha512(r + key + message).digest(), "little") % L
    base = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    x, y, z, t = decode_point(key)
    total = multiply((s, base), (k, (P - x, y, z, P - t)))
    x, y = (each * pow(total[2], -1, P) % P for each in total[:2])
    same = r == (y + (x % 2 << 255)).to_bytes(32, "little")
    return len(signature) == 64 and s < L and same and multiply((8, total))[0] != 0


def key_id(name: str, kind: int, raw: bytes) -> bytes:
    named = name.encode() + b"\n" + bytes([kind])
    return sha256((b"" if kind == ECDSA else named) + raw).digest()[:4]


def parse_key(word: bytes) -> Key:
    text = word.decode("utf-8", "surrogateescape")
    name, said, blob = match(rf"({NAME})\+([0-9a-f]{{8}})\+(.+)", text, "a key")
    kind, raw = unbase64(blob)[0], unbase64(blob)[1:]
    require(len(raw) == KEY_BYTES.get(kind), f"the key of {name}: type or length")
    require(key_id(name, kind, raw).hex() == said, f"the key of {name} has another id")
    if kind == ECDSA:
        x, y = (int.from_bytes(raw[at : at + 32], "big") for at in (27, 59))
        on_curve = (y * y - x**3 + 3 * x - P256_B) % P256 == 0 and max(x, y) < P256
        require(on_curve and raw[:27] == P256_HEAD, f"the key of {name} is no P-256")
    elif kind != ML_DSA:
        require(multiply((8, decode_point(raw)))[0] != 0, f"{name}: of small order")
    return name, kind, raw


def decode(data: bytes) -> Any:
    """The value of deterministic CBOR (3); null and large integers never occur here."""

    def read(at: int, depth: int) -> tuple[Any, int]:
        require(at < len(data), "CBOR that ends too early")
        (major, argument), at = divmod(data[at], 32), at + 1
        if argument >= 24:
            size = 1 << argument - 24
            argument, at = int.from_bytes(data[at : at + size], "big"), at + size
            least = 24 if size == 1 else 1 << 4 * size
            require(size <= 8 and argument >= least, "a head of CBOR that is not short")
        if major < 2:
            require(argument + major < 2**53, "an integer beyond 2^53-1")
            return -1 - argument if major else argument, at
        if major < 4:
            taken, at = data[at : at + argument], at + argument
            text = taken.decode("utf-8", "replace")
            require(major == 2 or text.encode() == taken, "a text that is not UTF-8")
            return text if major == 3 else taken, at
        if major == 7:
            require(argument in (20, 21), "null, a float, or another simple value")
            return argument == 21, at
        require(major != 6 and depth, "a tag, or nested too deep")
        values, codes = [], []
        for _ in range(argument if major == 4 else 2 * argument):
            value, end = read(at, depth - 1)
            values.append(value)
            codes.append(data[at:end])
            at = end
        if major == 4:
            return values, at
        names, order = values[::2], sorted({*codes[::2]})
        require({*map(type, names)} <= {str} and order == codes[::2], "keys of a map")
        return dict(zip(names, values[1::2], strict=True)), at

    value, end = read(0, 16)
    require(end == len(data) and len([*places(value)]) <= 8_193, "CBOR: end, or size")
    return value


def encode(value: Any, depth: int) -> bytes:  # the one encoding, at most so deep
    require(depth or type(value) not in (dict, list), "nested too deep")
    major, argument, rest = 7, 20 + (value is True), b""
    if type(value) is int and abs(value) < 2**53:
        major, argument = (0, value) if value >= 0 else (1, -1 - value)
    elif type(value) in (bytes, str):
        rest = value if type(value) is bytes else value.encode()
        major, argument = 2 + (type(value) is str), len(rest)
    elif type(value) is list:
        rest = b"".join(encode(each, depth - 1) for each in value)
        major, argument = 4, len(value)
    elif type(value) is dict:
        pairs = [(encode(n, 0), encode(v, depth - 1)) for n, v in value.items()]
        major, argument, rest = 5, len(value), b"".join(map(b"".join, sorted(pairs)))
    else:
        require(type(value) is bool, "a member twice, null, a float, a large number")
    size = sum(argument >= least for least in (24, 1 << 8, 1 << 16, 1 << 32))
    head = argument.to_bytes(1 << size - 1, "big") if size else b""
    return bytes([32 * major + (23 + size if size else argument)]) + head + rest


def places(value: Any, path: tuple[Any, ...] = ()) -> Any:  # all in it, with paths
    yield path, value
    inside = enumerate(value) if type(value) is list else ()
    for step, below in value.items() if type(value) is dict else inside:
        yield from places(below, (*path, step)) if len(path) < 20 else ()


def parse_json(data: bytes) -> Any:
    """Strict JSON (4). What Python is generous about becomes None, and is refused."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=lambda p: dict(p) if len(dict(p)) == len(p) else None,
            parse_int=lambda n: int(n) if len(n) <= 17 and n != "-0" else None,
        )
        values = (1 + isinstance((0, *path)[-1], str) for path, _ in places(value))
        require(sum(islice(values, 65_537)) <= 65_536, "more than 65,536 values")
        encode(value, 18)
    except (ValueError, RecursionError):
        raise Broken("form", "not JSON, or nested too deep") from None
    require(type(value) is dict, "not a JSON object")
    return value


def members(value: Any, what: str, /, **kinds: type) -> list[Any]:
    """The members of an object that has exactly these, each of its kind."""
    right = type(value) is dict and value.keys() == kinds.keys()
    right = right and all(k in (object, type(value[n])) for n, k in kinds.items())
    require(right, f"{what} has not exactly {', '.join(kinds)}, or of other kinds")
    return [value[name] for name in kinds]


def parse_path(steps: list[Any]) -> tuple[str | int, ...]:
    right = all(type(s) is str or (type(s) is int and s >= 0) for s in steps)
    require(right and 1 <= len(steps) <= 16, "a path has 1 to 16 names and positions")
    return tuple(steps)


def parse_record(body: bytes) -> tuple[str, dict[Any, str]]:
    """The id of a record (12.2), and its commitments by path (13)."""
    record = decode(body)
    openly = dict(places(record))
    right = type(record) is dict and bytes not in map(type, openly.values())
    require(right and type(record.get("id")) is str, "a record is an object with an id")
    uuid = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    match(uuid, record["id"], "the record's id")
    found: dict[Any, str] = {}
    listed = record.get("commitments", [])
    for each in listed if type(listed) is list else [None]:
        steps, digest = members(each, "a commitment", path=list, digest=str)
        match("sha256:[0-9a-f]{64}", digest, "a digest")
        path = parse_path(steps)
        require(path not in found and path not in openly, "two stories at one path")
        found[path] = digest
    inside = [path for path in found for n in range(1, len(path)) if path[:n] in found]
    require(not inside, "a commitment inside another one")
    return record["id"], found


def parse_evidence(data: bytes) -> tuple[Any, ...]:
    """Entry, openings and before (11.2); index, path and note of the receipt (11.1)."""
    entry, opened, before = None, [], None
    require(data[:2] != b"\xd2\x84", "COSE receipts are not checked here", UNDECIDED)
    if not data.startswith(b"c2sp.org/tlog-proof"):
        bundle = {"openings": [], "before": None} | parse_json(data)
        theirs = bundle.get("schema") == "provlog/misbehaviour/1"
        require(not theirs, "proofs of misbehaviour are not checked here", UNDECIDED)
        kinds = {"schema": str, "entry": str, "receipt": str, "openings": list}
        schema, *texts, openings, before = members(bundle, "it", **kinds, before=object)
        require(schema == "provlog/bundle/1", "neither a bundle nor a tlog-proof")
        entry, data = map(unbase64, texts)
        require(len(entry) <= 65_535 and len(openings) <= 1_024, "a bundle too large")
        for each in openings:
            steps, salt, value = members(each, "it", path=list, salt=str, value=object)
            opened.append((parse_path(steps), unbase64(salt), value))
        if before is not None:
            note, hashes = members(before, "before", checkpoint=str, proof=list)
            require(len(hashes) <= 64, "a consistency proof has at most 64 hashes")
            before = unbase64(note), [unbase64(str(each), 32) for each in hashes]
    require(len(data) <= 655_360, "a tlog-proof of more than 655,360 bytes")
    head, empty, note = data.decode("latin-1").partition("\n\n")
    form = "c2sp[.]org/tlog-proof@v1\n(?:extra (.*)\n)?index (.+)((?:\n.+){,63})"
    extra, index, hashes = match(form, head, "the head of the tlog-proof")
    require(empty and len(unbase64(extra)) <= 65_536, "no note, or too much extra")
    path = [unbase64(line, 32) for line in hashes.split("\n")[1:]]
    return entry, opened, before, decimal(index), path, note.encode("latin-1")


def parse_note(data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The text (6); and of each signature line the name, and key id with the rest."""
    require(len(data) <= 524_288, "a note of more than 524,288 bytes")
    whole = data.decode("utf-8", "surrogateescape")
    require(not re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]", whole), "no plain text")
    end = whole.rfind("\n\n")
    *lines, last = whole[end + 2 :].split("\n")
    require(end >= 0 and not last and 1 <= len(lines) <= 100, "not 1 to 100 signatures")
    pairs = [match(f"\u2014 ({NAME}) (.*)", line, "a signature line") for line in lines]
    signatures = [(name, unbase64(text)) for name, text in pairs]
    require(min(len(blob) for _, blob in signatures) > 4, "a signature of no bytes")
    return whole[: end + 1], signatures


def roots_of(inner: range, outer: range, proof: Any, known: Any) -> Any:
    """Both ranges' roots, if `proof` is PATH or SUBPROOF of RFC 6962, 2.1."""
    if inner == outer:
        return require(len(known + proof) == 1 and (*known, *proof) * 2, "proof length")
    *proof, other = require(proof, "a proof that is too short")
    split = outer.start + (1 << (outer.stop - outer.start - 1).bit_length() - 1)
    if inner.stop <= split:
        root, whole = roots_of(inner, range(outer.start, split), proof, known)
        return root, sha256(b"\x01" + whole + other).digest()
    if inner.start >= split:
        root, whole = roots_of(inner, range(split, outer.stop), proof, known)
        return root, sha256(b"\x01" + other + whole).digest()
    pair = roots_of(range(split, inner.stop), range(split, outer.stop), proof, [])
    return tuple(sha256(b"\x01" + other + each).digest() for each in pair)


class Auditor:
    """Somebody who believes what a policy says (10), and looks at evidence."""

    def __init__(self) -> None:
        self.report: list[str] = []
        self.logs: list[Key] = []
        self.witnesses: dict[bytes, Key] = {}
        self.groups: dict[bytes, tuple[int, list[bytes]]] = {b"none": (0, [])}
        self.quorum, self.once = b"", [(b"name", b"none"), (b"member", b"none")]

    def say(self, check: str, says: str, word: str = "holds") -> None:
        says = says.encode("unicode_escape").decode()
        self.report.append(f"{check:<11} {word:<7} {says}\n")

    def trust(self, policy: bytes) -> None:
        small = len(policy) <= 1 << 20 and policy.count(b"\n") <= 1_024
        require(small, "a policy of more than 1,048,576 bytes or 1,024 lines")
        require(re.fullmatch(rb"[\t\n -~\x80-\xff]*\n", policy), "no lines of text")
        for words in map(bytes.split, policy.split(b"\n")):
            if words and not words[0].startswith(b"#"):
                self.trust_line(*words)
        alone = len({*self.once}) == len(self.once)
        require(self.quorum and alone, "no quorum; or a key, a name or a member twice")

    def trust_line(self, kind: bytes, *words: bytes) -> None:
        if kind == b"log" and len(words) in (1, 2):
            self.logs.append(parse_key(words[0]))
            self.once.append((kind, self.logs[-1][2]))
        elif kind == b"witness" and len(words) in (2, 3):
            name, type_, raw = parse_key(words[1])
            require(type_ != ECDSA, "a witness does not sign with ECDSA")
            self.witnesses[words[0]] = name, {1: COSIGNATURE}.get(type_, type_), raw
            self.groups[words[0]] = 1, []
            self.once += [(kind, raw), (b"name", words[0])]
        elif kind == b"group" and len(words) >= 3:
            group, threshold, *named = words
            least = {b"all": len(named), b"any": 1}.get(threshold)
            least = least or decimal(threshold.decode("latin-1"))
            right = 1 <= least <= len(named) and {*named} <= self.groups.keys()
            require(right, "a threshold, or a member that is on no earlier line")
            self.groups[group] = least, named
            self.once += [(b"name", group), *((b"member", each) for each in named)]
        else:
            right = kind == b"quorum" and len(words) == 1 and words[0] in self.groups
            require(right and not self.quorum, "a line of the policy means nothing")
            self.quorum = words[0]

    def stands(self, name: bytes, held: Any) -> bool:
        least, named = self.groups[name]
        return name in held or sum(self.stands(n, held) for n in named) >= least

    def signers(self, text: str, lines: Any, origin: str) -> dict[Key, str]:
        """Whose lines are here and verify (8), each with the time that it states."""
        found: dict[Key, str] = {}
        for name, blob in lines:
            every = {*self.logs, *self.witnesses.values()} - found.keys()
            keys = {k for k in every if k[0] == name and key_id(*k) == blob[:4]}
            require(len(keys) < 2, f"two keys of the policy are {name}'s", "log")
            for _, kind, raw in keys:
                time, message, signature = 0, text, blob[4:]
                if kind in (COSIGNATURE, ML_DSA):
                    time, signature = int.from_bytes(blob[4:12], "big"), blob[12:]
                    fits = len(name.encode()) <= 255 >= len(origin.encode())
                    right = signature and time < 2**63 and (fits or kind != ML_DSA)
                    require(right, f"{name}: no time, a late one, or too long names")
                    message = f"cosignature/v1\ntime {time}\n{text}"
                if kind in UNCHECKED:
                    self.say("unchecked", f"{UNCHECKED[kind]} signature by {name}", "")
                    good = kind == ECDSA or len(signature) == 2_420
                else:
                    good = signed_by(raw, message.encode(), signature)
                require(good, f"the signature of {name} does not verify", "signature")
                when = dt.datetime.fromtimestamp(min(time, 253_402_300_799), dt.UTC)
                found[name, kind, raw] = f"at {when}" if time else ""
        return found

    def verify_checkpoint(self, note: bytes) -> tuple[str, int, bytes]:
        """Origin, size and root, if they are to be believed (7)."""
        text, lines = parse_note(note)
        origin, digits, hashed = match("(.+)\n(.+)\n(.+)\n", text, "the checkpoint")
        size, root = decimal(digits), unbase64(hashed, 32)
        require(size or root == sha256().digest(), "no entries have another root")
        times = self.signers(text, lines, origin)
        logs = {key[1] for key in self.logs if key[0] == origin and key in times}
        require(logs, f"no log of the policy signed as {origin[:80]}", "log")
        require(logs - {*UNCHECKED}, f"{origin[:80]} signed unchecked", UNDECIDED)
        self.say("log", f"{origin} signed size {size}, root sha256:{root.hex()}")
        held = {n: k for n, k in self.witnesses.items() if k in times}
        require(self.stands(self.quorum, held), "too few witnesses cosigned", "quorum")
        held = {n: k for n, k in held.items() if k[1] not in UNCHECKED}
        require(self.stands(self.quorum, held), "too few are checked", UNDECIDED)
        names = [f"{name.decode('latin-1')} {times[key]}" for name, key in held.items()]
        asked = self.quorum != b"none"
        says = f"cosigned by {', '.join(names)}" if asked else "the policy asks nobody"
        self.say("quorum", says, "holds" if asked else "")
        return origin, size, root

    def verify_entry(self, data: bytes, openings: list[Any], kind: str) -> None:
        """The wrapper of a record log's entry (12.1), the record, its openings (13)."""
        form, body = "", data
        if kind == "record" or (kind == "auto" and data[:8] == b"\xa5av\x01bat\x1b"):
            kinds = {"v": int, "at": int, "by": str, "body": bytes, "type": str}
            try:
                v, at, by, body, form = members(decode(data), "it", **kinds)
                match("[!-~]{1,128}", by, "by")
                match("[!-~]+/[ -~]+", form, "type")
                right = v == 1 and at >= 2**32 and len(form) <= 255
                require(right and len(body) <= 65_000, "a member beyond its bounds")
            except Broken as error:
                raise Broken("entry", f"no record log's: {error.args[1]}") from None
            log = "the log" if kind == "record" else "if this is a record log, it"
            self.say("entry", f"{log} wrote: by {by} at {at} ms, of type {form}", "")
        self.say("entry", f"{len(body)} bytes, sha256:{sha256(body).hexdigest()}", "")
        if re.match(STATEMENT, form) or (kind == "auto" and data[:2] == b"\xd2\x84"):
            self.say("unchecked", "the producer's signature of the statement", "")
        if form != "application/vnd.provlog.record+cbor":
            require(not openings, "openings beside what is no record", "opening")
            return
        number, closed = parse_record(body)
        self.say("record", f"id {number}", "")
        salts = {salt for _, salt, _ in openings}
        require(len(salts) == len(openings), "one salt in two openings", "opening")
        for path, salt, value in openings:
            digest = require(closed.pop(path, None), f"nothing at {path}", "opening")
            committed = ["provlog/commitment/1", salt, number, [*path], value]
            small = len(salt) == 32 and len([*places(committed)]) <= 8_193
            require(small, "a salt not of 32 bytes, or a value of too many members")
            right = digest == f"sha256:{sha256(encode(committed, 16)).hexdigest()}"
            require(right, f"another value is committed to at {path}", "opening")
            self.say("opening", f"{path} is {value!r}")
        for path in closed:
            self.say("closed", f"{path} is withheld or erased", "")

    def verify(self, data: bytes, entry: Any = None, kind: str = "auto") -> None:
        """Return if the evidence holds, in the order of 14.1."""
        within, openings, before, index, path, note = parse_evidence(data)
        require({within, entry} != {None}, "it has no entry; say --entry", UNDECIDED)
        require(entry is None or within in (None, entry), "it is another one", "entry")
        entry = entry if within is None else within
        origin, size, root = self.verify_checkpoint(note)
        require(index < size, f"entry {index} is outside a tree of {size}")
        leaf = sha256(b"\x00" + entry).digest()
        _, computed = roots_of(range(index, index + 1), range(size), path, [leaf])
        require(computed == root, "the proof leads to another root", "inclusion")
        self.say("inclusion", f"it is entry {index} of {size}")
        self.verify_entry(entry, openings, kind)
        if before:
            first, old_size, old_root = self.verify_checkpoint(before[0])
            require(first == origin and old_size <= index, "not earlier", "consistency")
            require(old_size or not before[1], "a proof from the tree of no entries")
            if old_size:
                roots = roots_of(range(old_size), range(size), before[1], [old_root])
                require(roots == (old_root, root), "it is another tree", "consistency")
            self.say("before", f"the tree had size {old_size} before")


def read(path: str, most: int) -> bytes:
    with open(path, "rb") as file:
        data = file.read(most + 1)
    require(len(data) <= most, f"{path} has more than {most} bytes")
    return data


def main(words: list[str]) -> int:
    auditor, status = Auditor(), 2
    try:
        *options, evidence = words or [""]
        given = dict(zip(options[::2], options[1::2], strict=False))
        kind = given.get("--entries", "auto")
        right = len(options) == 2 * len(given) and kind in ("auto", "record", "opaque")
        right = right and given.keys() <= {"--policy", "--entry", "--entries"}
        require(right and "--policy" in given, str(__doc__).split("\n")[2], UNDECIDED)
        auditor.trust(read(given["--policy"], 1 << 20))
        status = 1
        entry = read(given["--entry"], 65_535) if "--entry" in given else None
        auditor.verify(read(evidence, 3 << 19), entry, kind)
        status = 0
    except Broken as error:
        check, says = error.args
        status, word = (1, "BROKEN") if check != UNDECIDED and status == 1 else (2, "")
        auditor.say(check if word else UNDECIDED, says, word)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - 1 would be an answer
        status = 2
        auditor.say(UNDECIDED, f"{type(error).__name__}: {error}", "")
    sys.stdout.write("".join(auditor.report))
    sys.stdout.flush()
    return status


if __name__ == "__main__":
    sys.setrecursionlimit(4_000)  # a policy may be a chain of a thousand groups
    sys.excepthook = lambda *_: os._exit(2)  # whoever gets no report has no answer
    sys.exit(main(sys.argv[1:]))
