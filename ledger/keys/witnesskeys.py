"""A witness's keys, and its signatures under checkpoints of logs.

    PRIVATE+KEY+witness.example/w1+5f2a91c0+BGvJ5T0kY2uQm1cXn8sP…
    PRIVATE+KEY+witness.example/w1+9b1f3c07+BjmU2+kJ0cK8hYfVb7Tn1WqP…

One key of type 0x04 (Ed25519) and one of 0x06 (ML-DSA-44), of one name and from two
seeds: who breaks one of them has not the other. An Ed25519 cosignature does not say
by whom it is, so no other witness, and no log, may ever have the same key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ledger.errors import Held
from ledger.keys.keyfile import SigningKey
from ledger.keys.private import read_private, write_private
from ledger.keys.signer import ready, verified
from verifier.checkpoint import Checkpoint
from verifier.cosignature import ed25519_message, ml_dsa_message
from verifier.errors import MalformedError
from verifier.keys import KeyType, VerifierKey
from verifier.note import NoteSignature

_TYPES = (KeyType.COSIGNATURE, KeyType.ML_DSA_COSIGNATURE)


@dataclass(frozen=True, slots=True)
class WitnessKeys:
    """The two keys of one witness."""

    keys: tuple[SigningKey, ...]

    def __post_init__(self) -> None:
        if tuple(key.type for key in self.keys) != _TYPES:
            raise MalformedError("a witness has a key of type 0x04 and one of 0x06")
        if len({key.name for key in self.keys}) != 1:
            raise MalformedError("keys of two names; both have the witness's")
        if len({key.seed for key in self.keys}) != len(self.keys):
            raise MalformedError("two keys with one seed; each has its own")

    @classmethod
    def generate(cls, name: str) -> Self:
        """Keys that nobody has had before."""
        return cls(tuple(SigningKey.generate(name, kind) for kind in _TYPES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file, or raise MalformedError; no message quotes a seed."""
        if not text.endswith("\n"):
            raise MalformedError("the last line does not end in a newline")
        return cls(
            tuple(
                SigningKey.parse(line, kinds=_TYPES, whose="witness")
                for line in text[:-1].split("\n")
            )
        )

    def text(self) -> str:
        """Write the file. This is the secret."""
        return "".join(f"{key.text()}\n" for key in self.keys)

    @property
    def name(self) -> str:
        """The witness's name."""
        return self.keys[0].name


class Cosigning:
    """Makes the lines of one witness. What may be cosigned is decided above it."""

    def __init__(self, keys: WitnessKeys) -> None:
        self.name = keys.name
        self._keys = [ready(key) for key in keys.keys]

    def verifier_keys(self) -> list[VerifierKey]:
        """The public keys."""
        return [key.public for key in self._keys]

    def lines(self, checkpoint: Checkpoint, *, time: int) -> tuple[NoteSignature, ...]:
        """Cosign all of `checkpoint` at `time`, in seconds, which is not 0.

        Halted, and nothing is released, where a signature does not verify.
        """
        messages = {
            KeyType.COSIGNATURE: ed25519_message(time, checkpoint.text()),
            KeyType.ML_DSA_COSIGNATURE: ml_dsa_message(
                cosigner=self.name,
                time=time,
                origin=checkpoint.origin,
                start=0,
                end=checkpoint.size,
                node=checkpoint.root,
            ),
        }
        made = time.to_bytes(8, "big")
        return tuple(
            verified(key, checkpoint, made + key.sign(messages[key.public.type]))
            for key in self._keys
        )


def read_witness_keys(path: Path) -> WitnessKeys:
    """The keys at `path`, or Held: missing, damaged, or within the reach of others."""
    try:
        return WitnessKeys.parse(read_private(path))
    except MalformedError as error:
        says = f"{path} does not hold a witness's keys: {error}"
        raise Held("key_damaged", says, mend=f"put its backup at {path}") from None


def write_witness_keys(path: Path, keys: WitnessKeys) -> None:
    """Write the file at `path`, which nobody else can read."""
    write_private(path, keys.text())
