"""A checkpoint's line out of which COSE receipts are made.

Under the text of a checkpoint stands, beside the signatures of notes, one more line
with the same key's signature over the same root, as a COSE_Sign1 has it (RFC 9942):

    — log.example/prod 7kXx1JVd2o…

Its key id is that of type ff with this project's identifier and the algorithm in it,
so every reader of notes passes over it, as the specification of notes has it. With
the line a COSE receipt can be made of any tlog-proof, by anybody and without a key:
protected header and root follow from the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from verifier import cbor
from verifier.checkpoint import Checkpoint
from verifier.cose import ALG, KID, Sign1
from verifier.cosekey import thumbprint
from verifier.entry import Entry
from verifier.keys import Algorithm, PublicKey, VerifierKey
from verifier.note import Note, NoteSignature
from verifier.receipt.cose import (
    CLAIMS,
    ISSUER,
    RFC9162_SHA256,
    SUBJECT,
    VDS,
    encode_receipt,
)
from verifier.receipt.tlog import Receipt

IDENTIFIER: Final = "provlog/receipt/1"
ALGORITHMS: Final = (-19, -8)
"""Those that a log can be set to: of RFC 9864, and what others write still."""
_PRIVATE: Final = 0xFF


class NoLineError(Exception):
    """No key of the log has a line for COSE receipts under this checkpoint."""


class ReceiptLine(NamedTuple):
    """What a COSE receipt has from the log: its protected header, and a signature."""

    protected: bytes
    signature: bytes


@lru_cache(maxsize=64)
def line_id(name: str, key: PublicKey, algorithm: int) -> bytes:
    """The key id of the line of `key`: as of all types, with an identifier behind."""
    kind = bytes([_PRIVATE]) + f"{IDENTIFIER}/{algorithm}\n".encode()
    return sha256(name.encode() + b"\n" + kind + key.raw).digest()[:4]


@lru_cache(maxsize=64)
def protected_of(origin: str, key: PublicKey, algorithm: int) -> bytes:
    """The protected header of all receipts of a log: it never says more than this."""
    return cbor.encode(
        {
            ALG: algorithm,
            KID: thumbprint(key),
            CLAIMS: {ISSUER: origin, SUBJECT: origin},
            VDS: RFC9162_SHA256,
        }
    )


def line_message(origin: str, key: PublicKey, algorithm: int, root: bytes) -> bytes:
    """What is signed for the line."""
    return Sign1(
        protected=protected_of(origin, key, algorithm),
        headers={},
        unprotected={},
        payload=root,
        signature=b"",
    ).message()


def line_of(
    name: str, key: PublicKey, algorithm: int, signature: bytes
) -> NoteSignature:
    """The line, to be put under a checkpoint."""
    return NoteSignature(name, line_id(name, key, algorithm), signature)


def find_line(note: Note, keys: Iterable[VerifierKey]) -> ReceiptLine | None:
    """The first line in `note` that says it is by one of `keys`, in their order.

    It is verified with the receipt that is made of it, as that is.
    """
    there = {(each.name, each.key_id): each.signature for each in note.signatures}
    for key in keys:
        public = key.public_key
        if public.algorithm is not Algorithm.ED25519:
            continue
        for algorithm in ALGORITHMS:
            found = there.get((key.name, line_id(key.name, public, algorithm)))
            if found is not None:
                protected = protected_of(key.name, public, algorithm)
                return ReceiptLine(protected, found)
    return None


def cose_receipt(
    receipt: Receipt, keys: Iterable[VerifierKey], entry: Entry | None = None
) -> bytes:
    """The same receipt in its other form, or NoLineError.

    `entry` is that of a record log, which a COSE receipt says something about.
    """
    note = Note.parse(receipt.checkpoint)
    line = find_line(note, keys)
    if line is None:
        raise NoLineError
    return encode_receipt(
        protected=line.protected,
        signature=line.signature,
        index=receipt.index,
        size=Checkpoint.parse(note.text, extensions=True).size,
        hashes=receipt.proof,
        entry=entry,
    )
