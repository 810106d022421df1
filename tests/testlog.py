"""TestLog: a whole log in a folder, with its key, its witnesses and its policy.

It is made by the recursive definitions of tests/reference, so that the verifier
is never judged by its own code. `check()` audits all of it, as an auditor would.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import nacl.signing
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tests.reference.rfc6962 import Tree
from verifier import Checkpoint, Policy, verify_checkpoint, verify_log
from verifier.source import Directory

ORIGIN = "log.example/test"
TIME = 1_790_000_000
"""A time in 2026, in seconds: when witnesses sign unless a test says otherwise."""


def b64(data: bytes) -> str:
    """Padded standard base64."""
    return b64encode(data).decode()


@dataclass(frozen=True)
class Signer:
    """A key that signs notes. `type` is a signature type of c2sp.org/signed-note."""

    name: str
    type: int
    seed: bytes

    @property
    def public(self) -> bytes:
        """The raw public key."""
        if self.type == 0x06:
            return (
                MLDSA44PrivateKey.from_seed_bytes(self.seed)
                .public_key()
                .public_bytes_raw()
            )
        return bytes(nacl.signing.SigningKey(self.seed).verify_key)

    @property
    def key_id(self) -> bytes:
        """The key id, by the rule of the specification."""
        return sha256(
            self.name.encode() + b"\n" + bytes([self.type]) + self.public
        ).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key."""
        return (
            f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.type]) + self.public)}"
        )

    def sign(self, message: bytes) -> bytes:
        """The bare signature."""
        if self.type == 0x06:
            return MLDSA44PrivateKey.from_seed_bytes(self.seed).sign(message)
        return nacl.signing.SigningKey(self.seed).sign(message).signature

    def line(self, text: str, time: int = TIME) -> str:
        """The signature line under the checkpoint `text`."""
        if self.type == 0x01:
            blob = self.sign(text.encode())
        elif self.type == 0x04:
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            blob = time.to_bytes(8, "big") + self.sign(message)
        else:
            origin, size, root, *_ = text.split("\n")
            blob = self.subtree_blob(origin, 0, int(size), b64decode(root), time)
        return f"\u2014 {self.name} {b64(self.key_id + blob)}\n"

    def subtree_blob(
        self, origin: str, start: int, end: int, node: bytes, time: int
    ) -> bytes:
        """A timestamped ML-DSA-44 signature over entries [start, end)."""
        message = (
            b"subtree/v1\n\0"
            + bytes([len(self.name.encode())])
            + self.name.encode()
            + time.to_bytes(8, "big")
            + bytes([len(origin.encode())])
            + origin.encode()
            + start.to_bytes(8, "big")
            + end.to_bytes(8, "big")
            + node
        )
        return time.to_bytes(8, "big") + self.sign(message)


def signer(name: str, kind: int = 0x01) -> Signer:
    """The same key for the same name and type, every time."""
    return Signer(name, kind, sha256(f"{name} {kind}".encode()).digest())


LOG = signer(ORIGIN)
WITNESSES = tuple(signer(f"witness.example/w{number}", 0x04) for number in (1, 2, 3))


def checkpoint_text(size: int, root: bytes, origin: str = ORIGIN) -> str:
    """The text that a log signs."""
    return f"{origin}\n{size}\n{b64(root)}\n"


def note(text: str, *lines: str) -> bytes:
    """A signed note."""
    return f"{text}\n{''.join(lines)}".encode()


def policy_text(
    logs: Iterable[Signer] = (LOG,),
    witnesses: Sequence[Signer] = WITNESSES,
    quorum: int = 2,
) -> bytes:
    """A policy that asks `quorum` of `witnesses`, called w1, w2 and so on; or none."""
    lines = [f"log {each.vkey}" for each in logs]
    names = [f"w{number}" for number in range(1, len(witnesses) + 1)]
    lines += [f"witness {n} {w.vkey}" for n, w in zip(names, witnesses, strict=True)]
    if quorum:
        group = f"{quorum}-of-{len(names)}"
        lines += [f"group {group} {quorum} {' '.join(names)}", f"quorum {group}"]
    else:
        lines += ["quorum none"]
    return "".join(f"{line}\n" for line in lines).encode()


def receipt_text(index: int, proof: Iterable[bytes], checkpoint: bytes) -> bytes:
    """A tlog-proof."""
    hashes = "".join(f"{b64(each)}\n" for each in proof)
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n".encode() + checkpoint


@dataclass
class TestLog:
    """A log in `folder` that holds `entries`."""

    __test__ = False  # pytest: this is no test

    folder: Path
    entries: list[bytes] = field(default_factory=list)
    witnesses: Sequence[Signer] = WITNESSES
    quorum: int = 2

    def __post_init__(self) -> None:
        self.tree = Tree(self.entries)

    def append(self, *entries: bytes) -> None:
        """Add entries and write everything that a log of this size serves."""
        self.entries.extend(entries)
        self.write()

    def checkpoint(self, size: int | None = None, time: int = TIME) -> bytes:
        """The signed and cosigned checkpoint of the first `size` entries."""
        size = len(self.entries) if size is None else size
        text = checkpoint_text(size, self.tree.mth(0, size))
        lines = [LOG.line(text), *(each.line(text, time) for each in self.witnesses)]
        return note(text, *lines)

    def receipt(self, index: int, size: int | None = None) -> bytes:
        """The tlog-proof of entry `index` in the tree of `size`."""
        size = len(self.entries) if size is None else size
        return receipt_text(index, self.tree.path(index, size), self.checkpoint(size))

    @property
    def policy(self) -> Policy:
        """The policy under which this log is believed."""
        return Policy.parse(self.policy_text)

    @property
    def policy_text(self) -> bytes:
        """The same as a file."""
        return policy_text(witnesses=self.witnesses, quorum=self.quorum)

    def write(self, time: int = TIME) -> None:
        """Write what c2sp.org/tlog-tiles asks for."""
        level = [sha256(b"\x00" + entry).digest() for entry in self.entries]
        for start in range(0, len(level), 256):
            some = self.entries[start : start + 256]
            data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in some)
            self._write_tile("entries", start // 256, len(some), data)
        number = 0
        while level:
            for start in range(0, len(level), 256):
                some = level[start : start + 256]
                self._write_tile(str(number), start // 256, len(some), b"".join(some))
            full = range(0, len(level) // 256 * 256, 256)
            level = [_perfect_root(level[start : start + 256]) for start in full]
            number += 1
        self.write_file("checkpoint", self.checkpoint(time=time))

    def write_file(self, path: str, data: bytes) -> None:
        """Write one file of the log."""
        where = self.folder / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(data)

    def check(self) -> Checkpoint:
        """Audit the whole log; raise if anything is wrong with it."""
        source = Directory(self.folder)
        data = (self.folder / "checkpoint").read_bytes()
        checkpoint = verify_checkpoint(data, self.policy).checkpoint
        verify_log(source, checkpoint)
        assert checkpoint.size == len(self.entries)
        return checkpoint

    def _write_tile(self, level: str, index: int, width: int, data: bytes) -> None:
        digits = f"{index:03}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
        partial = "" if width == 256 else f".p/{width}"
        self.write_file(f"tile/{level}/{name}{partial}", data)


def _perfect_root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]
