"""The file that holds a log's checkpoint keys, and says which log they are for.

A key each line, the oldest first, and at last the log's birth id:

    PRIVATE+KEY+log.example/prod+52d5e0a4+AWvJ5T0kY2uQm1cXn8sP…
    PRIVATE+KEY+log.example/prod+9b1f3c07+BjmU2+kJ0cK8hYfVb7Tn1WqP…
    genesis 6f1c0a1f7a3b4f0e8d6c5b4a39281706

The key lines are those of Go's note package (golang.org/x/mod/sumdb/note): the
base64 is of a type and a 32-byte seed, type 0x01 for Ed25519, and here also 0x06
for ML-DSA-44. The id is that of the public key. The birth id keeps the file from
serving a second log by mistake, which would be two histories under one key.

No message of this module quotes what it could not read: it may be the seed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import nacl.bindings
from cryptography.hazmat.primitives.asymmetric import mldsa

from ledger.errors import Held
from ledger.keys.private import damaged, read_private, write_private
from verifier.errors import MalformedError
from verifier.keys import Algorithm, KeyType, PublicKey, VerifierKey, check_name
from verifier.spelling import base64_text, parse_base64

SEED_SIZE: Final = 32
GENESIS_SIZE: Final = 16

LOG_TYPES: Final = (KeyType.ED25519, KeyType.ML_DSA_COSIGNATURE)
_TYPES: Final = {
    KeyType.ED25519: "0x01 (Ed25519)",
    KeyType.COSIGNATURE: "0x04 (Ed25519)",
    KeyType.ML_DSA_COSIGNATURE: "0x06 (ML-DSA-44)",
}

_FORM: Final = re.compile(r"PRIVATE\+KEY\+([^+]*)\+([0-9a-f]{8})\+(.*)")
_GENESIS: Final = re.compile(rf"genesis ([0-9a-f]{{{2 * GENESIS_SIZE}}})")
_MAX_NAME: Final = 255  # bytes, which ML-DSA-44 cosignatures count in one byte


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A named secret key. It shows itself without its seed."""

    name: str
    type: KeyType
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if "\x7f" in self.name or len(self.name.encode()) > _MAX_NAME:
            # Verifiers could neither list such a key in a policy nor check it.
            raise MalformedError(
                f"a log's name has at most {_MAX_NAME} bytes, and no control character"
            )
        if self.type is KeyType.ECDSA:
            raise MalformedError("a signing key is Ed25519 or ML-DSA-44")
        if len(self.seed) != SEED_SIZE:
            raise MalformedError(f"a seed has {SEED_SIZE} bytes, not {len(self.seed)}")

    @classmethod
    def generate(cls, name: str, type: KeyType) -> Self:  # noqa: A002 - the field's name
        """A key that nobody has had before."""
        return cls(name, type, secrets.token_bytes(SEED_SIZE))

    @classmethod
    def parse(
        cls, text: str, *, kinds: Collection[KeyType] = LOG_TYPES, whose: str = "log"
    ) -> Self:
        """Read a line without its newline, or raise MalformedError."""
        match = _FORM.fullmatch(text)
        if not match:
            raise MalformedError(
                "a signing key is PRIVATE+KEY+NAME+8 hex digits+BASE64; "
                "a key without PRIVATE+KEY is a public one, and cannot sign"
            )
        name, key_id, encoded = match.groups()
        blob = parse_base64(encoded, "the secret part of a signing key")
        try:
            kind = KeyType(blob[0] if blob else None)
        except ValueError:
            # Not said which: without a type, the first byte is one of the seed.
            raise MalformedError("a signing key of an unknown type") from None
        if kind not in kinds:
            known = " or ".join(_TYPES[each] for each in kinds)
            raise MalformedError(f"a {whose}'s key is of type {known}")
        key = cls(name, kind, blob[1:])
        if key.verifier_key.id.hex() != key_id:
            raise MalformedError(
                "the id of a signing key is not that of its name and seed; "
                "one of the three was altered"
            )
        return key

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half."""
        if self.type is not KeyType.ML_DSA_COSIGNATURE:
            raw, _ = nacl.bindings.crypto_sign_seed_keypair(self.seed)
            public = PublicKey(Algorithm.ED25519, raw)
        else:
            secret = mldsa.MLDSA44PrivateKey.from_seed_bytes(self.seed)
            raw = secret.public_key().public_bytes_raw()
            public = PublicKey(Algorithm.ML_DSA_44, raw)
        return VerifierKey(self.name, self.type, public)

    def text(self) -> str:
        """Write the line, without its newline. This is the secret."""
        blob = bytes([self.type.value]) + self.seed
        key_id = self.verifier_key.id.hex()
        return f"PRIVATE+KEY+{self.name}+{key_id}+{base64_text(blob)}"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """All keys of one log, the oldest first, and the log's birth id."""

    keys: tuple[SigningKey, ...]
    genesis: bytes

    def __post_init__(self) -> None:
        if all(key.type is not KeyType.ED25519 for key in self.keys):
            raise MalformedError(
                "no Ed25519 key, which every checkpoint is signed with"
            )
        if len({key.name for key in self.keys}) != 1:
            raise MalformedError("keys of several names; all have the log's origin")
        # Verifiers tell the keys of one name apart by their ids alone.
        if len({key.verifier_key.id for key in self.keys}) != len(self.keys):
            raise MalformedError("two keys with one id; each key stands there once")
        if len(self.genesis) != GENESIS_SIZE:
            raise MalformedError(f"a birth id has {GENESIS_SIZE} bytes")

    @property
    def origin(self) -> str:
        """The log's name, which all its keys have."""
        return self.keys[0].name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file, or raise MalformedError naming the line and what is wrong."""
        *lines, last = text.removesuffix("\n").split("\n")
        birth = _GENESIS.fullmatch(last)
        if not birth or not text.endswith("\n"):
            raise MalformedError(
                'the last line is not "genesis", 32 hex digits and a newline'
            )
        keys = []
        for number, line in enumerate(lines, start=1):
            try:
                keys.append(SigningKey.parse(line))
            except MalformedError as error:
                raise MalformedError(f"line {number}: {error}") from None
        return cls(tuple(keys), bytes.fromhex(birth[1]))

    def text(self) -> str:
        """Write the file. This is the secret."""
        lines = [*(key.text() for key in self.keys), f"genesis {self.genesis.hex()}"]
        return "".join(f"{line}\n" for line in lines)


def read_key_file(path: Path) -> KeyFile:
    """The keys at `path`, or Held: missing, damaged, or within the reach of others."""
    text = read_private(path)
    try:
        return KeyFile.parse(text)
    except MalformedError as error:
        raise damaged(path, str(error)) from None


def write_key_file(path: Path, keys: KeyFile) -> None:
    """Replace the file at `path`; after a crash it is the old or the new one, whole."""
    write_private(path, keys.text())


def read_note_key(path: Path) -> SigningKey:
    """The one Ed25519 key at `path`, as Go's note.GenerateKey makes it, or Held."""
    line = read_private(path).removesuffix("\n")
    if re.search("^genesis", line, re.MULTILINE):
        raise Held(
            "key_taken",
            f"{path} is the key file of a log already. A key that signs for two logs "
            "shows two histories; give the new log a key of its own",
        )
    try:
        key = SigningKey.parse(line)
    except MalformedError as error:
        raise Held(
            "key_damaged", f"{path} does not hold one signing key on one line: {error}"
        ) from None
    if key.type is not KeyType.ED25519:
        raise Held(
            "key_unfit",
            f"{path} holds an ML-DSA-44 key. A log begins with an Ed25519 key, as Go's "
            "note.GenerateKey makes it; an ML-DSA-44 key is made beside it",
        )
    return key
